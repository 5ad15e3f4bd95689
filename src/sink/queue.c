#include "core/clock.h"
#include "otlp_sink.h"

/* When a batch could not even be looked at for lack of memory. */
#define MEMORY_WAIT_NS (100 * NS_PER_MS)

uint64_t otlp_sink_now_ns(const struct otlp_sink *sink)
{
    return clock_monotonic_ns(sink->options.clock);
}

void otlp_sink_note_wait(struct otlp_sink *sink, uint64_t wait_ns)
{
    if (sink->hooks.on_wait != NULL && wait_ns > 0)
        sink->hooks.on_wait(sink->hooks.arg, wait_ns);
}

void otlp_sink_close(struct otlp_sink *sink, uint64_t wait_ns)
{
    uint64_t until_ns = otlp_sink_now_ns(sink) + wait_ns;
    if (until_ns > sink->closed_until_ns)
        sink->closed_until_ns = until_ns;
    otlp_sink_note_wait(sink, wait_ns);
}

static void arm(struct otlp_sink *sink, uint64_t at_ns)
{
    uint64_t now_ns = otlp_sink_now_ns(sink);
    uint64_t wait_us = at_ns > now_ns ? (at_ns - now_ns + 999) / 1000 : 0;
    struct timeval wait = {
        .tv_sec = (time_t)(wait_us / 1000000),
        .tv_usec = (suseconds_t)(wait_us % 1000000),
    };
    (void)event_add(sink->wait_event, &wait);
}

/* Gives an idle lane the oldest batch.  False: none, or no memory for it. */
static bool feed(struct otlp_sink *sink, struct lane *lane, enum sb_err *ret_err)
{
    if (sink->inlet.first == NULL)
        return false;
    *ret_err = lane_load(lane, sink->inlet.first);
    if (*ret_err != SB_OK)
        return false;
    (void)inlet_take_first(&sink->inlet);
    return true;
}

/* Starts what the lane can start now; when it wants to be looked at again, or UINT64_MAX. */
static uint64_t run_lane(struct otlp_sink *sink, struct lane *lane, uint64_t now_ns)
{
    for (;;) {
        enum sb_err err = SB_OK;
        if (lane->state == LANE_IDLE && !feed(sink, lane, &err))
            return err == SB_OK ? UINT64_MAX : now_ns + MEMORY_WAIT_NS;
        if (lane->state == LANE_SENDING)
            return UINT64_MAX;
        if (lane->due_ns > now_ns)
            return lane->due_ns;
        lane_start(lane);
    }
}

/* After anything that may let a request start. */
static void run_lanes(struct otlp_sink *sink)
{
    uint64_t now_ns = otlp_sink_now_ns(sink);
    if (inlet_is_stopping(&sink->inlet))
        return;
    if (sink->closed_until_ns > now_ns) {
        arm(sink, sink->closed_until_ns);
        return;
    }
    if (sink->closed_until_ns > 0 && sink->refusals > 0)
        (void)headers_read_again(&sink->headers);
    sink->closed_until_ns = 0;
    uint64_t due_ns = UINT64_MAX;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++) {
        uint64_t lane_ns = run_lane(sink, &sink->lanes[i], now_ns);
        due_ns = lane_ns < due_ns ? lane_ns : due_ns;
    }
    if (due_ns != UINT64_MAX)
        arm(sink, due_ns);
}

void queue_on_transfer_done(void *arg, struct transfer *transfer, CURLcode code)
{
    struct otlp_sink *sink = arg;
    lane_on_done(transfer->owner, code);
    run_lanes(sink);
}

void queue_on_wait_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run_lanes(arg);
}

void queue_on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct otlp_sink *sink = arg;
    (void)fd;
    (void)what;
    inlet_clear_wake(&sink->inlet);
    if (inlet_is_stopping(&sink->inlet)) {
        (void)event_base_loopbreak(sink->loop.base);
        return;
    }
    inlet_take_in(&sink->inlet);
    run_lanes(sink);
}

void queue_run(struct inlet *inlet)
{
    struct otlp_sink *sink = (struct otlp_sink *)inlet;
    (void)event_base_loop(sink->loop.base, EVLOOP_NO_EXIT_ON_EMPTY);
}
