/*
 * observe: what one worker counts while the service only looks (run --observe).
 *
 * Private to the worker room.  Traces are planned as in a real run; then, in place of emit, they
 * come here: their hops are counted, and their spans are released.
 */
#ifndef SB_WORKER_OBSERVE_PRIVATE_H
#define SB_WORKER_OBSERVE_PRIVATE_H

#include "core/table.h"
#include "state.h"
#include "worker/observe.h"

/* One table of rows; the first row takes what finds no room. */
struct observe_table {
    struct worker_observed_row *rows;
    uint32_t count;
    struct table by_id;
};

/* Beside each span of the trace that is being counted. */
struct observe_hop {
    const struct hop_side *side; /* NULL: none */
    /* Of the message that the span stands for: */
    const struct evidence_item *evidence; /* what is acted on */
    const struct hop_side *coordinate;    /* the side that names its place */
};

struct observe {
    struct worker_observed_counts counts;
    struct worker_observed_topic *topics;
    struct observe_table tables[WORKER_BY_COUNT];
    uint64_t traces;  /* tells them apart */
    uint64_t unnamed; /* the hash of an empty destination */
    uint64_t seed;
    struct otlp_keys *keys; /* service.name alone */
    struct repair_hop *hops;
    struct observe_hop *notes;
    uint32_t room; /* of these two */
};

/* observe.c.  SB_ERR_MEMORY. */
enum sb_err observe_new(const struct worker *worker, struct observe **ret) SB_MUST_USE;
void observe_free(struct observe *observe);

/* A lane of spans opens: what began before that is not seen whole. */
void observe_open_lane(struct worker *worker);
/* All spans of a planned trace are counted and released. */
void observe_plan(struct worker *worker, const struct plan *plan,
                  const struct verdict *verdict);
/* A span whose trace had its verdict before. */
void observe_late(struct worker *worker, const struct arrival *arrival);
/* A record of a message topic whose headers were read. */
void observe_message(struct worker *worker, uint32_t topic, bool has_context, bool malformed);
/* What another worker asks about the owner's hop facts: see look in observe.c. */
void observe_receive_look(struct worker *worker, struct bytes body);

/* observe_rows.c: the row of an id, made where there is none; of id 0 the first. */
struct worker_observed_row *observe_row(struct observe_table *table, uint64_t id);
enum sb_err observe_table_init(struct observe_table *table) SB_MUST_USE;
void observe_table_clear(struct observe_table *table);

#endif
