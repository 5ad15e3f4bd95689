/*
 * gather: what waits for memory before it is handled.
 *
 * The facts about hops, and the traces that they join, are spread over all of a worker's memory:
 * whoever looks one up without notice waits several times for 100 ns.  So messages about them
 * stand in a line for a while, during which the processor is asked for what they will touch, one
 * step after the other.  Order within a line is kept; a line is empty between turns.
 */
#ifndef SB_WORKER_GATHER_H
#define SB_WORKER_GATHER_H

#include "repair/hops.h"

enum gather_kind { GATHER_CONSUMER, GATHER_PRODUCER, GATHER_MESSAGE };

/* One side of a hop, for the worker that owns its key. */
struct gather_hop {
    enum gather_kind kind;
    struct repair_key key;
    union {
        struct repair_consumer_side consumer;
        struct repair_producer_side producer;
        struct repair_message_side message;
    };
};

struct gather_join {
    struct repair_join join;
    uint64_t consumer_hash; /* of the ids of its traces, for the window */
    uint64_t producer_hash;
};

enum { GATHER_LINE = 16 };

struct gather_lines {
    struct gather_hop hops[GATHER_LINE]; /* rings: entry n stands at n % GATHER_LINE */
    uint32_t first_hop;
    uint32_t next_hop;
    struct gather_join joins[GATHER_LINE];
    uint32_t first_join;
    uint32_t next_join;
};

#endif
