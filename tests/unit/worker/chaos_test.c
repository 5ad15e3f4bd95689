/*
 * chaos: thousands of small random steps with a seed, and what must hold whatever happens.
 *
 * A step pushes a record, turns a worker, lets time pass, answers a batch or a letter, fills a
 * sink, or takes a partition away and gives it back.  At rest the accounting closes, no
 * watermark has passed a span that is held, and each trace has left as one, or not at all.
 */
#include <stdlib.h>

#include "core/memory.h"
#include "rig.h"
#include "support/test.h"

enum {
    CONVERSATIONS = 60,
    TRACES_MAX = CONVERSATIONS * 4,
    SPANS_MAX = TRACES_MAX * 8,
    MESSAGES_MAX = TRACES_MAX,
    RECORDS_MAX = 2 * SPANS_MAX
};

struct message {
    uint32_t topic;
    int64_t offset;
    struct span_context context;
};

/* A record that was pushed, to be pushed again after a rebalance. */
struct stored {
    uint32_t worker;
    int64_t offset;
    uint8_t *value;
    size_t len;
};

struct chaos {
    struct rig rig;
    struct random random;
    uint64_t seed;
    bool shortages;
    struct span_spec spans[SPANS_MAX];
    uint32_t span_count;
    uint32_t span_next;
    struct message messages[MESSAGES_MAX];
    uint32_t message_count;
    uint32_t message_next;
    struct stored stored[RECORDS_MAX];
    uint32_t stored_count;
    struct trace_id traces[TRACES_MAX];
    uint32_t trace_count;
    int64_t next_message[RIG_TOPICS];
    uint64_t next_id;
};

static uint64_t below(struct chaos *chaos, uint64_t bound)
{
    return random_below(&chaos->random, bound);
}

static bool chance(struct chaos *chaos, unsigned percent)
{
    return random_chance(&chaos->random, percent);
}

static struct span_spec *new_span(struct chaos *chaos, struct trace_id trace, uint64_t parent)
{
    assert_true(chaos->span_count < SPANS_MAX);
    struct span_spec *spec = &chaos->spans[chaos->span_count++];
    uint64_t start_ms = below(chaos, 50);
    *spec = (struct span_spec){
        .trace = trace,
        .id = chaos->next_id++,
        .parent = parent,
        .service = below(chaos, 2) ? "one" : "two",
        .kind = OTLP_KIND_INTERNAL,
        .start_ms = start_ms,
        .end_ms = start_ms + below(chaos, 50),
        .error = chance(chaos, 8),
        .padding = chaos->seed % 3 == 0 ? below(chaos, 20000) : below(chaos, 50),
    };
    return spec;
}

/* How the next trace of a conversation is known to belong to this one. */
enum join_by { BY_NOTHING, BY_LINK, BY_COORDINATE, BY_HEADER, JOINS };

struct join {
    enum join_by by;
    uint32_t topic;
    int64_t offset;
    struct span_context sender;
};

static const char *topic_name(uint32_t topic)
{
    return topic == TOPIC_ORDERS ? "orders" : "payments";
}

static void receive(struct span_spec *spec, const struct join *join)
{
    spec->kind = OTLP_KIND_CONSUMER;
    spec->operation = "process";
    spec->topic = topic_name(join->topic);
    spec->offset = join->offset;
    spec->placed = join->by == BY_COORDINATE || join->by == BY_HEADER;
    if (join->by == BY_LINK) {
        spec->links[0] = join->sender;
        spec->link_count = 1;
    }
}

static struct join send_on(struct chaos *chaos, struct span_spec *spec)
{
    struct join join = {.topic = chance(chaos, 50) ? TOPIC_ORDERS : TOPIC_PAYMENTS};
    join.by = (enum join_by)below(chaos, JOINS);
    join.offset = chaos->next_message[join.topic]++;
    join.sender = (struct span_context){.trace = spec->trace, .span = spec->id};
    spec->kind = OTLP_KIND_PRODUCER;
    spec->operation = "send";
    spec->topic = topic_name(join.topic);
    spec->placed = join.by == BY_COORDINATE;
    spec->offset = join.offset;
    if (join.by == BY_HEADER || chance(chaos, 30))
        chaos->messages[chaos->message_count++] = (struct message){
            .topic = join.topic, .offset = join.offset, .context = join.sender};
    return join;
}

static void make_conversation(struct chaos *chaos)
{
    uint64_t length = 1 + below(chaos, 4);
    struct join join = {.by = BY_NOTHING};
    for (uint64_t i = 0; i < length; i++) {
        struct trace_id trace;
        random_fill(&chaos->random, trace.byte, sizeof(trace.byte));
        chaos->traces[chaos->trace_count++] = trace;
        struct span_spec *root = new_span(chaos, trace, chance(chaos, 5) ? 77 : 0);
        uint64_t parent = root->id;
        root->kind = OTLP_KIND_SERVER;
        if (i > 0)
            receive(root, &join);
        for (uint64_t children = below(chaos, 4); children > 0; children--)
            parent = new_span(chaos, trace, chance(chaos, 50) ? parent : root->id)->id;
        if (chance(chaos, 15)) /* another trace is linked to, of this or that conversation */
        {
            struct span_spec *linking = new_span(chaos, trace, root->id);
            linking->links[0] = (struct span_context){
                .trace = chaos->traces[below(chaos, chaos->trace_count)], .span = 5};
            linking->link_count = 1;
        }
        join = send_on(chaos, new_span(chaos, trace, root->id));
    }
}

static void shuffle(struct chaos *chaos)
{
    for (uint32_t i = 0; i + 1 < chaos->span_count; i++) {
        /* Nearby ones, and now and then one from far behind. */
        uint32_t left = chaos->span_count - i;
        uint64_t reach = chance(chaos, 5) ? left : left < 40 ? left : 40;
        uint32_t other = i + (uint32_t)below(chaos, reach);
        struct span_spec swap = chaos->spans[i];
        chaos->spans[i] = chaos->spans[other];
        chaos->spans[other] = swap;
    }
}

static enum sink_outcome judge(void *arg, const struct out_span *span)
{
    struct chaos *chaos = arg;
    uint64_t number = span_id_number(out_id(span)) * 2654435761U + chaos->seed;
    switch (number / 7 % 50) {
    case 0:
        return SINK_REJECTED;
    case 1:
        return SINK_TOO_LARGE;
    case 2:
        return SINK_LOST;
    default:
        return SINK_EXPORTED;
    }
}

static void begin(struct chaos *chaos, uint64_t seed, bool shortages)
{
    struct rig *rig = &chaos->rig;
    memset(chaos, 0, sizeof(*chaos));
    chaos->seed = seed;
    chaos->shortages = shortages;
    chaos->next_id = 1000;
    random_init(&chaos->random, seed);
    rig_init(rig);
    rig_keep_errors(rig);
    rig->answers_letters = false;
    rig->options.worker_count = 1 + (uint32_t)(seed % 3);
    rig->options.sink_count = 2;
    rig->options.hash_seed = seed + 1;
    if (seed % 3 == 0)
        rig->options.window_bytes_max = 5 << 20;
    if (seed % 4 == 0)
        rig->options.spans_per_trace_max = 9;
    for (int i = 0; i < RIG_TOPICS; i++)
        rig->topics[i].repair.queue_span = seed % 2 == 0;
    if (seed % 3 == 1)
        rig->options.after_root_ns = 300 * NS_PER_MS;
    if (seed % 4 == 1)
        rig->options.idle_ns = 400 * NS_PER_MS;
    if (seed % 5 == 0)
        rig->options.default_repair.adopt_root = true;
    rig_start(rig);
    for (int i = 0; i < RIG_SINKS; i++)
        rig->sinks[i].answers = false;
    rig->sinks[1].judge = judge;
    rig->sinks[1].judge_arg = chaos;
    for (int i = 0; i < CONVERSATIONS; i++)
        make_conversation(chaos);
    shuffle(chaos);
}

static void store(struct chaos *chaos, uint32_t worker, int64_t offset, struct bytes value)
{
    assert_true(chaos->stored_count < RECORDS_MAX);
    struct stored *stored = &chaos->stored[chaos->stored_count++];
    *stored = (struct stored){
        .worker = worker, .offset = offset, .value = malloc(value.len + 1), .len = value.len};
    assert_non_null(stored->value);
    memcpy(stored->value, value.at, value.len);
}

/* Some of the next spans, and now and then one without a trace; or no spans at all. */
static void push_record(struct chaos *chaos)
{
    uint32_t worker = (uint32_t)below(chaos, chaos->rig.options.worker_count);
    if (chance(chaos, 3)) {
        struct bytes garbage = BYTES_LITERAL("\xff\xfe");
        store(chaos, worker, rig_push_bytes(&chaos->rig, worker, garbage), garbage);
        return;
    }
    struct span_spec specs[9];
    uint32_t count = 0;
    for (uint64_t wanted = 1 + below(chaos, 8);
         wanted > 0 && chaos->span_next < chaos->span_count; wanted--)
        specs[count++] = chaos->spans[chaos->span_next++];
    if (count > 0 && chance(chaos, 5)) /* one of the past, delivered again */
        specs[count++] = chaos->spans[below(chaos, chaos->span_next)];
    if (count == 0)
        return;
    struct text request;
    text_init(&request, 1 << 24);
    spans_write_request(&request, specs, count);
    if (chance(chaos, 5)) {
        const struct span_spec bad = {.id = 999};
        spans_write_request(&request, &bad, 1);
    }
    store(chaos, worker, rig_push_bytes(&chaos->rig, worker, text_bytes(&request)),
          text_bytes(&request));
    text_clear(&request);
    for (uint32_t i = 0; i < count; i++)
        rig_remember(&chaos->rig, &specs[i]);
}

static void push_message(struct chaos *chaos)
{
    if (chaos->message_next == chaos->message_count)
        return;
    const struct message *message = &chaos->messages[chaos->message_next++];
    char traceparent[64];
    spans_traceparent(message->context, traceparent);
    rig_push_message(&chaos->rig, message->topic, message->offset, 5, traceparent);
}

/* The partition goes and comes back: what was not committed is read again. */
static void rebalance(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    uint32_t worker = (uint32_t)below(chaos, rig->options.worker_count);
    int64_t from = rig_close_lane(rig, worker, 0, 0);
    fake_source_forget(&rig->source, worker);
    rig_open_lane(rig, worker, 0, false, TOPIC_SPANS);
    for (uint32_t i = 0; i < chaos->stored_count; i++) {
        const struct stored *stored = &chaos->stored[i];
        if (stored->worker == worker && stored->offset >= from)
            rig_push_at(rig, worker, stored->offset, bytes_of(stored->value, stored->len));
    }
}

static void turn(struct chaos *chaos)
{
    uint32_t worker = (uint32_t)below(chaos, chaos->rig.options.worker_count);
    if (chaos->shortages && chance(chaos, 5))
        memory_fail_at(1 + below(chaos, 30));
    rig_turn(&chaos->rig, worker);
    memory_fail_at(0);
}

static void step(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    struct fake_sink *sink = &rig->sinks[below(chaos, RIG_SINKS)];
    uint64_t dice = below(chaos, 1000);
    if (dice < 200)
        push_record(chaos);
    else if (dice < 260)
        push_message(chaos);
    else if (dice < 700)
        turn(chaos);
    else if (dice < 800)
        rig_advance_ms(rig, below(chaos, 120));
    else if (dice < 920)
        (void)fake_sink_answer(sink);
    else if (dice < 950)
        sink->is_full = dice < 923; /* not for long: a blocked worker naps */
    else if (dice < 980)
        rig_answer_letters(rig, SB_OK);
    else if (dice < 985)
        rig->source.letters_full = (uint32_t)below(chaos, 6);
    else if (dice < 988)
        rebalance(chaos);
}

/* The record of a span that is held is unfinished, and no watermark of its lane is beyond. */
static void check_held(struct chaos *chaos, uint32_t record)
{
    uint32_t owner = record_worker(record);
    const struct worker *reader = rig_worker(&chaos->rig, owner);
    ledger_partition partition;
    int64_t offset = ledger_record_offset(reader->ledger, record_number(record), &partition);
    const struct lane *lane = &reader->lanes.at[0];
    if (lane->open && lane->ledger == partition)
        assert_true(chaos->rig.source.published[owner][0] <= offset);
}

static void check_batch(struct chaos *chaos, const struct sink_batch *batch)
{
    const struct worker *worker = batch->owner;
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct ticket *ticket = pool_at(&worker->egress.tickets, batch->spans[i].ticket);
        if (ticket->record != RECORD_NONE)
            check_held(chaos, ticket->record);
    }
}

static void check_trace(struct chaos *chaos, const struct worker *worker, struct trace_id id)
{
    window_trace trace = window_find(worker->window, id, window_hash(worker->window, id));
    if (trace == WINDOW_NONE)
        return;
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span))
        check_held(chaos, span.record);
}

static void check_watermarks(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    for (uint32_t i = 0; i < rig->options.worker_count; i++) {
        const struct worker *worker = rig_worker(rig, i);
        for (uint32_t sink = 0; sink < RIG_SINKS; sink++)
            if (worker->egress.open[sink] != NULL)
                check_batch(chaos, worker->egress.open[sink]);
        for (uint32_t trace = 0; trace < chaos->trace_count; trace++)
            check_trace(chaos, worker, chaos->traces[trace]);
    }
    for (uint32_t sink = 0; sink < RIG_SINKS; sink++)
        for (const struct sink_batch *batch = rig->sinks[sink].first; batch != NULL;
             batch = (const struct sink_batch *)batch->item.next)
            check_batch(chaos, batch);
}

static const struct out_span *find_out(const struct chaos *chaos, struct span_id id)
{
    const struct fake_sink *sink = &chaos->rig.sinks[0];
    for (size_t i = 0; i < sink->span_count; i++)
        if (span_id_equal(out_id(&sink->spans[i]), id))
            return &sink->spans[i];
    return NULL;
}

/* All of a trace has left under one id, or nothing of it. */
static void check_trace_left_as_one(const struct chaos *chaos, struct trace_id trace)
{
    const struct out_span *first = NULL;
    uint32_t out_count = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < chaos->span_count; i++) {
        if (!trace_id_equal(chaos->spans[i].trace, trace))
            continue;
        const struct out_span *out = find_out(chaos, spans_id(chaos->spans[i].id));
        count++;
        if (out == NULL)
            continue;
        out_count++;
        if (first == NULL)
            first = out;
        assert_true(trace_id_equal(out_trace(out), out_trace(first)));
    }
    assert_true(out_count == 0 || out_count == count);
}

/* Whatever parent a span was given, the way up ends. */
static void check_no_circles(const struct chaos *chaos)
{
    const struct fake_sink *sink = &chaos->rig.sinks[0];
    for (size_t i = 0; i < sink->span_count; i++) {
        const struct out_span *at = &sink->spans[i];
        for (uint32_t steps = 0; at != NULL && out_parent(at) != 0; steps++) {
            assert_true(steps < SPANS_MAX);
            at = find_out(chaos, spans_id(out_parent(at)));
        }
    }
}

static void finish_pushing(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    while (chaos->span_next < chaos->span_count)
        push_record(chaos);
    while (chaos->message_next < chaos->message_count)
        push_message(chaos);
    rig->source.letters_full = 0;
    rig->answers_letters = true;
    for (int i = 0; i < RIG_SINKS; i++) {
        rig->sinks[i].is_full = false;
        fake_sink_answer_all(&rig->sinks[i]);
        rig->sinks[i].answers = true;
    }
    for (int i = 0; i < 3; i++)
        rig_wait(rig);
}

static void end(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    finish_pushing(chaos);
    if (chaos->shortages) {
        /* What was stranded for lack of memory is held for good, and counted as such. */
        assert_int_equal(rig_balance(rig), 0);
        check_watermarks(chaos);
    } else {
        rig_drain(rig);
        for (uint32_t i = 0; i < chaos->trace_count; i++)
            check_trace_left_as_one(chaos, chaos->traces[i]);
        check_no_circles(chaos);
    }
    for (uint32_t i = 0; i < chaos->stored_count; i++)
        free(chaos->stored[i].value);
}

struct totals {
    uint64_t merged;
    uint64_t linked;
    uint64_t pressure;
    uint64_t late;
    uint64_t rejected;
    uint64_t kept;
    uint64_t dropped;
    uint64_t returned;
};

static void run(uint64_t seed, bool shortages, struct totals *totals)
{
    enum { STEPS = 2500, CHECK_EVERY = 25 };
    static struct chaos chaos;
    begin(&chaos, seed, shortages);
    for (int i = 0; i < STEPS; i++) {
        step(&chaos);
        if (i % CHECK_EVERY == 0)
            check_watermarks(&chaos);
    }
    end(&chaos);
    struct worker_counters counters = rig_counters(&chaos.rig);
    for (int rule = REPAIR_RULE_LINK; rule < REPAIR_RULE_COUNT; rule++) {
        totals->merged += counters.repairs[rule][WORKER_REPAIRED_PARENT];
        totals->linked += counters.repairs[rule][WORKER_REPAIRED_LINK];
    }
    totals->pressure += counters.pressure_decisions;
    totals->late += counters.late_spans;
    totals->rejected += counters.dead_spans[WORKER_REASON_REFUSED];
    totals->kept += counters.traces_kept;
    totals->dropped += counters.traces_dropped;
    totals->returned += counters.returned;
    rig_clear(&chaos.rig);
}

static void test_nothing_is_lost_and_all_is_accounted_for(void **state)
{
    (void)state;
    struct totals totals = {0};
    for (uint64_t seed = 1; seed <= 12; seed++)
        run(seed, false, &totals);
    /* Or the run would show nothing. */
    assert_true(totals.merged > 100 && totals.linked > 20 && totals.pressure > 10);
    assert_true(totals.late > 100 && totals.rejected > 20);
    assert_true(totals.kept > 100 && totals.dropped > 100 && totals.returned > 100);
}

static void test_memory_shortage_leaves_records_unfinished_at_worst(void **state)
{
    (void)state;
    struct totals totals = {0};
    for (uint64_t seed = 101; seed <= 106; seed++)
        run(seed, true, &totals);
    assert_true(totals.merged > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_and_all_is_accounted_for),
        cmocka_unit_test(test_memory_shortage_leaves_records_unfinished_at_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
