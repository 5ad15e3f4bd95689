/* derive: keys and ids that are equal in every process and every replay. */
#include "core/hash.h"
#include "repair/fact.h"
#include "repair/resolve.h"

/* What is hashed starts with one of these, so that two kinds are never equal. */
enum { KIND_COORDINATE = 1, KIND_QUEUE_SPAN = 2 };

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

/* Texts go in by their hashes: so they have one length, and no text can run into the next. */
static uint8_t *put_hash(uint8_t *at, struct bytes text)
{
    uint64_t hash[2];
    hash_stable_128(text, hash);
    return put_u64(put_u64(at, hash[0]), hash[1]);
}

struct repair_key repair_coordinate_key(struct bytes cluster, struct bytes destination,
                                        int64_t partition, int64_t offset)
{
    uint8_t image[7 * 8];
    uint8_t *at = put_u64(image, KIND_COORDINATE);
    at = put_hash(at, cluster);
    at = put_hash(at, destination);
    at = put_u64(at, (uint64_t)partition);
    (void)put_u64(at, (uint64_t)offset);
    struct repair_key key;
    hash_stable_128(bytes_of(image, sizeof(image)), key.word);
    return key;
}

uint64_t repair_destination_hash(struct bytes destination)
{
    uint64_t hash[2];
    hash_stable_128(destination, hash);
    return hash[1];
}

struct span_id repair_queue_span_id(struct repair_key key, struct span_id consumer)
{
    uint8_t image[4 * 8];
    uint8_t *at = put_u64(image, KIND_QUEUE_SPAN);
    at = put_u64(at, key.word[0]);
    at = put_u64(at, key.word[1]);
    memcpy(at, consumer.byte, SPAN_ID_LEN);
    uint64_t hash[2];
    hash_stable_128(bytes_of(image, sizeof(image)), hash);
    /* 0 means "none": then the other half, then any number. */
    uint64_t number = hash[1] != 0 ? hash[1] : hash[0] != 0 ? hash[0] : 1;
    struct span_id id;
    (void)put_u64(id.byte, number);
    return id;
}
