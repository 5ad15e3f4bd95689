#include "core/memory.h"
#include "rig.h"
#include "support/test.h"

static void finish(struct rig *rig)
{
    rig_drain(rig);
    rig_clear(rig);
}

static void check_header(const struct fake_letter *letter, const char *name, const char *value)
{
    const char *found = fake_letter_header(letter, name);
    assert_non_null(found);
    assert_string_equal(found, value);
}

static void check_context(const struct fake_letter *letter, const char *offset,
                          const char *stage, const char *message)
{
    check_header(letter, "__connect.errors.topic", "spans");
    check_header(letter, "__connect.errors.partition", "0");
    check_header(letter, "__connect.errors.offset", offset);
    check_header(letter, "__connect.errors.connector.name", "spans");
    check_header(letter, "__connect.errors.stage", stage);
    check_header(letter, "__connect.errors.exception.class.name", "spanbridge.DecodingError");
    check_header(letter, "__connect.errors.exception.message", message);
}

static void push_one(struct rig *rig, uint32_t number, uint64_t id)
{
    const struct span_spec spec = {.trace = rig_trace(rig, 0, number), .id = id};
    rig_push(rig, 0, &spec, 1);
}

/* A record with one good span and one without a trace. */
static void push_half_good(struct rig *rig, uint64_t id)
{
    const struct span_spec specs[] = {
        {.trace = rig_trace(rig, 0, 1), .id = id, .service = "shop"},
        {.trace = {{0}}, .id = id + 1, .name = "lost", .service = "shop"},
    };
    rig_push(rig, 0, specs, 2);
}

static void publish(struct rig *rig)
{
    rig_advance_ms(rig, 200);
    rig_settle(rig);
}

static void test_a_record_that_is_none_goes_as_it_came(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.answers_letters = false;
    rig_start(&rig);
    struct bytes garbage = BYTES_LITERAL("\xff\x00garbage");
    rig_push_bytes(&rig, 0, garbage);
    rig_settle(&rig);
    assert_int_equal(rig.source.letter_count, 1);
    const struct fake_letter *letter = rig.source.letters;
    assert_int_equal(letter->topic, TOPIC_SPANS);
    assert_int_equal(letter->value_len, garbage.len);
    assert_memory_equal(letter->value, garbage.at, garbage.len);
    check_header(letter, "origin", "exporter");
    check_context(letter, "0", "VALUE_CONVERTER", "malformed");
    /* It is finished when it has arrived, not before. */
    publish(&rig);
    assert_int_equal(rig.source.published[0][0], -1);
    assert_int_equal(rig_counters(&rig).dead_records[OTLP_FAULT_MALFORMED], 0);
    rig_answer_letters(&rig, SB_OK);
    publish(&rig);
    assert_int_equal(rig.source.published[0][0], 1);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.dead_records[OTLP_FAULT_MALFORMED], 1);
    assert_int_equal(counters.spans_read, 0);
    finish(&rig);
}

static void test_a_bad_span_does_not_take_the_good_ones_with_it(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.answers_letters = false;
    rig_start(&rig);
    push_half_good(&rig, 10);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 10), 1);
    assert_int_equal(rig.source.letter_count, 1);
    const struct fake_letter *letter = rig.source.letters;
    check_context(letter, "0", "VALUE_CONVERTER", "invalid_trace_id");
    check_header(letter, "origin", "exporter");
    /* The letter is a request of its own, with the resource. */
    Spanbridge__Oracle__ExportTraceServiceRequest *request =
        spanbridge__oracle__export_trace_service_request__unpack(NULL, letter->value_len,
                                                                 letter->value);
    assert_non_null(request);
    assert_int_equal(request->n_resource_spans, 1);
    const Spanbridge__Oracle__ResourceSpans *group = request->resource_spans[0];
    assert_string_equal(group->resource->attributes[0]->value->string_value, "shop");
    assert_int_equal(group->scope_spans[0]->n_spans, 1);
    assert_string_equal(group->scope_spans[0]->spans[0]->name, "lost");
    spanbridge__oracle__export_trace_service_request__free_unpacked(request, NULL);
    assert_int_equal(rig_counters(&rig).held_letters, 1);
    assert_int_equal(rig_balance(&rig), 0);
    rig_answer_letters(&rig, SB_OK);
    publish(&rig);
    assert_int_equal(rig_counters(&rig).dead_spans[OTLP_FAULT_TRACE_ID], 1);
    assert_int_equal(rig.source.published[0][0], 1);
    finish(&rig);
}

static void test_context_headers_can_be_left_out(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].context_headers = false;
    rig_start(&rig);
    rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
    rig_settle(&rig);
    assert_int_equal(rig.source.letters->header_count, 1);
    check_header(rig.source.letters, "origin", "exporter");
    finish(&rig);
}

static void test_what_is_tolerated_is_passed_over_and_counted(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig_start(&rig);
    rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
    push_half_good(&rig, 10);
    rig_wait(&rig);
    publish(&rig);
    assert_int_equal(rig.source.published[0][0], 2);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.dead_records[OTLP_FAULT_MALFORMED], 1);
    assert_int_equal(counters.dead_spans[OTLP_FAULT_TRACE_ID], 1);
    assert_int_equal(counters.exported, 1);
    assert_null(worker_group_failed_topic(rig.group));
    finish(&rig);
}

/* Tolerance none: the topic stops at the record, which is never committed; others go on. */
static void test_an_error_that_is_not_tolerated_stops_its_topic(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct rig rig;
        rig_init(&rig);
        rig.topics[TOPIC_SPANS].dead_letters = false;
        rig.topics[TOPIC_SPANS].tolerant = false;
        rig_start(&rig);
        rig_open_lane(&rig, 0, 1, false, TOPIC_SPANS_JSON);
        push_one(&rig, 1, 10);
        if (whole)
            rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
        else
            push_half_good(&rig, 20);
        push_one(&rig, 3, 30);
        rig_wait(&rig);
        publish(&rig);
        assert_string_equal(worker_group_failed_topic(rig.group), "spans");
        assert_int_equal(rig.source.published[0][0], 1);
        assert_int_equal(rig_count_out(&rig, 10), 1);
        assert_int_equal(rig_count_out(&rig, 20), whole ? 0 : 1);
        assert_int_equal(rig_count_out(&rig, 30), 0);
        assert_int_equal(rig_counters(&rig).records_read, 2);
        assert_int_equal(rig_counters(&rig).held_letters, whole ? 0 : 1);
        assert_int_equal(rig_balance(&rig), 0);
        rig_clear(&rig);
    }
}

static void push_garbage_to(struct rig *rig, uint32_t lane, uint32_t topic, int64_t offset)
{
    const struct record record = {
        .topic = topic, .lane = lane, .offset = offset, .value = BYTES_LITERAL("\xff")};
    (void)fake_source_push(&rig->source, 0, false, &record);
}

static void push_empty_to(struct rig *rig, uint32_t lane, uint32_t topic, int64_t offset)
{
    const struct record record = {.topic = topic, .lane = lane, .offset = offset};
    (void)fake_source_push(&rig->source, 0, false, &record);
}

/* What the source says about a record counts more than what is in it. */
static void test_a_flawed_record_is_not_decoded(void **state)
{
    (void)state;
    static const struct {
        enum record_flaw flaw;
        unsigned reason;
        const char *text;
    } cases[] = {
        {RECORD_TOO_LARGE, OTLP_FAULT_RECORD_TOO_LARGE, "record_too_large"},
        {RECORD_POISON, WORKER_REASON_POISON, "poison"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        const struct record record = {.topic = TOPIC_SPANS, .flaw = cases[i].flaw};
        (void)fake_source_push(&rig.source, 0, false, &record);
        publish(&rig);
        publish(&rig);
        assert_int_equal(rig.source.letter_count, 1);
        assert_string_equal(
            fake_letter_header(rig.source.letters, "__connect.errors.exception.message"),
            cases[i].text);
        assert_int_equal(rig_counters(&rig).dead_records[cases[i].reason], 1);
        assert_int_equal(rig.source.published[0][0], 1);
        assert_int_equal(rig_balance(&rig), 0);
        rig_clear(&rig);
    }
}

/*
 * A topic that stopped stays so when another one does: or the records passed over meanwhile
 * would be committed by those that come after.
 */
static void test_two_topics_may_stop(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig.topics[TOPIC_SPANS].tolerant = false;
    rig.topics[TOPIC_SPANS_JSON].dead_letters = false;
    rig.topics[TOPIC_SPANS_JSON].tolerant = false;
    rig_start(&rig);
    rig_open_lane(&rig, 0, 1, false, TOPIC_SPANS_JSON);
    rig_open_lane(&rig, 0, 2, false, TOPIC_SPANS);
    push_garbage_to(&rig, 0, TOPIC_SPANS, 5);
    push_empty_to(&rig, 2, TOPIC_SPANS, 0); /* passed over, in another partition */
    push_garbage_to(&rig, 1, TOPIC_SPANS_JSON, 7);
    push_empty_to(&rig, 2, TOPIC_SPANS, 1);
    rig_settle(&rig);
    publish(&rig);
    assert_int_equal(rig.source.published[0][2], -1);
    assert_int_equal(rig_counters(&rig).records_read, 2);
    rig_clear(&rig);
}

/* The source has no room for letters: they wait, in order, and intake waits with them. */
static void test_letters_wait_for_room(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.source.letters_full = 50;
    push_half_good(&rig, 10);
    rig_push_bytes(&rig, 0,
                   BYTES_LITERAL("\xff"
                                 "second"));
    for (uint64_t i = 0; i < 20; i++)
        push_one(&rig, 5, 100 + i);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&rig, 0);
    assert_int_equal(rig.source.letter_count, 0);
    assert_int_equal(rig_counters(&rig).records_read, 1);
    assert_int_equal(rig_counters(&rig).held_letters, 1);
    /* The worker does not wait: it can still be asked for something. */
    rig_open_lane(&rig, 0, 3, false, TOPIC_SPANS);
    rig.source.letters_full = 0;
    rig_wait(&rig);
    assert_int_equal(rig.source.letter_count, 2);
    check_header(rig.source.letters, "__connect.errors.exception.message", "invalid_trace_id");
    check_header(rig.source.letters, "origin", "exporter");
    assert_string_equal((const char *)rig.source.last_letter->value, "\xff"
                                                                     "second");
    assert_int_equal(rig_counters(&rig).records_read, 22);
    finish(&rig);
}

/* Nothing overtakes a letter that waits, and it holds all it needs: its record is gone. */
static void test_waiting_letters_keep_their_order_and_content(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.source.letters_full = 1;
    const struct span_spec specs[] = {
        {.id = 1, .name = "first"}, {.id = 2, .name = "second"}, {.id = 3, .name = "third"}};
    rig_push(&rig, 0, specs, 3);
    rig_turn(&rig, 0);
    rig.source.letters_full = 1;
    rig_push_bytes(&rig, 0,
                   BYTES_LITERAL("\xff\xff"
                                 "whole"));
    rig_settle(&rig);
    static const char *const wanted[] = {"first", "second", "third", "whole"};
    const struct fake_letter *letter = rig.source.letters;
    for (int i = 0; i < 4; i++) {
        assert_non_null(letter);
        assert_non_null(memmem(letter->value, letter->value_len, wanted[i], strlen(wanted[i])));
        check_header(letter, "origin", "exporter");
        check_header(letter, "__connect.errors.topic", "spans");
        letter = letter->next;
    }
    assert_null(letter);
    finish(&rig);
}

static void test_letters_that_still_wait_at_the_end_are_let_go(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.source.letters_full = UINT32_MAX;
    push_half_good(&rig, 10);
    rig_turn(&rig, 0);
    assert_int_equal(rig.source.letter_count, 0);
    rig_clear(&rig);
}

/* The topic of letters is not to be had: the record is read again after a restart. */
static void test_a_letter_that_fails_keeps_its_record(void **state)
{
    (void)state;
    for (int refused_later = 0; refused_later < 2; refused_later++) {
        struct rig rig;
        rig_init(&rig);
        rig.answers_letters = false;
        rig_start(&rig);
        if (!refused_later)
            rig.source.letter_error = SB_ERR_UNAVAILABLE;
        push_half_good(&rig, 10);
        rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
        rig_wait(&rig);
        if (refused_later)
            rig_answer_letters(&rig, SB_ERR_UNAVAILABLE);
        publish(&rig);
        assert_int_equal(rig.source.published[0][0], -1);
        assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 2);
        assert_int_equal(rig_counters(&rig).held_letters, 1);
        assert_int_equal(rig_balance(&rig), 0);
        assert_int_equal(atomic_load(&rig_worker(&rig, 0)->letters_out), 0);
        rig_clear(&rig);
    }
}

/* Too large for that topic, now and ever: passed over and counted, or the topic stops. */
static void test_a_letter_that_will_never_be_taken_ends_as_if_there_were_no_topic(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        bool tolerant = bits & 1;
        bool refused_later = bits & 2;
        struct rig rig;
        rig_init(&rig);
        rig.answers_letters = false;
        rig.topics[TOPIC_SPANS].tolerant = tolerant;
        rig_start(&rig);
        if (!refused_later)
            rig.source.letter_error = SB_ERR_LIMIT;
        push_half_good(&rig, 10);
        rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
        rig_wait(&rig);
        if (refused_later)
            rig_answer_letters(&rig, SB_ERR_LIMIT);
        publish(&rig);
        struct worker_counters counters = rig_counters(&rig);
        assert_int_equal(rig.source.published[0][0], tolerant ? 2 : -1);
        /* What comes behind the record at which the topic stops is not begun. */
        uint32_t held = tolerant ? 0 : refused_later ? 2 : 1;
        assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), held);
        assert_int_equal(counters.held_letters, tolerant ? 0 : 1);
        assert_int_equal(counters.dead_records[OTLP_FAULT_MALFORMED], tolerant);
        assert_int_equal(topic_has_stopped(rig.group, TOPIC_SPANS), !tolerant);
        assert_int_equal(rig_balance(&rig), 0);
        assert_int_equal(atomic_load(&rig_worker(&rig, 0)->letters_out), 0);
        rig_clear(&rig);
    }
}

/* What a sink refuses for good. */
static enum sink_outcome refuse(void *arg, const struct out_span *span)
{
    const enum sink_outcome *outcome = arg;
    return span_id_equal(out_id(span), spans_id(20)) ? *outcome : SINK_EXPORTED;
}

static void push_refused(struct rig *rig, uint32_t reader, uint32_t home)
{
    const struct span_spec specs[] = {
        {.trace = rig_trace(rig, home, 1), .id = 10},
        {.trace = rig_trace(rig, home, 2), .id = 20, .name = "refused", .service = "shop"},
    };
    rig_push(rig, reader, specs, 2);
}

static void test_a_refused_span_is_dead_lettered_where_it_was_read(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 8; bits++) {
        uint32_t reader = bits & 1;
        uint32_t home = bits >> 1 & 1;
        enum sink_outcome outcome = bits >> 2 ? SINK_TOO_LARGE : SINK_REJECTED;
        struct rig rig;
        rig_init(&rig);
        rig.options.worker_count = 2;
        rig.answers_letters = false;
        rig_start(&rig);
        rig.sinks[0].judge = refuse;
        rig.sinks[0].judge_arg = &outcome;
        push_refused(&rig, reader, home);
        rig_wait(&rig);
        assert_int_equal(rig.source.letter_count, 1);
        const struct fake_letter *letter = rig.source.letters;
        check_header(letter, "__connect.errors.stage", "TASK_PUT");
        check_header(letter, "__connect.errors.partition", reader == 0 ? "0" : "1");
        check_header(letter, "__connect.errors.exception.message",
                     outcome == SINK_TOO_LARGE ? "too_large_for_backend"
                                               : "refused_by_backend");
        assert_int_equal(rig_counters(&rig).held_letters, 1);
        assert_int_equal(rig_balance(&rig), 0);
        assert_int_equal(ledger_held(rig_worker(&rig, reader)->ledger), 1);
        rig_answer_letters(&rig, SB_OK);
        rig_settle(&rig);
        struct worker_counters counters = rig_counters(&rig);
        assert_int_equal(counters.exported, 1);
        assert_int_equal(counters.dead_spans[outcome == SINK_TOO_LARGE ? WORKER_REASON_TOO_LARGE
                                                                       : WORKER_REASON_REFUSED],
                         1);
        finish(&rig);
    }
}

static void test_a_refused_span_without_a_letter_is_rejected(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig_start(&rig);
    enum sink_outcome outcome = SINK_REJECTED;
    rig.sinks[0].judge = refuse;
    rig.sinks[0].judge_arg = &outcome;
    push_refused(&rig, 0, 0);
    rig_wait(&rig);
    assert_int_equal(rig_counters(&rig).rejected, 1);
    assert_int_equal(rig_counters(&rig).exported, 1);
    finish(&rig);
}

/* Its partition has gone to somebody else meanwhile, who has it refused again. */
static void test_a_refused_span_of_a_closed_lane_is_returned(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.sinks[0].answers = false;
    enum sink_outcome outcome = SINK_REJECTED;
    rig.sinks[0].judge = refuse;
    rig.sinks[0].judge_arg = &outcome;
    push_refused(&rig, 0, 0);
    rig_wait(&rig);
    rig_close_lane(&rig, 0, 0, 0);
    rig_open_lane(&rig, 0, 0, false, TOPIC_SPANS);
    fake_sink_answer_all(&rig.sinks[0]);
    rig_settle(&rig);
    assert_int_equal(rig.source.letter_count, 0);
    assert_int_equal(rig_counters(&rig).returned, 1);
    assert_int_equal(rig_counters(&rig).rejected, 0);
    assert_int_equal(rig.source.published[0][0], -1);
    finish(&rig);
}

/* Messages with memory of their own must not be lost where the run ends around them. */
static void test_what_is_under_way_at_the_end_is_freed(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig.options.limits.value_bytes_max = 1 << 20;
    rig.answers_letters = false;
    rig_start(&rig);
    enum sink_outcome outcome = SINK_REJECTED;
    rig.sinks[0].judge = refuse;
    rig.sinks[0].judge_arg = &outcome;
    push_refused(&rig, 0, 1);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_WAIT_MS + 1);
    rig_turn(&rig, 1);
    rig_advance_ms(&rig, RIG_LINGER_MS + 1);
    rig_turn(&rig, 1);
    rig_turn(&rig, 1); /* the refusal is on its way to worker 0 */
    assert_int_equal(atomic_load(&rig_worker(&rig, 1)->exchange.sent), 2);
    const struct span_spec large = {
        .trace = rig_trace(&rig, 1, 5), .id = 50, .padding = 300000};
    rig_push(&rig, 0, &large, 1);
    /* Worker 0 takes the refusal in, writes its letter, and sends a box to worker 1. */
    rig_turn(&rig, 0);
    assert_int_equal(rig.source.letter_count, 1);
    worker_group_dead_letter_done(rig.group, rig.source.letters->ticket, SB_OK);
    rig_clear(&rig);
}

static void test_a_refusal_under_way_at_the_end_is_freed(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig_start(&rig);
    const struct otlp_envelope envelope = {.fault = 0};
    letters_send_refused(rig_worker(&rig, 1), record_of(0, 0), WORKER_REASON_REFUSED, &envelope,
                         BYTES_LITERAL("span"));
    assert_int_equal(atomic_load(&rig_worker(&rig, 1)->exchange.sent), 1);
    rig_clear(&rig);
}

static void test_memory_shortage_loses_no_letter(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 25; nth++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        enum sink_outcome outcome = SINK_REJECTED;
        rig.sinks[0].judge = refuse;
        rig.sinks[0].judge_arg = &outcome;
        rig.source.letters_full = 2;
        push_refused(&rig, 0, 0);
        push_half_good(&rig, 30);
        rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
        rig_settle(&rig);
        rig_advance_ms(&rig, RIG_WAIT_MS + 1);
        rig_turn(&rig, 0);
        rig_advance_ms(&rig, RIG_LINGER_MS + 1);
        memory_fail_at(nth);
        for (int turn = 0; turn < 4; turn++)
            rig_turn(&rig, 0);
        memory_fail_at(0);
        rig_wait(&rig);
        publish(&rig);
        assert_int_equal(rig_balance(&rig), 0);
        struct worker_counters counters = rig_counters(&rig);
        uint64_t letters = counters.dead_records[OTLP_FAULT_MALFORMED] +
                           counters.dead_spans[OTLP_FAULT_TRACE_ID] +
                           counters.dead_spans[WORKER_REASON_REFUSED] + counters.rejected;
        uint32_t held = ledger_held(rig_worker(&rig, 0)->ledger);
        assert_int_equal(letters, 3 - held);
        assert_int_equal(rig.source.published[0][0] == 3, held == 0);
        for (const struct fake_letter *at = rig.source.letters; at != NULL; at = at->next)
            assert_true(at->value_len > 0);
        rig_clear(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_that_is_none_goes_as_it_came),
        cmocka_unit_test(test_a_bad_span_does_not_take_the_good_ones_with_it),
        cmocka_unit_test(test_context_headers_can_be_left_out),
        cmocka_unit_test(test_what_is_tolerated_is_passed_over_and_counted),
        cmocka_unit_test(test_an_error_that_is_not_tolerated_stops_its_topic),
        cmocka_unit_test(test_a_flawed_record_is_not_decoded),
        cmocka_unit_test(test_two_topics_may_stop),
        cmocka_unit_test(test_letters_wait_for_room),
        cmocka_unit_test(test_waiting_letters_keep_their_order_and_content),
        cmocka_unit_test(test_letters_that_still_wait_at_the_end_are_let_go),
        cmocka_unit_test(test_a_letter_that_fails_keeps_its_record),
        cmocka_unit_test(test_a_letter_that_will_never_be_taken_ends_as_if_there_were_no_topic),
        cmocka_unit_test(test_a_refused_span_is_dead_lettered_where_it_was_read),
        cmocka_unit_test(test_a_refused_span_without_a_letter_is_rejected),
        cmocka_unit_test(test_a_refused_span_of_a_closed_lane_is_returned),
        cmocka_unit_test(test_what_is_under_way_at_the_end_is_freed),
        cmocka_unit_test(test_a_refusal_under_way_at_the_end_is_freed),
        cmocka_unit_test(test_memory_shortage_loses_no_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
