/*
 * rig: workers without threads and without a broker, stepped by hand.
 *
 * Time stands still but for rig_advance_ms.  Every span that is pushed is remembered, and
 * every one that comes out is checked against it: see rig_clear.
 */
#ifndef SB_TEST_WORKER_RIG_H
#define SB_TEST_WORKER_RIG_H

#include "fake_sink.h"
#include "fake_source.h"
#include "spans.h"
#include "state.h"
#include "support/fake_clock.h"
#include "support/random.h"

enum { RIG_SINKS = 2, RIG_POLICIES = 4, RIG_TOPICS = 4, RIG_PARTITIONS = 4 };

/* Topics of the rig: their index is the topic file's, and the partition of `orders` is 0. */
enum { TOPIC_SPANS, TOPIC_ORDERS, TOPIC_PAYMENTS, TOPIC_SPANS_JSON };

#define RIG_WAIT_MS   1000
#define RIG_HOLD_MS   10000
#define RIG_LINGER_MS 10

struct rig {
    /* For the test to change before rig_start. */
    struct worker_options options;
    struct worker_topic topics[RIG_TOPICS];
    struct decide_policy policies[RIG_POLICIES];
    uint32_t policy_count;
    const char *tenant_key; /* resource attribute; NULL: none */

    struct fake_clock clock;
    struct fake_source source;
    struct fake_sink sinks[RIG_SINKS];
    struct sink *sink_list[RIG_SINKS];
    struct worker_batching batching[RIG_SINKS];
    struct otlp_keys *keys;
    struct decide *decide;
    struct worker_group *group;
    bool answers_letters; /* with SB_OK, when it steps */
    bool lanes_gone;      /* lanes that close: their records are not at the broker any more */
    int64_t next_offset[FAKE_WORKERS];
    struct span_spec *spans; /* that were pushed */
    size_t span_count;
    size_t span_room;
};

/* One worker, one sink that answers at once, one policy that keeps all. */
void rig_init(struct rig *rig);
/* Replaces the policy: traces with an error are kept, no others. */
void rig_keep_errors(struct rig *rig);
void rig_start(struct rig *rig);

/*
 * Frees all.  Fails the test where a span that came out can not be traced back to the one
 * that was pushed: see out_check_undo.
 */
void rig_clear(struct rig *rig);

struct worker *rig_worker(struct rig *rig, uint32_t number);

/* An id whose trace belongs to that worker; `number` tells such ids apart. */
struct trace_id rig_trace(const struct rig *rig, uint32_t worker, uint32_t number);

/* A record of these spans for that worker; its offset. */
int64_t rig_push(struct rig *rig, uint32_t worker, const struct span_spec *specs, size_t count);
int64_t rig_push_bytes(struct rig *rig, uint32_t worker, struct bytes value);
/* Spans that were pushed as bytes: those that come out are compared with them. */
void rig_remember(struct rig *rig, const struct span_spec *spec);
/* The same at an offset of the past, as after a rebalance. */
void rig_push_at(struct rig *rig, uint32_t worker, int64_t offset, struct bytes value);
/* A message record in partition 0 of a message topic, read by worker 0. */
void rig_push_message(struct rig *rig, uint32_t topic, int64_t offset, uint64_t time_ms,
                      const char *traceparent);

/* One turn of one worker, or turns of all until none has anything left to do. */
void rig_turn(struct rig *rig, uint32_t worker);
void rig_settle(struct rig *rig);
void rig_advance_ms(struct rig *rig, uint64_t ms);
/* Moves on past the window's wait, and lets everything out that is decided then. */
void rig_wait(struct rig *rig);
/* Ends the run as --drain does, and checks that every record is finished and nothing is lost. */
void rig_drain(struct rig *rig);

/* Takes a lane away from its worker, or gives it one; the command is handled in its next turn. */
void rig_open_lane(struct rig *rig, uint32_t worker, uint32_t lane, bool tap, uint32_t topic);
/* Waits so long for sinks, while they answer; the watermark published last, or -1. */
int64_t rig_close_lane(struct rig *rig, uint32_t worker, uint32_t lane, uint64_t budget_ns);

struct worker_counters rig_counters(struct rig *rig);
/* What was read less all that it has become. */
int64_t rig_balance(struct rig *rig);
void rig_answer_letters(struct rig *rig, enum sb_err result);

/* The one span with that id that came out of sink 0; a failed test when there is none. */
const struct out_span *rig_out(struct rig *rig, uint64_t id);
/* How often it came out. */
uint32_t rig_count_out(const struct rig *rig, uint64_t id);
/* The spans of the bridge's own making that came out of sink 0: *ret, or NULL; how many. */
uint32_t rig_synthetic(const struct rig *rig, const struct out_span **ret);

#endif
