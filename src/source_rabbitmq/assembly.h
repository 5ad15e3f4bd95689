/*
 * assembly: a delivery put together from its frames, in one block of memory.
 *
 * The block grows with what comes, never by what was announced.  A body beyond the cap is
 * thrown away while it is read, and the delivery says so.
 */
#ifndef SB_SOURCE_RABBITMQ_ASSEMBLY_H
#define SB_SOURCE_RABBITMQ_ASSEMBLY_H

#include "amqp/link.h"
#include "source/record.h"

struct lane;

/* Where a piece of the block lies; at is 0: no value. */
struct piece {
    uint32_t at;
    uint32_t len;
};

struct delivery_header {
    struct piece name;
    struct piece value;
};

/* One block: this, the headers' table, the texts, the body. */
struct delivery {
    struct delivery *next; /* the feed's, while it is held */
    struct lane *lane;
    uint64_t tag;
    int64_t offset; /* the record's: the tag, or the stream's */
    int64_t time_ms;
    bool has_time;
    bool has_offset; /* it came from a stream */
    bool redelivered;
    enum record_flaw flaw;
    int64_t returns; /* how often it has come back, where the broker counts */
    uint32_t header_count;
    struct piece key;
    uint32_t body_at;
    size_t body_len;
    size_t bytes; /* of the block */
};

static inline struct bytes delivery_piece(const struct delivery *delivery, struct piece piece)
{
    return bytes_of(piece.at == 0 ? NULL : (const uint8_t *)delivery + piece.at, piece.len);
}

static inline struct bytes delivery_body(const struct delivery *delivery)
{
    return bytes_of((const uint8_t *)delivery + delivery->body_at, delivery->body_len);
}

/* The header number `index`. */
struct record_header delivery_header(const struct delivery *delivery, uint32_t index);

enum assembly_stage { ASSEMBLY_IDLE, ASSEMBLY_HEADER, ASSEMBLY_BODY };

struct assembly {
    enum assembly_stage stage;
    size_t body_max;
    bool firehose;
    bool stream; /* else the offsets that publishers write in headers are no offsets */
    uint64_t tag;
    bool redelivered;
    uint8_t key_len;
    uint8_t key[AMQP_SHORT_TEXT_MAX];
    struct delivery *block; /* NULL before the header */
    size_t room;
    uint64_t left; /* of the body, as announced */
};

/* A message begins.  SB_ERR_INPUT: in the middle of another. */
enum sb_err assembly_begin(struct assembly *assembly,
                           const struct amqp_event *event) SB_MUST_USE;

/*
 * Its header, or a part of its body.  Once whole it is in *ret, and the caller's; NULL before.
 * SB_ERR_INPUT: out of order, or more body than announced.  SB_ERR_MEMORY.
 */
enum sb_err assembly_add(struct assembly *assembly, const struct amqp_event *event,
                         struct delivery **ret) SB_MUST_USE;

/* Drops what is there. */
void assembly_clear(struct assembly *assembly);

#endif
