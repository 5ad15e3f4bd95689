/*
 * hops: the traces on both sides of one message, as the tests of the span path push them.
 *
 * Producer: a server span `id` and below it a send span `id + 1`, from 10 to 20 ms.
 * Consumer: a process span `id` from 40 ms, and below it a client span `id + 1`.
 */
#ifndef SB_TEST_WORKER_HOPS_H
#define SB_TEST_WORKER_HOPS_H

#include "rig.h"

enum { HOP_SEND_END_MS = 20, HOP_RECORD_MS = 15, HOP_PROCESS_MS = 40 };

/* What tells that the two sides belong together. */
enum hop_evidence {
    HOP_BY_LINK,
    HOP_BY_COORDINATE,
    HOP_BY_HEADER /* a message record at the coordinate carries the producer's context */
};

struct hop {
    enum hop_evidence evidence;
    const char *topic; /* NULL: orders */
    int64_t offset;
    struct trace_id producer;
    uint64_t producer_id;
    struct trace_id consumer;
    uint64_t consumer_id;
    bool producer_fails; /* its root has an error */
    bool consumer_fails;
};

void hop_push_producer(struct rig *rig, uint32_t worker, const struct hop *hop);
void hop_push_consumer(struct rig *rig, uint32_t worker, const struct hop *hop);
void hop_push_message(struct rig *rig, const struct hop *hop);
/* All of it, in that order, read by these workers. */
void hop_push_at(struct rig *rig, uint32_t producer_reader, uint32_t consumer_reader,
                 const struct hop *hop);
/* The same, read by worker 0. */
void hop_push(struct rig *rig, const struct hop *hop);

/* A hop of traces 1 and 2 that are at home there: spans 100 and 101, 200 and 201. */
struct hop hop_between(const struct rig *rig, enum hop_evidence evidence,
                       uint32_t producer_home, uint32_t consumer_home);
/* The same, both at home at worker 0. */
struct hop hop_default(const struct rig *rig, enum hop_evidence evidence);

/* One of many, at home all over the workers, with evidence of each kind in turn. */
struct hop hop_numbered(const struct rig *rig, uint32_t number);

/*
 * The second hop of a chain: the consumer of the first, spans 200 and 201, sends 203 on to
 * payments, where trace 3 takes it in: spans 300 and 301.
 */
struct hop hop_onward(const struct rig *rig, const struct hop *first);
/* That send span, read by worker 0. */
void hop_push_send_onward(struct rig *rig, const struct hop *onward);

/* The process span alone, for the test to change. */
struct span_spec hop_consumer(const struct hop *hop);

struct span_context hop_sender(const struct hop *hop);

/* Did the consumer's trace go under the producer's id, or did it stay what it was? */
void hop_expect_merged(struct rig *rig, const struct hop *hop);
void hop_expect_apart(struct rig *rig, const struct hop *hop);
/* The link that the bridge gave the consumer; NULL: none. */
const Spanbridge__Oracle__Span__Link *hop_added_link(struct rig *rig, const struct hop *hop);

#endif
