/*
 * deadlines: which trace is due, and the queues in whose order traces are walked.
 */
#include "state.h"

/*
 * Spans came after the trace was queued by idleness: it is not due yet, unless by its wait.
 * (Not moved at each span: that would cost more than looking again here.)
 */
static bool is_busy(const struct window *window, const struct trace *trace, uint64_t now_ns)
{
    return window->options.idle_ns != 0 && !trace->rooted &&
           trace->last_seen_ns + window->options.idle_ns > now_ns &&
           trace->first_seen_ns + window->options.wait_ns > now_ns;
}

window_trace window_due(struct window *window, uint64_t now_ns)
{
    for (int kind = 0; kind < QUEUE_TIMED; kind++) {
        uint32_t oldest = window->queues[kind].oldest;
        while (oldest != POOL_NONE && trace_at(window, oldest)->due_ns <= now_ns) {
            if (!is_busy(window, trace_at(window, oldest), now_ns))
                return oldest;
            window_hold(window, oldest, now_ns);
            oldest = window->queues[kind].oldest;
        }
    }
    return WINDOW_NONE;
}

window_trace window_oldest(const struct window *window)
{
    for (int kind = QUEUE_TIMED - 1; kind >= 0; kind--) {
        if (window->queues[kind].oldest != POOL_NONE)
            return window->queues[kind].oldest;
    }
    return WINDOW_NONE;
}

static void requeue(struct window *window, window_trace number, enum queue_kind kind,
                    uint64_t due_ns)
{
    queue_take_out(window, number);
    trace_at(window, number)->due_ns = due_ns;
    queue_push(window, number, kind);
}

void window_hold(struct window *window, window_trace number, uint64_t now_ns)
{
    requeue(window, number, QUEUE_HELD, now_ns + window->options.hold_retry_ns);
}

void window_root_seen(struct window *window, window_trace number, uint64_t now_ns)
{
    struct trace *trace = trace_at(window, number);
    uint64_t after_ns = window->options.after_root_ns;
    if (after_ns == 0 || (trace->queue != QUEUE_WAITING && trace->queue != QUEUE_IDLE) ||
        now_ns + after_ns >= trace->first_seen_ns + window->options.wait_ns)
        return;
    trace->rooted = true;
    requeue(window, number, QUEUE_ROOTED, now_ns + after_ns);
}

void window_touch(struct window *window, window_trace number, uint64_t now_ns)
{
    struct trace *trace = trace_at(window, number);
    uint64_t idle_ns = window->options.idle_ns;
    if (idle_ns == 0)
        return;
    trace->last_seen_ns = now_ns;
    if (trace->queue == QUEUE_WAITING && now_ns + idle_ns < trace->due_ns)
        requeue(window, number, QUEUE_IDLE, now_ns + idle_ns);
}

enum window_deadline window_deadline(const struct window *window, window_trace number,
                                     uint64_t now_ns)
{
    const struct trace *trace = trace_at(window, number);
    if (trace->first_seen_ns + window->options.wait_ns <= now_ns)
        return WINDOW_WAIT;
    return trace->rooted ? WINDOW_AFTER_ROOT : WINDOW_IDLE;
}

void window_suspend(struct window *window, window_trace number)
{
    requeue(window, number, QUEUE_SUSPENDED, UINT64_MAX);
}

/* The oldest trace of the first queue from `kind` on that has one. */
static window_trace first_from(const struct window *window, int kind)
{
    for (; kind < QUEUE_COUNT; kind++) {
        if (window->queues[kind].oldest != POOL_NONE)
            return window->queues[kind].oldest;
    }
    return WINDOW_NONE;
}

window_trace window_any(const struct window *window)
{
    return first_from(window, QUEUE_WAITING);
}

window_trace window_newer(const struct window *window, window_trace number)
{
    uint32_t newer = trace_at(window, number)->newer;
    return newer == POOL_NONE ? WINDOW_NONE : newer;
}

window_trace window_next(const struct window *window, window_trace number)
{
    const struct trace *trace = trace_at(window, number);
    return trace->newer != POOL_NONE ? trace->newer : first_from(window, trace->queue + 1);
}
