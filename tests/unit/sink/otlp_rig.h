/*
 * otlp_rig: an OTLP sink with its worker's side, for tests.
 *
 * The clock stands still but for waits: the sink's hook moves it on by each wait, so that
 * backoff takes no time and the test sees how long it would have been.
 */
#ifndef SB_TEST_SINK_OTLP_RIG_H
#define SB_TEST_SINK_OTLP_RIG_H

#include <stdbool.h>

#include "otlp_sink.h"
#include "rig.h"
#include "sink/otlp.h"
#include "support/fake_clock.h"
#include "support/otlp_receiver.h"

enum { OTLP_RIG_WAITS_MAX = 256, OTLP_RIG_ENDPOINTS_MAX = 4 };

struct otlp_rig {
    struct rig base;                  /* first */
    struct sink_otlp_options options; /* set before otlp_rig_start; defaults by _init */
    const char *endpoints[OTLP_RIG_ENDPOINTS_MAX];
    bool clock_stands; /* waits do not move the clock: they last for ever */
    void (*on_wait)(
        struct otlp_rig *rig); /* NULL, or called in the sink's thread at each wait */
    void *arg;                 /* the test's */
    struct fake_clock clock;

    /* Under the base's lock. */
    uint32_t wait_count;
    uint64_t waits_ns[OTLP_RIG_WAITS_MAX];
};

void otlp_rig_init(struct otlp_rig *rig, const char *endpoint);
void otlp_rig_start(struct otlp_rig *rig); /* the sink must start */
void otlp_rig_clear(struct otlp_rig *rig); /* as rig_clear */

/* Submits a batch of `count` new spans of one trace. */
void otlp_rig_submit(struct otlp_rig *rig, uint32_t count);
/* Submits one and takes it back; the test frees it. */
struct sink_batch *otlp_rig_send(struct otlp_rig *rig, uint32_t count);

/* Waits until the sink has waited so often; the wait before last is waits_ns[count - 1]. */
void otlp_rig_wait_waits(struct otlp_rig *rig, uint32_t count);
uint64_t otlp_rig_wait_ns(struct otlp_rig *rig, uint32_t at);
uint32_t otlp_rig_wait_count(struct otlp_rig *rig);

/* A URL that refuses connections, for as long as the socket returned stays open. */
int otlp_rig_refuse_port(char ret_url[64]);

#endif
