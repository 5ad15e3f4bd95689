/*
 * rig: an OTLP sink with its worker's side, for tests.
 *
 * The clock stands still but for waits: the sink's hook moves it on by each wait, so that
 * backoff takes no time and the test sees how long it would have been.
 */
#ifndef SB_TEST_SINK_RIG_H
#define SB_TEST_SINK_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/ids.h"
#include "otlp_sink.h"
#include "sink/otlp.h"
#include "support/fake_clock.h"
#include "support/otlp_receiver.h"

enum { RIG_WAITS_MAX = 256, RIG_ENVELOPES = 3, RIG_ENDPOINTS_MAX = 4 };

struct rig {
    struct sink_otlp_options options; /* set before rig_start; defaults by rig_init */
    const char *endpoints[RIG_ENDPOINTS_MAX];
    bool clock_stands;                /* waits do not move the clock: they last for ever */
    void (*on_wait)(struct rig *rig); /* NULL, or called in the sink's thread at each wait */
    void *arg;                        /* the test's */
    int log_fd;                       /* what the sink logs, in memory */
    struct fake_clock clock;
    struct sink *sink;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked, oldest first */
    uint32_t wait_count;         /* locked */
    uint64_t waits_ns[RIG_WAITS_MAX];
    uint32_t next_span;
};

void rig_init(struct rig *rig, const char *endpoint);
void rig_start(struct rig *rig); /* the sink must start */
/* Stops and frees the sink; batches that were not taken are freed. */
void rig_clear(struct rig *rig);

/* A batch of `count` new spans, numbered on, round robin over RIG_ENVELOPES envelopes. */
struct sink_batch *rig_new_batch(struct rig *rig, uint32_t count);
/* Adds attributes to the last span until it has `len` bytes. */
void rig_grow_last(struct sink_batch *batch, size_t len);
/* Makes one and submits it. */
void rig_submit(struct rig *rig, uint32_t count);
/* Waits for the next batch to come back; the test frees it. */
struct sink_batch *rig_take(struct rig *rig);
/* Submits one and takes it back. */
struct sink_batch *rig_send(struct rig *rig, uint32_t count);

/* Waits until the sink has waited so often; the wait before last is waits_ns[count - 1]. */
void rig_wait_waits(struct rig *rig, uint32_t count);
uint64_t rig_wait_ns(struct rig *rig, uint32_t at);
uint32_t rig_wait_count(struct rig *rig);

/* Lines logged of that event so far. */
uint32_t rig_logged(struct rig *rig, const char *event);

/* A URL that refuses connections, for as long as the socket returned stays open. */
int rig_refuse_port(char ret_url[64]);

struct sink_counters rig_counters(struct rig *rig);
/* Spans of the batch with that outcome. */
uint32_t rig_count(const struct sink_batch *batch, enum sink_outcome outcome);
struct span_id rig_span_id(uint32_t number);
uint32_t rig_span_number(struct span_id id);

#endif
