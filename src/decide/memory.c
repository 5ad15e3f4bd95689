#include "decide/memory.h"

#include <string.h>

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"

/*
 * Ids stand in a ring, oldest first: 16 bytes, and one for the verdict.  A table of 32-bit
 * references finds them: 1.5 slots an id, in buckets of one cache line.  An id lies in one
 * of two buckets, so a lookup reads two lines of the table and, where a tag is equal, one
 * of the ring.  In all 23 bytes an id.
 *
 * A reference is the id's place in the ring plus 1, and above it as many bits of the hash
 * as are left.  An id whose buckets are both full pushes out the older of their oldest ids:
 * with buckets two thirds full on average, that happens less than once in 10^9 ids.
 */
enum { BUCKET_SLOTS = 16, LINE = 64, ID_BYTES = 17, NO_SLOT = -1 };

/* 32 slots for about 21 ids: below that nothing is remembered. */
enum { IDS_MIN = 21 };

struct bucket {
    uint32_t slot[BUCKET_SLOTS]; /* 0: empty; the filled ones stand in front */
};

_Static_assert(sizeof(struct bucket) == LINE, "a bucket is one cache line");

struct decide_memory {
    uint64_t hash_seed;
    struct trace_id *ids; /* ring */
    uint8_t *codes;       /* their verdicts, see encode */
    struct bucket *buckets;
    void *table;  /* holds the buckets, aligned within */
    void *places; /* holds the ids, then the codes */
    uint32_t bucket_count;
    uint32_t room;   /* ids */
    uint32_t next;   /* place of the next id in the ring */
    uint32_t filled; /* places that were ever used */
    uint32_t known;  /* ids that can be found */
    uint32_t place_bits;
};

struct place {
    struct bucket *bucket[2];
    uint32_t tag; /* shifted to its bits of a slot */
};

/* A verdict as one byte; 0 drop, then 1 keep, both by no policy; then pairs by policy. */
static uint8_t encode(struct decide_verdict verdict)
{
    unsigned keep = verdict.keep ? 1U : 0U;
    if (verdict.policy == DECIDE_NO_POLICY)
        return (uint8_t)keep;
    SB_ASSERT(verdict.policy < DECIDE_POLICIES_MAX);
    return (uint8_t)(2U + 2U * verdict.policy + keep);
}

static struct decide_verdict decode(uint8_t code)
{
    uint16_t policy = DECIDE_NO_POLICY;
    if (code >= 2)
        policy = (uint16_t)((code - 2) / 2);
    return (struct decide_verdict){.keep = (code & 1U) != 0, .policy = policy};
}

/* Buckets for `ids` ids: 1.5 slots for each. */
static size_t buckets_for(size_t ids)
{
    return (ids * 3 / 2 + BUCKET_SLOTS - 1) / BUCKET_SLOTS;
}

static size_t bytes_for(size_t ids)
{
    return LINE + buckets_for(ids) * sizeof(struct bucket) + ids * ID_BYTES;
}

/* How many ids fit in `bytes`, the memory's own struct included. */
static uint32_t room_for(size_t bytes)
{
    const size_t most = INT32_MAX; /* its places leave a slot one bit of hash at least */
    if (bytes < sizeof(struct decide_memory) + bytes_for(IDS_MIN))
        return 0;
    bytes -= sizeof(struct decide_memory);
    size_t ids = bytes / (ID_BYTES + 6);
    if (ids > most)
        ids = most;
    while (bytes_for(ids) > bytes)
        ids--;
    return (uint32_t)ids;
}

/*
 * The table is used all over from the first id on, so its pages are there from the start.
 * The ring is filled from its front: pages that no id has used cost nothing.
 */
static enum sb_err allocate(struct decide_memory *memory)
{
    memory->bucket_count = (uint32_t)buckets_for(memory->room);
    size_t table_bytes = memory->bucket_count * sizeof(struct bucket);
    memory->table = memory_alloc_pages(LINE + table_bytes);
    memory->places = memory_zalloc(memory->room, ID_BYTES);
    if (memory->table == NULL || memory->places == NULL) {
        memory_free(memory->table);
        memory_free(memory->places);
        return SB_ERR_MEMORY;
    }
    size_t misaligned = (uintptr_t)memory->table % LINE;
    uint8_t *aligned = (uint8_t *)memory->table + (misaligned == 0 ? 0 : LINE - misaligned);
    memory->buckets = memset(aligned, 0, table_bytes);
    memory->ids = memory->places;
    memory->codes = (uint8_t *)memory->places + (size_t)memory->room * TRACE_ID_LEN;
    while (memory->room >> memory->place_bits != 0)
        memory->place_bits++;
    return SB_OK;
}

enum sb_err decide_memory_new(size_t bytes_max, uint64_t hash_seed, struct decide_memory **ret)
{
    struct decide_memory *memory = memory_zalloc(1, sizeof(*memory));
    if (memory == NULL)
        return SB_ERR_MEMORY;
    memory->hash_seed = hash_seed;
    memory->room = room_for(bytes_max);
    if (memory->room != 0 && allocate(memory) != SB_OK) {
        memory_free(memory);
        return SB_ERR_MEMORY;
    }
    *ret = memory;
    return SB_OK;
}

void decide_memory_free(struct decide_memory *memory)
{
    if (memory == NULL)
        return;
    memory_free(memory->table);
    memory_free(memory->places);
    memory_free(memory);
}

static struct place find_place(const struct decide_memory *memory, struct trace_id id)
{
    uint64_t hash = hash_trace_id(id, memory->hash_seed);
    uint64_t first = (hash & UINT32_MAX) * memory->bucket_count >> 32;
    uint64_t second = (hash >> 32) * memory->bucket_count >> 32;
    if (second == first)
        second = first + 1 == memory->bucket_count ? 0 : first + 1;
    /* The upper bits of the halves chose the buckets; the lower ones still tell ids apart. */
    uint32_t tag = (uint32_t)(hash ^ hash >> 32) << memory->place_bits;
    return (struct place){.bucket = {&memory->buckets[first], &memory->buckets[second]},
                          .tag = tag};
}

static uint32_t index_of(const struct decide_memory *memory, uint32_t slot)
{
    return (slot & ((UINT32_C(1) << memory->place_bits) - 1)) - 1;
}

/* The slot of `id` in the bucket, or NO_SLOT. */
static int find_in(const struct decide_memory *memory, const struct bucket *bucket,
                   uint32_t tag, struct trace_id id)
{
    for (int i = 0; i < BUCKET_SLOTS && bucket->slot[i] != 0; i++) {
        uint32_t slot = bucket->slot[i];
        if ((slot ^ tag) >> memory->place_bits == 0 &&
            trace_id_equal(memory->ids[index_of(memory, slot)], id))
            return i;
    }
    return NO_SLOT;
}

/* The index of `id` in the ring, or UINT32_MAX. */
static uint32_t find_id(const struct decide_memory *memory, struct trace_id id)
{
    struct place place = find_place(memory, id);
    for (int i = 0; i < 2; i++) {
        int slot = find_in(memory, place.bucket[i], place.tag, id);
        if (slot != NO_SLOT)
            return index_of(memory, place.bucket[i]->slot[slot]);
    }
    return UINT32_MAX;
}

static uint32_t count_filled(const struct bucket *bucket)
{
    uint32_t filled = 0;
    while (filled < BUCKET_SLOTS && bucket->slot[filled] != 0)
        filled++;
    return filled;
}

static void clear_slot(struct bucket *bucket, int slot)
{
    uint32_t last = count_filled(bucket) - 1;
    bucket->slot[slot] = bucket->slot[last];
    bucket->slot[last] = 0;
}

/* Makes the id at `index` unfindable, unless it was pushed out before. */
static void forget(struct decide_memory *memory, uint32_t index)
{
    struct place place = find_place(memory, memory->ids[index]);
    for (int i = 0; i < 2; i++) {
        for (int slot = 0; slot < BUCKET_SLOTS; slot++) {
            if (place.bucket[i]->slot[slot] == (place.tag | (index + 1))) {
                clear_slot(place.bucket[i], slot);
                memory->known--;
                return;
            }
        }
    }
}

/* Makes room in the bucket by forgetting its oldest id. */
static void push_out(struct decide_memory *memory, struct bucket *bucket)
{
    int oldest = 0;
    uint32_t greatest_age = 0;
    for (int i = 0; i < BUCKET_SLOTS; i++) {
        uint32_t index = index_of(memory, bucket->slot[i]);
        uint32_t age =
            index < memory->next ? memory->next - index : memory->next + memory->room - index;
        if (age > greatest_age) {
            greatest_age = age;
            oldest = i;
        }
    }
    clear_slot(bucket, oldest);
    memory->known--;
}

void decide_memory_put(struct decide_memory *memory, struct trace_id id,
                       struct decide_verdict verdict)
{
    if (memory->room == 0)
        return;
    uint32_t index = find_id(memory, id);
    if (index != UINT32_MAX) {
        memory->codes[index] = encode(verdict);
        return;
    }
    index = memory->next;
    if (memory->filled == memory->room)
        forget(memory, index);
    else
        memory->filled++;
    memory->next = index + 1 == memory->room ? 0 : index + 1;

    struct place place = find_place(memory, id);
    uint32_t filled[2] = {count_filled(place.bucket[0]), count_filled(place.bucket[1])};
    int emptier = filled[1] < filled[0] ? 1 : 0;
    if (filled[emptier] == BUCKET_SLOTS) {
        push_out(memory, place.bucket[emptier]);
        filled[emptier]--;
    }
    place.bucket[emptier]->slot[filled[emptier]] = place.tag | (index + 1);
    memory->ids[index] = id;
    memory->codes[index] = encode(verdict);
    memory->known++;
}

bool decide_memory_get(const struct decide_memory *memory, struct trace_id id,
                       struct decide_verdict *ret)
{
    if (memory->room == 0)
        return false;
    uint32_t index = find_id(memory, id);
    if (index == UINT32_MAX)
        return false;
    *ret = decode(memory->codes[index]);
    return true;
}

void decide_memory_prefetch(const struct decide_memory *memory, struct trace_id id)
{
    if (memory->room == 0)
        return;
    struct place place = find_place(memory, id);
    __builtin_prefetch(place.bucket[0]);
    __builtin_prefetch(place.bucket[1]);
}

size_t decide_memory_bytes(const struct decide_memory *memory)
{
    return sizeof(*memory) + (memory->room == 0 ? 0 : bytes_for(memory->room));
}

uint64_t decide_memory_count(const struct decide_memory *memory)
{
    return memory->known;
}
