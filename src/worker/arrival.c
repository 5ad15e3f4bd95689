/*
 * arrival: a span reaches the worker that owns its trace.
 *
 * The count of the record that the span came in travels with it: from the record's ledger
 * into the window, then to a ticket, and back to the ledger when the span is finished.
 */
#include "observe.h"

#include "core/hash.h"
#include "core/memory.h"

/* What stands before each span in a message; then its side if it has one, then its bytes. */
struct wire_span {
    struct trace_id trace_id;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t matches;
    uint32_t raw_len;
    uint32_t record;
    uint32_t flags;
    uint8_t status;
    bool has_side;
    bool is_root;
};

struct wire_head {
    uint32_t resource_len;
    uint32_t scope_len;
    uint32_t span_count;
};

/* A trace that was decided before: its late span follows. */
static void take_late(struct worker *worker, const struct arrival *arrival,
                      struct decide_verdict decided)
{
    if (verdict_is_forward(decided)) {
        arrival_send(worker, GATHERING_WORKER, arrival);
        return;
    }
    worker->counters.late_spans++;
    if (worker->observe != NULL) {
        observe_late(worker, arrival);
        return;
    }
    if (verdict_leaves(worker, decided)) {
        struct verdict verdict = {.decided = decided, .reason = "late"};
        emit_late(worker, arrival, &verdict);
        return;
    }
    worker->counters.dropped_no_policy++;
    worker_release(worker, arrival->record, 1);
}

/*
 * Room for one more.  While decided spans wait for sinks no verdict makes any; nor can what is
 * here be sent back, so it is taken in beyond the budget: never more than others had sent
 * before, and one record, as intake is blocked.
 */
static void make_room(struct worker *worker, enum sb_err err)
{
    if (err == SB_ERR_FULL && !egress_has_room(&worker->egress))
        window_overdraw(worker->window, true);
    else
        verdict_make_room(worker);
}

static window_trace open_trace(struct worker *worker, const struct arrival *arrival)
{
    window_trace trace = WINDOW_NONE;
    enum sb_err err;
    while ((err = window_open(worker->window, arrival->trace_id, arrival->hash, worker->now_ns,
                              &trace)) != SB_OK)
        make_room(worker, err);
    decide_facts_init(&traces_state(&worker->traces, trace)->facts);
    return trace;
}

static void append(struct worker *worker, window_trace trace, const struct arrival *arrival)
{
    struct trace_state *state = traces_state(&worker->traces, trace);
    const struct otlp_span features = {
        .raw = arrival->raw,
        .start_ns = arrival->start_ns,
        .end_ns = arrival->end_ns,
        .flags = arrival->flags,
        .status = arrival->status,
    };
    decide_facts_add_span(&state->facts, &features, arrival->matches);
    envelopes_hold(&worker->envelopes, arrival->envelope);
    if (state->tenant == 0)
        state->tenant = envelopes_at(&worker->envelopes, arrival->envelope)->tenant;
    window_touch(worker->window, trace, worker->now_ns);
    if (arrival->is_root)
        window_root_seen(worker->window, trace, worker->now_ns);
    if (arrival->side != NULL &&
        traces_add_side(&worker->traces, trace, arrival->side) != SB_OK)
        worker->counters.hops_forgotten++;
    if (window_is_over_caps(worker->window, trace))
        verdict_close(worker, trace, "cap");
}

/* False: the way of the span has to be looked up again, as a verdict made room for it. */
static bool try_take(struct worker *worker, const struct arrival *arrival)
{
    window_trace trace = window_find(worker->window, arrival->trace_id, arrival->hash);
    if (trace == WINDOW_NONE) {
        struct decide_verdict decided;
        if (decide_memory_get(worker->verdicts, arrival->trace_id, &decided)) {
            take_late(worker, arrival, decided);
            return true;
        }
        trace = open_trace(worker, arrival);
    }
    if (traces_state(&worker->traces, trace)->phase == TRACE_FORWARDED) {
        arrival_send(worker, GATHERING_WORKER, arrival);
        return true;
    }
    const struct window_span span = {
        .raw = arrival->raw, .envelope = arrival->envelope, .record = arrival->record};
    enum sb_err err = window_append(worker->window, trace, &span);
    if (err == SB_OK)
        append(worker, trace, arrival);
    else
        make_room(worker, err);
    return err == SB_OK;
}

void arrival_prefetch(const struct worker *worker, struct trace_id id, uint64_t hash)
{
    if (!window_prefetch_trace(worker->window, hash))
        decide_memory_prefetch(worker->verdicts, id);
}

void arrival_take(struct worker *worker, const struct arrival *arrival)
{
    while (!try_take(worker, arrival))
        continue;
    window_overdraw(worker->window, false);
}

static void write_span(uint8_t *at, const struct arrival *arrival)
{
    struct wire_span head = {
        .trace_id = arrival->trace_id,
        .start_ns = arrival->start_ns,
        .end_ns = arrival->end_ns,
        .matches = arrival->matches,
        .raw_len = (uint32_t)arrival->raw.len,
        .record = arrival->record,
        .flags = arrival->flags,
        .status = arrival->status,
        .has_side = arrival->side != NULL,
        .is_root = arrival->is_root,
    };
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    if (arrival->side != NULL) {
        memcpy(at, arrival->side, sizeof(*arrival->side));
        at += sizeof(*arrival->side);
    }
    memcpy(at, arrival->raw.at, arrival->raw.len);
}

static size_t wire_len(const struct arrival *arrival)
{
    return sizeof(struct wire_span) + (arrival->side != NULL ? sizeof(struct hop_side) : 0) +
           arrival->raw.len;
}

/*
 * For lack of memory these spans go nowhere: their records stay unfinished, and are read again
 * after a restart.
 */
static void strand(struct worker *worker, const char *event, uint32_t spans)
{
    worker->stranded_spans += spans;
    log_event(worker->options->log, LOG_ERROR, "worker", event, LOG_NUMBER("spans", spans));
}

/* Too long for a ring: the message travels in memory of its own, which the reader frees. */
static enum sb_err send_boxed(struct worker *worker, uint32_t to, struct bytes body,
                              struct bytes more)
{
    size_t len = body.len + more.len;
    uint8_t *box = memory_alloc(sizeof(len) + len);
    if (box == NULL)
        return SB_ERR_MEMORY;
    memcpy(box, &len, sizeof(len));
    memcpy(box + sizeof(len), body.at, body.len);
    memcpy(box + sizeof(len) + body.len, more.at, more.len);
    enum sb_err err = exchange_send(&worker->exchange, to, MESSAGE_BOXED,
                                    bytes_of(&box, sizeof(box)), (struct bytes){0});
    if (err != SB_OK)
        memory_free(box);
    return err;
}

static void flush_to(struct worker *worker, uint32_t to)
{
    struct outgoing *outgoing = &worker->outgoing[to];
    if (outgoing->count == 0)
        return;
    const struct otlp_envelope *view =
        &envelopes_at(&worker->envelopes, outgoing->envelope)->view;
    struct wire_head head = {
        .resource_len = (uint32_t)view->resource_fields.len,
        .scope_len = (uint32_t)view->scope_fields.len,
        .span_count = outgoing->count,
    };
    uint8_t *front =
        text_grow(&outgoing->front, sizeof(head) + head.resource_len + head.scope_len);
    enum sb_err err = front == NULL ? SB_ERR_MEMORY : SB_OK;
    if (err == SB_OK) {
        memcpy(front, &head, sizeof(head));
        memcpy(front + sizeof(head), view->resource_fields.at, head.resource_len);
        memcpy(front + sizeof(head) + head.resource_len, view->scope_fields.at, head.scope_len);
        struct bytes body = text_bytes(&outgoing->front);
        struct bytes more = text_bytes(&outgoing->spans);
        err = body.len + more.len <= exchange_body_max(&worker->exchange)
                  ? exchange_send(&worker->exchange, to, MESSAGE_SPANS, body, more)
                  : send_boxed(worker, to, body, more);
    }
    if (err == SB_OK)
        worker->counters.spans_handed_over += outgoing->count;
    else
        strand(worker, "spans_not_sent", outgoing->count);
    text_reset(&outgoing->front);
    text_reset(&outgoing->spans);
    outgoing->count = 0;
}

void arrival_flush(struct worker *worker)
{
    for (uint32_t to = 0; to < worker->options->worker_count; to++)
        flush_to(worker, to);
}

void arrival_send(struct worker *worker, uint32_t to, const struct arrival *arrival)
{
    struct outgoing *outgoing = &worker->outgoing[to];
    size_t len = wire_len(arrival);
    if (outgoing->count > 0 &&
        (outgoing->envelope != arrival->envelope ||
         outgoing->spans.len + len > exchange_body_max(&worker->exchange) / 2))
        flush_to(worker, to);
    uint8_t *at = text_grow(&outgoing->spans, len);
    outgoing->spans.error = SB_OK; /* the next one may find memory */
    if (at == NULL) {
        strand(worker, "spans_not_sent", 1);
        return;
    }
    write_span(at, arrival);
    outgoing->envelope = arrival->envelope;
    outgoing->count++;
}

void arrival_send_trace(struct worker *worker, uint32_t to, window_trace trace)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        struct arrival arrival = {
            .trace_id = window_trace_id(worker->window, trace),
            .start_ns = scanned.start_ns,
            .end_ns = scanned.end_ns,
            /* The bits of single spans are not kept: the trace's stand for all of them. */
            .matches = traces_state(&worker->traces, trace)->facts.matches,
            .raw = span.raw,
            .side = traces_find_side(&worker->traces, trace, span_id_load(scanned.span_id)),
            .envelope = span.envelope,
            .record = span.record,
            .flags = scanned.flags,
            .status = scanned.status,
            .is_root = scanned.parent_id == NULL,
        };
        arrival_send(worker, to, &arrival);
    }
    arrival_flush(worker); /* before the envelopes lose their references */
    walk = window_walk_start(worker->window, trace);
    while (window_walk_next(worker->window, trace, &walk, &span))
        envelopes_release(&worker->envelopes, span.envelope);
    window_drop_spans(worker->window, trace);
    traces_free_extra(&worker->traces, trace);
    decide_facts_init(&traces_state(&worker->traces, trace)->facts);
}

/* A span in a message, before it is taken. */
struct incoming {
    struct hop_side side;
    struct arrival arrival;
};

static void open_span(const struct worker *worker, struct bytes *rest, uint32_t envelope,
                      struct incoming *ret)
{
    struct wire_span head;
    memcpy(&head, rest->at, sizeof(head));
    const uint8_t *at = rest->at + sizeof(head);
    if (head.has_side) {
        memcpy(&ret->side, at, sizeof(ret->side));
        at += sizeof(ret->side);
    }
    ret->arrival = (struct arrival){
        .trace_id = head.trace_id,
        .hash = window_hash(worker->window, head.trace_id),
        .start_ns = head.start_ns,
        .end_ns = head.end_ns,
        .matches = head.matches,
        .raw = bytes_of(at, head.raw_len),
        .side = head.has_side ? &ret->side : NULL,
        .envelope = envelope,
        .record = head.record,
        .flags = head.flags,
        .status = head.status,
        .is_root = head.is_root,
    };
    at += head.raw_len;
    *rest = bytes_of(at, rest->len - (size_t)(at - rest->at));
}

/* Takes spans in, so many at a time that what they look up comes from memory side by side. */
static void receive_spans(struct worker *worker, struct bytes rest, uint32_t count,
                          uint32_t envelope)
{
    enum { TOGETHER = 16 };
    struct incoming incoming[TOGETHER];
    while (count > 0) {
        uint32_t here = count < TOGETHER ? count : TOGETHER;
        for (uint32_t i = 0; i < here; i++) {
            open_span(worker, &rest, envelope, &incoming[i]);
            window_prefetch(worker->window, incoming[i].arrival.hash);
        }
        for (uint32_t i = 0; i < here; i++)
            arrival_prefetch(worker, incoming[i].arrival.trace_id, incoming[i].arrival.hash);
        for (uint32_t i = 0; i < here; i++)
            arrival_take(worker, &incoming[i].arrival);
        count -= here;
    }
}

void arrival_receive(struct worker *worker, struct bytes message)
{
    struct wire_head head;
    memcpy(&head, message.at, sizeof(head));
    worker->counters.spans_taken_over += head.span_count;
    const uint8_t *at = message.at + sizeof(head);
    struct otlp_envelope content = {
        .resource_fields = bytes_of(at, head.resource_len),
        .scope_fields = bytes_of(at + head.resource_len, head.scope_len),
    };
    at += head.resource_len + head.scope_len;
    uint32_t envelope;
    if (envelopes_intern(&worker->envelopes, &content, &envelope) != SB_OK) {
        strand(worker, "spans_not_taken", head.span_count);
        return;
    }
    /* Hold it: what the spans cause may sweep what nobody refers to. */
    envelopes_hold(&worker->envelopes, envelope);
    struct bytes rest = bytes_of(at, message.len - (size_t)(at - message.at));
    receive_spans(worker, rest, head.span_count, envelope);
    envelopes_release(&worker->envelopes, envelope);
    arrival_flush(worker); /* spans that only pass through */
}

/* A box is its length, then the message. */
static uint8_t *open_box(struct bytes body, struct bytes *ret_message)
{
    uint8_t *box;
    size_t len;
    memcpy(&box, body.at, sizeof(box));
    memcpy(&len, box, sizeof(len));
    *ret_message = bytes_of(box + sizeof(len), len);
    return box;
}

void arrival_receive_boxed(struct worker *worker, struct bytes body)
{
    struct bytes message;
    uint8_t *box = open_box(body, &message);
    arrival_receive(worker, message);
    memory_free(box); /* the one place where another thread frees: see send_boxed */
}

void arrival_discard_boxed(struct bytes body)
{
    struct bytes message;
    memory_free(open_box(body, &message));
}
