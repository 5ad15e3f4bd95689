#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

enum { SETTLE_TURNS = 100000, REST_TURNS = 3 };

static const char *const topic_names[RIG_TOPICS] = {"spans", "orders", "payments", "json"};

static void on_batch_done(void *arg, struct sink_batch *batch)
{
    struct rig *rig = arg;
    worker_group_batch_done(rig->group, batch);
}

static void init_topics(struct rig *rig)
{
    const struct worker_repair repair = {.mode = REPAIR_AUTO,
                                         .queue_span = true,
                                         .unseen = WORKER_UNSEEN_MERGE,
                                         .links_max = 128};
    fake_source_init(&rig->source);
    for (uint32_t i = 0; i < RIG_TOPICS; i++) {
        bool messages = i == TOPIC_ORDERS || i == TOPIC_PAYMENTS;
        rig->topics[i] = (struct worker_topic){
            .name = topic_names[i],
            .pattern = topic_names[i],
            .role = messages ? WORKER_MESSAGES : WORKER_SPANS,
            .json = i == TOPIC_SPANS_JSON,
            .dead_letters = !messages,
            .context_headers = true,
            .tolerant = true,
            .repair = repair,
        };
        rig->source.topic_names[i] = topic_names[i];
        rig->source.topic_roles[i] = messages ? SOURCE_MESSAGES : SOURCE_SPANS;
    }
    rig->options.default_repair = repair;
}

void rig_init(struct rig *rig)
{
    *rig = (struct rig){.policy_count = 1, .answers_letters = true};
    fake_clock_init(&rig->clock);
    rig->policies[0] = (struct decide_policy){.name = "all", .type = DECIDE_ALWAYS_SAMPLE};
    rig->options = (struct worker_options){
        .worker_count = 1,
        .clock = &rig->clock.source,
        .topics = rig->topics,
        .topic_count = RIG_TOPICS,
        .repair_ttl_ns = 3600 * NS_PER_S,
        .limits = otlp_limits_default(),
        .headers_max = 64,
        .header_bytes_max = 65536,
        .tenant_key = OTLP_KEY_NONE,
        .sinks = rig->sink_list,
        .batching = rig->batching,
        .sink_count = 1,
        .wait_ns = RIG_WAIT_MS * NS_PER_MS,
        .hold_ns = RIG_HOLD_MS * NS_PER_MS,
        .spans_per_trace_max = 10000,
        .bytes_per_trace_max = 64 << 20,
        .window_bytes_max = 256 << 20,
        .verdict_bytes_max = 1 << 20,
        .hop_bytes_max = 1 << 20,
        .hash_seed = 1234567,
    };
    init_topics(rig);
    for (uint32_t i = 0; i < RIG_SINKS; i++) {
        fake_sink_init(&rig->sinks[i], i == 0 ? "first" : "second", on_batch_done, rig);
        rig->sinks[i].answers = true;
        rig->sink_list[i] = &rig->sinks[i].head;
        rig->batching[i] = (struct worker_batching){
            .spans_max = 512, .bytes_max = 1 << 20, .linger_ns = RIG_LINGER_MS * NS_PER_MS};
    }
}

void rig_keep_errors(struct rig *rig)
{
    rig->policies[0] = (struct decide_policy){
        .name = "errors", .type = DECIDE_STATUS_CODE, .statuses = 1U << OTLP_STATUS_ERROR};
}

struct worker *rig_worker(struct rig *rig, uint32_t number)
{
    return &rig->group->workers[number];
}

static void post_command(struct rig *rig, uint32_t worker, struct command *command)
{
    assert_int_equal(sem_init(&command->done, 0, 0), 0);
    mailbox_post(&rig_worker(rig, worker)->commands, &command->item);
    rig_turn(rig, worker);
    assert_int_equal(sem_trywait(&command->done), 0);
    sem_destroy(&command->done);
}

static struct source_lane lane_of(struct rig *rig, uint32_t worker, uint32_t lane, bool tap,
                                  uint32_t topic)
{
    return (struct source_lane){.source = &rig->source.base,
                                .coordinates = true,
                                .topic = topic,
                                .topic_name = topic_names[topic],
                                .partition = (int32_t)(tap ? 0 : worker),
                                .worker = worker,
                                .lane = lane,
                                .tap = tap};
}

void rig_open_lane(struct rig *rig, uint32_t worker, uint32_t lane, bool tap, uint32_t topic)
{
    const struct source_lane opened = lane_of(rig, worker, lane, tap, topic);
    struct command command = {.type = COMMAND_OPEN_LANE, .lanes = &opened, .lane_count = 1};
    post_command(rig, worker, &command);
}

int64_t rig_close_lane(struct rig *rig, uint32_t worker, uint32_t lane, uint64_t budget_ns)
{
    struct source_lane closed = lane_of(rig, worker, lane, false, TOPIC_SPANS);
    closed.gone = rig->lanes_gone;
    struct command command = {
        .type = COMMAND_FLUSH,
        .lanes = &closed,
        .lane_count = 1,
        .deadline_ns = clock_monotonic_ns(&rig->clock.source) + budget_ns,
    };
    for (uint32_t i = 0; i < rig->options.worker_count; i++)
        post_command(rig, i, &command);
    command.type = COMMAND_CLOSE_LANES;
    post_command(rig, GATHERING_WORKER, &command);
    /* Whoever has the partition next starts where it was left. */
    int64_t published = rig->source.published[worker][lane];
    rig->source.published[worker][lane] = -1;
    return published;
}

static void start_decide(struct rig *rig)
{
    const struct decide_options options = {.policies = rig->policies,
                                           .policy_count = rig->policy_count};
    uint32_t wrong;
    char why[DECIDE_WHY_LEN];
    assert_int_equal(otlp_keys_new(&rig->keys), SB_OK);
    assert_int_equal(decide_new(&options, rig->keys, &rig->decide, &wrong, why), SB_OK);
    for (size_t i = 0; i < repair_alias_count(); i++) {
        uint16_t id;
        assert_int_equal(otlp_keys_add(rig->keys, bytes_text(repair_alias_key(i)), &id), SB_OK);
    }
    if (rig->tenant_key != NULL)
        assert_int_equal(
            otlp_keys_add(rig->keys, bytes_text(rig->tenant_key), &rig->options.tenant_key),
            SB_OK);
    rig->options.keys = rig->keys;
    rig->options.decide = rig->decide;
}

void rig_start(struct rig *rig)
{
    start_decide(rig);
    assert_int_equal(worker_group_new(&rig->options, &rig->group), SB_OK);
    worker_group_attach(rig->group, rig->source.sources);
    for (uint32_t i = 0; i < rig->options.worker_count; i++)
        rig_open_lane(rig, i, 0, false, TOPIC_SPANS);
    rig_open_lane(rig, 0, 0, true, TOPIC_ORDERS);
    rig_open_lane(rig, 0, 1, true, TOPIC_PAYMENTS);
}

static const struct span_spec *find_pushed(const struct rig *rig, struct span_id id)
{
    for (size_t i = 0; i < rig->span_count; i++)
        if (span_id_equal(spans_id(rig->spans[i].id), id))
            return &rig->spans[i];
    return NULL;
}

static void check_undo(const struct rig *rig)
{
    for (uint32_t i = 0; i < rig->options.sink_count; i++) {
        for (size_t j = 0; j < rig->sinks[i].span_count; j++) {
            const struct out_span *out = &rig->sinks[i].spans[j];
            const struct span_spec *pushed = find_pushed(rig, out_id(out));
            assert_int_equal(out->synthetic, pushed == NULL);
            assert_int_equal(out->synthetic, out_flag(out, "spanbridge.synthetic"));
            if (pushed != NULL)
                out_check_undo(out, pushed);
        }
    }
}

void rig_clear(struct rig *rig)
{
    check_undo(rig);
    assert_int_equal(rig->source.polled, 0);
    for (uint32_t i = 0; i < RIG_SINKS; i++)
        fake_sink_give_back(&rig->sinks[i]);
    worker_group_free(rig->group);
    for (uint32_t i = 0; i < RIG_SINKS; i++)
        fake_sink_clear(&rig->sinks[i]);
    decide_free(rig->decide);
    otlp_keys_free(rig->keys);
    fake_source_clear(&rig->source);
    free(rig->spans);
}

struct trace_id rig_trace(const struct rig *rig, uint32_t worker, uint32_t number)
{
    struct trace_id id = {.byte = {0xb0, 0x0b}};
    for (uint32_t salt = 0;; salt++) {
        memcpy(id.byte + 2, &number, sizeof(number));
        memcpy(id.byte + 12, &salt, sizeof(salt));
        const struct worker *any = &rig->group->workers[0];
        if (worker_of_hash(any, window_hash(any->window, id)) == worker)
            return id;
    }
}

void rig_remember(struct rig *rig, const struct span_spec *spec)
{
    if (rig->span_count == rig->span_room) {
        rig->span_room = rig->span_room == 0 ? 256 : rig->span_room * 2;
        rig->spans = realloc(rig->spans, rig->span_room * sizeof(*rig->spans));
        assert_non_null(rig->spans);
    }
    rig->spans[rig->span_count++] = *spec;
}

void rig_push_at(struct rig *rig, uint32_t worker, int64_t offset, struct bytes value)
{
    const struct record record = {
        .topic = TOPIC_SPANS,
        .lane = 0,
        .partition = (int32_t)worker,
        .offset = offset,
        .time_ms = (int64_t)(FAKE_CLOCK_WALL_NS / NS_PER_MS),
        .time_type = RECORD_TIME_CREATE,
        .value = value,
    };
    struct fake_record *pushed = fake_source_push(&rig->source, worker, false, &record);
    fake_source_add_header(pushed, "origin", "exporter");
}

int64_t rig_push_bytes(struct rig *rig, uint32_t worker, struct bytes value)
{
    int64_t offset = rig->next_offset[worker]++;
    rig_push_at(rig, worker, offset, value);
    return offset;
}

int64_t rig_push(struct rig *rig, uint32_t worker, const struct span_spec *specs, size_t count)
{
    struct text request;
    text_init(&request, 1 << 28);
    spans_write_request(&request, specs, count);
    int64_t offset = rig_push_bytes(rig, worker, text_bytes(&request));
    text_clear(&request);
    for (size_t i = 0; i < count; i++)
        rig_remember(rig, &specs[i]);
    return offset;
}

void rig_push_message(struct rig *rig, uint32_t topic, int64_t offset, uint64_t time_ms,
                      const char *traceparent)
{
    const struct record record = {
        .topic = topic,
        .lane = topic == TOPIC_ORDERS ? 0 : 1,
        .offset = offset,
        .time_ms = (int64_t)(FAKE_CLOCK_WALL_NS / NS_PER_MS + time_ms),
        .time_type = RECORD_TIME_CREATE,
        .value = BYTES_LITERAL("an order"),
    };
    struct fake_record *pushed = fake_source_push(&rig->source, 0, true, &record);
    if (traceparent != NULL)
        fake_source_add_header(pushed, "traceparent", traceparent);
}

void rig_turn(struct rig *rig, uint32_t worker)
{
    assert_true(worker_turn(rig_worker(rig, worker)));
}

void rig_answer_letters(struct rig *rig, enum sb_err result)
{
    for (struct fake_letter *at = rig->source.letters; at != NULL; at = at->next) {
        if (!at->answered)
            worker_group_dead_letter_done(rig->group, at->ticket, result);
        at->answered = true;
    }
}

static bool is_at_rest(struct rig *rig)
{
    uint64_t sent = 0;
    uint64_t received = 0;
    for (uint32_t i = 0; i < rig->options.worker_count; i++) {
        struct worker *worker = rig_worker(rig, i);
        sent += atomic_load(&worker->exchange.sent);
        received += atomic_load(&worker->exchange.received);
        if (rig->source.spans[i].first != NULL || rig->source.taps[i].first != NULL ||
            worker->exchange.own.len > 0)
            return false;
        if (window_due(worker->window, clock_monotonic_ns(&rig->clock.source)) != WINDOW_NONE &&
            egress_has_room(&worker->egress))
            return false;
    }
    return sent == received;
}

void rig_settle(struct rig *rig)
{
    uint32_t rested = 0;
    for (int turn = 0; rested < REST_TURNS; turn++) {
        assert_true(turn < SETTLE_TURNS);
        for (uint32_t i = 0; i < rig->options.worker_count; i++)
            rig_turn(rig, i);
        if (rig->answers_letters)
            rig_answer_letters(rig, SB_OK);
        rested = is_at_rest(rig) ? rested + 1 : 0;
    }
}

void rig_advance_ms(struct rig *rig, uint64_t ms)
{
    fake_clock_advance_ms(&rig->clock, ms);
}

void rig_wait(struct rig *rig)
{
    rig_settle(rig);
    rig_advance_ms(rig, RIG_WAIT_MS + 1);
    rig_settle(rig);
    rig_advance_ms(rig, RIG_LINGER_MS + 1);
    rig_settle(rig);
}

static void run_phase(struct rig *rig, enum worker_phase phase, bool idle)
{
    worker_group_set_phase(rig->group, phase);
    for (int turn = 0;; turn++) {
        assert_true(turn < SETTLE_TURNS);
        for (uint32_t i = 0; i < rig->options.worker_count; i++)
            rig_turn(rig, i);
        for (uint32_t i = 0; i < RIG_SINKS; i++)
            fake_sink_answer_all(&rig->sinks[i]);
        rig_answer_letters(rig, SB_OK);
        if (idle ? worker_group_is_idle(rig->group) : worker_group_is_quiet(rig->group))
            return;
    }
}

void rig_drain(struct rig *rig)
{
    if (atomic_load(&rig->group->phase) == WORKER_RUN)
        rig_settle(rig);
    run_phase(rig, WORKER_SETTLE, false);
    run_phase(rig, WORKER_DECIDE, true);
    assert_int_equal(rig_balance(rig), 0);
    for (uint32_t i = 0; i < rig->options.worker_count; i++) {
        struct worker *worker = rig_worker(rig, i);
        assert_int_equal(ledger_held(worker->ledger), 0);
        assert_int_equal(window_totals(worker->window).traces, 0);
        assert_int_equal(egress_held(&worker->egress), 0);
        assert_int_equal(worker->traces.extras.used, 0);
        assert_int_equal(worker->traces.sides.used, 0);
        assert_int_equal(worker->traces.evidence.used, 0);
        /* Of the envelopes only those of the queue spans are in use. */
        assert_int_equal(worker->envelopes.by_hash.used, worker->envelopes.idle + 2);
    }
    struct worker_counters counters = rig_counters(rig);
    assert_int_equal(counters.held_window + counters.held_egress + counters.held_letters, 0);
}

struct worker_counters rig_counters(struct rig *rig)
{
    struct worker_counters counters;
    for (uint32_t i = 0; i < rig->options.worker_count; i++) {
        rig_worker(rig, i)->share_due_ns = 0;
        worker_share_counters(rig_worker(rig, i));
    }
    worker_group_read_counters(rig->group, &counters);
    return counters;
}

int64_t rig_balance(struct rig *rig)
{
    struct worker_counters counters = rig_counters(rig);
    uint64_t ended = counters.exported + counters.dropped_no_policy + counters.rejected +
                     counters.lost + counters.returned + counters.observed;
    for (int i = 0; i < DECIDE_POLICIES_MAX; i++)
        ended += counters.dropped[i];
    for (int i = 0; i < WORKER_REASON_COUNT; i++)
        ended += counters.dead_spans[i];
    uint64_t held = counters.held_window + counters.held_egress + counters.held_letters;
    return (int64_t)(counters.spans_read - ended - held);
}

uint32_t rig_count_out(const struct rig *rig, uint64_t id)
{
    uint32_t count = 0;
    for (size_t i = 0; i < rig->sinks[0].span_count; i++)
        count += span_id_equal(out_id(&rig->sinks[0].spans[i]), spans_id(id));
    return count;
}

const struct out_span *rig_out(struct rig *rig, uint64_t id)
{
    const struct out_span *found = NULL;
    for (size_t i = 0; i < rig->sinks[0].span_count; i++) {
        const struct out_span *out = &rig->sinks[0].spans[i];
        if (!span_id_equal(out_id(out), spans_id(id)))
            continue;
        assert_null(found);
        found = out;
    }
    if (found == NULL)
        print_error("span %llu did not come out\n", (unsigned long long)id);
    assert_non_null(found);
    return found;
}

uint32_t rig_synthetic(const struct rig *rig, const struct out_span **ret)
{
    uint32_t count = 0;
    *ret = NULL;
    for (size_t i = 0; i < rig->sinks[0].span_count; i++) {
        if (!rig->sinks[0].spans[i].synthetic)
            continue;
        *ret = &rig->sinks[0].spans[i];
        count++;
    }
    return count;
}
