/*
 * gather: brings the two sides of a hop, and then their two traces, into one window.
 *
 * Sides go to the worker that owns their key, where they meet (repair/hops.h).  Traces that
 * a join is to make one are gathered at one worker: it asks their homes for them, and from
 * then on these send on whatever comes.  One direction, one place: no two workers can ever
 * wait for each other, and no circle can form between them.
 */
#include "core/hash.h"
#include "state.h"

struct forwarded_message {
    struct trace_id trace_id;
    bool keep;
    uint16_t policy;
};

static void send(struct worker *worker, uint32_t to, enum message_type type, const void *body,
                 size_t len)
{
    if (exchange_send(&worker->exchange, to, type, bytes_of(body, len), (struct bytes){0}) !=
        SB_OK)
        worker->counters.hops_forgotten++;
}

uint32_t gather_owner_of_key(const struct worker *worker, struct repair_key key)
{
    return (uint32_t)(key.word[1] % worker->options->worker_count);
}

static void send_hop(struct worker *worker, const struct gather_hop *message)
{
    send(worker, gather_owner_of_key(worker, message->key), MESSAGE_HOP, message,
         sizeof(*message));
}

void gather_add_side(struct worker *worker, struct trace_id trace_id,
                     const struct hop_side *side, const struct repair_context *link)
{
    struct repair_consumer_side consumer = {
        .trace_id = trace_id, .span_id = side->span_id, .topic = side->settings};
    if (side->has_link) {
        struct repair_join join = {
            .rule = REPAIR_RULE_LINK,
            .key = {.word = {span_id_number(link->span_id), span_id_number(side->span_id)}},
            .consumer = consumer,
            .producer = *link,
        };
        send(worker, GATHERING_WORKER, MESSAGE_JOIN, &join, sizeof(join));
    }
    if (!side->has_key)
        return;
    struct gather_hop message = {.key = side->key};
    if (side->consumer) {
        message.kind = GATHER_CONSUMER;
        message.consumer = consumer;
    } else {
        message.kind = GATHER_PRODUCER;
        message.producer = (struct repair_producer_side){
            .trace_id = trace_id, .span_id = side->span_id, .end_ns = side->end_ns};
    }
    send_hop(worker, &message);
}

void gather_withdraw_side(struct worker *worker, struct trace_id trace_id,
                          const struct hop_side *side)
{
    if (!side->consumer || !side->has_key)
        return; /* links are told anew by themselves, and what was sent stays sent */
    const struct repair_consumer_side consumer = {
        .trace_id = trace_id, .span_id = side->span_id, .topic = side->settings};
    const struct worker *owner =
        &worker->group->workers[gather_owner_of_key(worker, side->key)];
    repair_hops_withdraw_consumer(owner->hops, side->key, &consumer);
}

void gather_add_message(struct worker *worker, struct repair_key key,
                        const struct repair_message_side *side)
{
    struct gather_hop message = {.kind = GATHER_MESSAGE, .key = key, .message = *side};
    send_hop(worker, &message);
}

static void take_hop(struct worker *worker, const struct gather_hop *message)
{
    enum sb_err err = SB_OK;
    switch (message->kind) {
    case GATHER_CONSUMER:
        err = repair_hops_add_consumer(worker->hops, message->key, &message->consumer,
                                       worker->now_ns);
        break;
    case GATHER_PRODUCER:
        err = repair_hops_add_producer(worker->hops, message->key, &message->producer,
                                       worker->now_ns);
        break;
    case GATHER_MESSAGE:
        err = repair_hops_add_message(worker->hops, message->key, &message->message,
                                      worker->now_ns);
        break;
    }
    if (err != SB_OK)
        worker->counters.hops_forgotten++;
}

void gather_on_join(void *arg, const struct repair_join *join)
{
    send(arg, GATHERING_WORKER, MESSAGE_JOIN, join, sizeof(*join));
}

static bool is_home(const struct worker *worker, uint64_t hash)
{
    return worker_of_hash(worker, hash) == worker->number;
}

/*
 * The trace, which `known` says to be in the gathering worker's window; fetched from its home
 * where it has one elsewhere.  A join may overtake the spans it speaks of, so a trace that is not
 * there is opened, and stays a stand-in until they come.  WINDOW_NONE: memory is short.
 */
static window_trace gather_trace(struct worker *worker, struct trace_id id, uint64_t hash,
                                 window_trace known)
{
    window_trace trace = known;
    if (trace == WINDOW_NONE) {
        if (window_open(worker->window, id, hash, worker->now_ns, &trace) != SB_OK)
            return WINDOW_NONE;
        decide_facts_init(&traces_state(&worker->traces, trace)->facts);
    }
    struct trace_extra *extra = traces_need_extra(&worker->traces, trace);
    if (extra == NULL)
        return WINDOW_NONE;
    if (!is_home(worker, hash) && !extra->pulled) {
        extra->pulled = true;
        send(worker, worker_of_hash(worker, hash), MESSAGE_PULL, &id, sizeof(id));
    }
    return trace;
}

/*
 * Puts the consumer's trace under the producer's, or notes why not.  Open traces have no verdict
 * yet, and are likely in the cache: they are looked up before verdicts, here and below.
 */
static void attach(struct worker *worker, window_trace consumer, struct evidence_item *item,
                   uint64_t producer_hash)
{
    struct trace_id id = item->join.producer.trace_id;
    struct decide_verdict decided;
    item->target = id;
    window_trace known = window_find(worker->window, id, producer_hash);
    if (known != WINDOW_NONE) {
        traces_explain_producer(&worker->traces, known, item->join.producer.span_id);
    } else if (decide_memory_get(worker->verdicts, id, &decided) &&
               !verdict_is_forward(decided)) {
        item->decided = true;
        item->decided_keep = decided.keep;
        item->decided_policy = decided.policy;
        aliases_get(&worker->aliases, id, &item->target);
        return;
    }
    struct evidence_item *before = traces_attachment(&worker->traces, consumer);
    if (before != NULL && before->join.rule <= item->join.rule)
        return; /* which one acts is settled at the verdict */
    window_trace producer = gather_trace(worker, id, producer_hash, known);
    if (producer == WINDOW_NONE) {
        worker->counters.hops_forgotten++;
        item->cycle = true;
        return;
    }
    if (producer == consumer || traces_is_below(&worker->traces, producer, consumer)) {
        item->cycle = true;
        return;
    }
    if (before != NULL) { /* by weaker evidence: a header, say, that was only forwarded */
        traces_detach(&worker->traces, consumer);
        before->attaches = false;
    }
    traces_attach(&worker->traces, producer, consumer);
    window_suspend(worker->window, consumer);
    item->attaches = true;
}

static void take_join(struct worker *worker, const struct gather_join *waiting)
{
    const struct repair_join *join = &waiting->join;
    struct trace_id id = join->consumer.trace_id;
    struct decide_verdict decided;
    window_trace known = window_find(worker->window, id, waiting->consumer_hash);
    if (known == WINDOW_NONE && decide_memory_get(worker->verdicts, id, &decided)) {
        worker->counters.late_joins++;
        return;
    }
    window_trace consumer = gather_trace(worker, id, waiting->consumer_hash, known);
    if (consumer == WINDOW_NONE) {
        worker->counters.hops_forgotten++;
        return;
    }
    struct evidence_item *item;
    uint16_t settings = (uint16_t)join->consumer.topic;
    if (traces_add_evidence(&worker->traces, consumer, join, settings, &item) != SB_OK) {
        worker->counters.hops_forgotten++;
        return;
    }
    if (item == NULL)
        return; /* known already */
    if (repair_mode_merges(destinations_repair(&worker->destinations, settings)->mode))
        attach(worker, consumer, item, waiting->producer_hash);
}

/* What was announced when it came in line, is looked for when it has come half of the way. */
enum { HALF_WAY = GATHER_LINE / 2 };

static void take_first_hop(struct worker *worker)
{
    struct gather_lines *lines = &worker->lines;
    take_hop(worker, &lines->hops[lines->first_hop++ % GATHER_LINE]);
}

static void line_up_hop(struct worker *worker, struct bytes body)
{
    struct gather_lines *lines = &worker->lines;
    if (lines->next_hop - lines->first_hop == GATHER_LINE)
        take_first_hop(worker);
    struct gather_hop *hop = &lines->hops[lines->next_hop++ % GATHER_LINE];
    memcpy(hop, body.at, sizeof(*hop));
    repair_hops_prefetch(worker->hops, hop->key);
    if (lines->next_hop - lines->first_hop > HALF_WAY)
        repair_hops_prefetch_side(
            worker->hops, lines->hops[(lines->next_hop - 1 - HALF_WAY) % GATHER_LINE].key);
}

static void take_first_join(struct worker *worker)
{
    struct gather_lines *lines = &worker->lines;
    take_join(worker, &lines->joins[lines->first_join++ % GATHER_LINE]);
}

static void line_up_join(struct worker *worker, struct bytes body)
{
    struct gather_lines *lines = &worker->lines;
    if (lines->next_join - lines->first_join == GATHER_LINE)
        take_first_join(worker);
    struct gather_join *waiting = &lines->joins[lines->next_join % GATHER_LINE];
    memcpy(&waiting->join, body.at, sizeof(waiting->join));
    if (trace_id_equal(waiting->join.consumer.trace_id, waiting->join.producer.trace_id))
        return; /* nothing is broken here */
    lines->next_join++;
    waiting->consumer_hash = window_hash(worker->window, waiting->join.consumer.trace_id);
    waiting->producer_hash = window_hash(worker->window, waiting->join.producer.trace_id);
    window_prefetch(worker->window, waiting->consumer_hash);
    window_prefetch(worker->window, waiting->producer_hash);
    if (lines->next_join - lines->first_join <= HALF_WAY)
        return;
    waiting = &lines->joins[(lines->next_join - 1 - HALF_WAY) % GATHER_LINE];
    window_prefetch_trace(worker->window, waiting->consumer_hash);
    window_prefetch_trace(worker->window, waiting->producer_hash);
}

bool gather_flush(struct worker *worker)
{
    struct gather_lines *lines = &worker->lines;
    bool any = lines->first_hop != lines->next_hop || lines->first_join != lines->next_join;
    while (lines->first_hop != lines->next_hop)
        take_first_hop(worker);
    while (lines->first_join != lines->next_join)
        take_first_join(worker);
    return any;
}

/* At the home of a trace: its spans go to the gathering worker, now and from now on. */
static void receive_pull(struct worker *worker, struct trace_id id)
{
    uint64_t hash = window_hash(worker->window, id);
    window_trace trace = window_find(worker->window, id, hash);
    struct decide_verdict decided;
    if (trace != WINDOW_NONE) {
        if (traces_state(&worker->traces, trace)->phase == TRACE_OPEN)
            arrival_send_trace(worker, GATHERING_WORKER, trace);
    } else if (decide_memory_get(worker->verdicts, id, &decided)) {
        if (!verdict_is_forward(decided)) {
            struct forwarded_message message = {
                .trace_id = id, .keep = decided.keep, .policy = decided.policy};
            send(worker, GATHERING_WORKER, MESSAGE_FORWARDED, &message, sizeof(message));
        }
        return;
    } else if (window_open(worker->window, id, hash, worker->now_ns, &trace) != SB_OK) {
        worker->counters.hops_forgotten++;
        return;
    }
    traces_state(&worker->traces, trace)->phase = TRACE_FORWARDED;
}

/* The gathering worker asked too late: the trace has its verdict at home. */
static void receive_forwarded(struct worker *worker, const struct forwarded_message *message)
{
    uint64_t hash = window_hash(worker->window, message->trace_id);
    window_trace trace = window_find(worker->window, message->trace_id, hash);
    struct trace_extra *extra =
        trace == WINDOW_NONE ? NULL : traces_extra(&worker->traces, trace);
    if (extra == NULL)
        return;
    extra->decided = true;
    extra->decided_keep = message->keep;
    extra->decided_policy = message->policy;
    worker->counters.late_joins += extra->first_evidence != POOL_NONE;
}

void gather_receive(struct worker *worker, enum message_type type, struct bytes body)
{
    /* Bodies are not aligned in the ring: each is copied out first. */
    if (type == MESSAGE_HOP) {
        line_up_hop(worker, body);
    } else if (type == MESSAGE_JOIN) {
        line_up_join(worker, body);
    } else if (type == MESSAGE_PULL) {
        receive_pull(worker, trace_id_load(body.at));
    } else {
        struct forwarded_message message;
        memcpy(&message, body.at, sizeof(message));
        receive_forwarded(worker, &message);
    }
}
