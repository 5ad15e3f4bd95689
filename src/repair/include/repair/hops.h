/*
 * hops: the table where the two sides of a hop meet.
 *
 * Sides are added as they are seen, in any order, under the key of their coordinate.  As
 * soon as a consumer side and evidence for its producer stand under one key, on_join is
 * called, once for every consumer side and its strongest evidence then known; a stronger
 * one later is reported again.  Entries live for ttl_ns, far longer than the window.
 *
 * Bounded by bytes_max: the oldest go first, and are counted.  One table per worker, which
 * owns the keys that hash to it.  At most 96 bytes a side.
 */
#ifndef SB_REPAIR_HOPS_H
#define SB_REPAIR_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ids.h"
#include "repair/fact.h"

enum repair_rule {
    REPAIR_RULE_SAME_TRACE,
    REPAIR_RULE_LINK,
    REPAIR_RULE_COORDINATE,
    REPAIR_RULE_HEADER_AT_COORDINATE,
    REPAIR_RULE_COUNT
};

/* "same_trace", "link", ...; and the evidence class, 'A' to 'D'. */
const char *repair_rule_text(enum repair_rule rule);
char repair_rule_class(enum repair_rule rule);

/* A context that evidence names. */
struct repair_context {
    struct trace_id trace_id;
    struct span_id span_id;
    uint8_t flags;
};

struct repair_consumer_side {
    struct trace_id trace_id;
    struct span_id span_id;
    uint32_t topic; /* the caller's number for the destination's settings; below 2^27 */
};

struct repair_producer_side {
    struct trace_id trace_id;
    struct span_id span_id;
    uint64_t end_ns;
};

/* What a record of a message topic says about its coordinate. */
struct repair_message_side {
    struct repair_context context;
    bool
        has_context; /* of several headers, the one chosen by the rules of repair.md, Headers */
    uint64_t time_ns; /* of the record; 0: unknown */
};

struct repair_join {
    enum repair_rule rule;
    struct repair_key key;
    struct repair_consumer_side consumer;
    struct repair_context producer;
    uint64_t queued_ns; /* record time, else the producer's end; 0: unknown */
};

/* Must not call back into the table. */
typedef void (*repair_join_fn)(void *arg, const struct repair_join *join);

/*
 * ambiguous: coordinates under which more than one distinct producer, or record, was named;
 * there is no join under such a key while that is remembered.  crowded: consumer sides that
 * were not taken because 64 of that coordinate are known already.
 */
#define REPAIR_HOP_COUNTERS(X) X(sides) X(joined) X(expired) X(evicted) X(ambiguous) X(crowded)

struct repair_hop_counters {
#define REPAIR_HOP_COUNTER_FIELD(name) uint64_t name;
    REPAIR_HOP_COUNTERS(REPAIR_HOP_COUNTER_FIELD)
#undef REPAIR_HOP_COUNTER_FIELD
};

struct repair_hops_options {
    uint64_t ttl_ns;
    size_t bytes_max;
    uint64_t hash_seed;
    repair_join_fn on_join;
    void *on_join_arg;
};

struct repair_hops;

enum sb_err repair_hops_new(const struct repair_hops_options *options,
                            struct repair_hops **ret) SB_MUST_USE;
void repair_hops_free(struct repair_hops *hops);

/*
 * Asks the processor for what a call with that key will look at: first this one, and some other
 * work later the second one.  Facts are spread over all of the memory that they may use, so a
 * call that nobody announced waits for it twice.
 */
void repair_hops_prefetch(const struct repair_hops *hops, struct repair_key key);
void repair_hops_prefetch_side(const struct repair_hops *hops, struct repair_key key);

/*
 * SB_ERR_MEMORY: the side is not remembered (counted by the caller); all else still works.
 * A side that is known already is not taken twice, and keeps its age.
 */
enum sb_err repair_hops_add_consumer(struct repair_hops *hops, struct repair_key key,
                                     const struct repair_consumer_side *consumer,
                                     uint64_t now_ns) SB_MUST_USE;
enum sb_err repair_hops_add_producer(struct repair_hops *hops, struct repair_key key,
                                     const struct repair_producer_side *producer,
                                     uint64_t now_ns) SB_MUST_USE;
enum sb_err repair_hops_add_message(struct repair_hops *hops, struct repair_key key,
                                    const struct repair_message_side *message,
                                    uint64_t now_ns) SB_MUST_USE;

/* What is known under a key about the producer of its message. */
enum repair_sight {
    REPAIR_SIGHT_NOTHING,   /* neither a producer's span nor a record came */
    REPAIR_SIGHT_BARE,      /* the record came, without a context */
    REPAIR_SIGHT_AMBIGUOUS, /* more than one is named */
    REPAIR_SIGHT_CLEAR      /* one is */
};
/* *ret: the producer, if it is clear. */
enum repair_sight repair_hops_look(const struct repair_hops *hops, struct repair_key key,
                                   struct repair_context *ret);

/*
 * The consumer's span has gone, and may come again: its joins are reported anew then.  The
 * evidence stays, as it stays true.
 */
void repair_hops_withdraw_consumer(struct repair_hops *hops, struct repair_key key,
                                   const struct repair_consumer_side *consumer);

/* Forgets what is older than ttl_ns, `budget` entries at most. */
void repair_hops_expire(struct repair_hops *hops, uint64_t now_ns, uint32_t budget);

size_t repair_hops_bytes(const struct repair_hops *hops);
const struct repair_hop_counters *repair_hops_counters(const struct repair_hops *hops);

#endif
