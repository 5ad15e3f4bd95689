/*
 * otlp_sink: the inside of an OTLP sink, as its parts see it: otlp.c opens and closes it,
 * queue.c runs its thread (lanes that work, backoff), and lane.c brings
 * one batch at a time to its end.
 *
 * Everything here belongs to the sink's thread but for what says otherwise.
 */
#ifndef SB_SINK_OTLP_SINK_H
#define SB_SINK_OTLP_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "core/retry.h"
#include "encoder.h"
#include "headers.h"
#include "inlet.h"
#include "loop.h"
#include "request.h"
#include "sink/otlp.h"
#include "transfer.h"

/* What a lane does now. */
enum lane_state {
    LANE_IDLE,    /* has no batch */
    LANE_WAITING, /* has one to send, at due_ns at the earliest */
    LANE_SENDING
};

/* One of the requests in flight, and the batch that it belongs to until that is done. */
struct lane {
    struct otlp_sink *sink;
    enum lane_state state;
    struct request request;
    struct transfer transfer;
    struct curl_slist *headers;
    uint64_t headers_generation; /* 0: none yet */
    uint64_t due_ns;             /* monotonic */
    uint32_t endpoint;           /* that the request went to */
    uint32_t failures;           /* in a row, of the request on top */
    bool encoded;                /* the request's body is that of its top range */
    bool resent;                 /* after an answer that left its fate unknown */
};

/* For tests: told, in the sink's thread, of each wait before it begins; may move the clock. */
struct otlp_sink_hooks {
    void (*on_wait)(void *arg, uint64_t wait_ns);
    void *arg;
};

struct otlp_sink {
    struct inlet inlet; /* first */
    struct sink_otlp_options options;
    struct otlp_sink_hooks hooks;

    char **urls;       /* one per endpoint */
    uint32_t endpoint; /* that requests go to now */
    struct headers headers;
    struct encoder encoder;
    struct retry retry;
    struct loop loop;
    struct event *wake_event;
    struct event *wait_event;
    struct lane *lanes;       /* in_flight_max of them */
    uint64_t closed_until_ns; /* monotonic: no request starts before; 0: open */
    uint32_t refusals;        /* of our credentials, in a row */
    uint64_t last_message;    /* hash of the last partial success's message that was logged */
};

/* As sink_otlp_new, with hooks. */
enum sb_err otlp_sink_new(const struct sink_otlp_options *options,
                          const struct otlp_sink_hooks *hooks, struct sink **ret) SB_MUST_USE;

/* queue.c, for lane.c. */
uint64_t otlp_sink_now_ns(const struct otlp_sink *sink);
/* No request of any lane starts for `wait_ns`. */
void otlp_sink_close(struct otlp_sink *sink, uint64_t wait_ns);
/* Tells the hook. */
void otlp_sink_note_wait(struct otlp_sink *sink, uint64_t wait_ns);

/* queue.c, for otlp.c: the thread, and what its events call; `arg` is the sink. */
void queue_run(struct inlet *inlet);
void queue_on_transfer_done(void *arg, struct transfer *transfer, CURLcode code);
void queue_on_wait_over(evutil_socket_t fd, short what, void *arg);
void queue_on_wake(evutil_socket_t fd, short what, void *arg);

/* SB_ERR_MEMORY, SB_ERR_CONFIG.  Clear it even after a failure. */
enum sb_err lane_init(struct lane *lane, struct otlp_sink *sink) SB_MUST_USE;
void lane_clear(struct lane *lane); /* idle */

/* Takes a batch; SB_ERR_MEMORY leaves it to be tried later. */
enum sb_err lane_load(struct lane *lane, struct sink_batch *batch) SB_MUST_USE;
/* WAITING and due: encodes and sends; or waits again, when memory is short. */
void lane_start(struct lane *lane);
/* Its transfer ended. */
void lane_on_done(struct lane *lane, CURLcode code);
/* Breaks off what runs and gives the batch back, undecided spans as SINK_PENDING. */
void lane_abort(struct lane *lane);

#endif
