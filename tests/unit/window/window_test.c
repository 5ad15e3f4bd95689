#include "window_fixture.h"

#include "core/memory.h"
#include "support/random.h"

/*
 * The naive model: arrays of traces and spans, every answer by a full scan.  A span's content
 * is its seed's.
 */
enum { MODEL_TRACES = 60, MODEL_SPANS = 40, SAMPLE = 32 };

enum place { PLACE_NOWHERE, PLACE_WAITING, PLACE_HELD, PLACE_SUSPENDED };

struct model_span {
    uint64_t seed;
    size_t len;
};

struct model_trace {
    enum place place;
    uint64_t number;
    uint64_t due_ns;
    uint64_t first_seen_ns;
    uint64_t queued; /* when it came to its queue, as a count of steps */
    window_trace trace;
    struct model_span spans[MODEL_SPANS];
    uint32_t span_count;
};

struct model {
    struct window *window;
    struct window_options options;
    struct random random;
    uint64_t now_ns;
    uint64_t steps;
    struct model_trace traces[MODEL_TRACES];
};

static struct bytes content_of(const struct model_span *span)
{
    struct random random;
    random_init(&random, span->seed);
    size_t ends = span->len < SAMPLE ? span->len : SAMPLE;
    memset(buffer, (int)(span->seed & 0xff), span->len);
    random_fill(&random, buffer, ends);
    random_fill(&random, buffer + span->len - ends, ends);
    return bytes_of(buffer, span->len);
}

static uint64_t span_bytes_of(const struct model_trace *t)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < t->span_count; i++)
        bytes += t->spans[i].len;
    return bytes;
}

static void check_spans(const struct model *model, const struct model_trace *t)
{
    struct window_walk walk = window_walk_start(model->window, t->trace);
    struct window_span span;
    for (uint32_t i = 0; i < t->span_count; i++) {
        assert_true(window_walk_next(model->window, t->trace, &walk, &span));
        struct bytes expected = content_of(&t->spans[i]);
        assert_int_equal(span.raw.len, expected.len);
        assert_memory_equal(span.raw.at, expected.at, expected.len);
        assert_int_equal(span.envelope, (uint32_t)t->spans[i].seed);
        assert_int_equal(span.record, (uint32_t)(t->spans[i].seed >> 32));
    }
    assert_false(window_walk_next(model->window, t->trace, &walk, &span));
}

static void check_trace(const struct model *model, const struct model_trace *t)
{
    const struct window *window = model->window;
    assert_int_equal(find(window, t->number), t->trace);
    struct trace_id id = id_of(t->number);
    assert_true(trace_id_equal(window_trace_id(window, t->trace), id));
    assert_int_equal(window_first_seen_ns(window, t->trace), t->first_seen_ns);
    assert_int_equal(window_span_count(window, t->trace), t->span_count);
    assert_memory_equal(window_data(window, t->trace), &t->number, sizeof(t->number));
    assert_int_equal(window_is_over_caps(window, t->trace),
                     t->span_count >= model->options.spans_per_trace_max ||
                         span_bytes_of(t) >= model->options.bytes_per_trace_max);
    check_spans(model, t);
}

/* The first of its queue, as the model has it; NULL: nobody stands there. */
static const struct model_trace *first_of(const struct model *model, enum place place)
{
    const struct model_trace *first = NULL;
    for (int i = 0; i < MODEL_TRACES; i++) {
        const struct model_trace *t = &model->traces[i];
        if (t->place == place && (first == NULL || t->queued < first->queued))
            first = t;
    }
    return first;
}

static void check_deadlines(const struct model *model)
{
    const struct model_trace *waiting = first_of(model, PLACE_WAITING);
    const struct model_trace *held = first_of(model, PLACE_HELD);
    uint64_t next_ns = UINT64_MAX;
    for (int i = 0; i < MODEL_TRACES; i++) {
        const struct model_trace *t = &model->traces[i];
        bool queued = t->place == PLACE_WAITING || t->place == PLACE_HELD;
        if (queued && t->due_ns < next_ns)
            next_ns = t->due_ns;
    }
    if (next_ns == UINT64_MAX) {
        assert_int_equal(window_due(model->window, UINT64_MAX), WINDOW_NONE);
    } else {
        assert_int_equal(window_due(model->window, next_ns - 1), WINDOW_NONE);
        assert_int_not_equal(window_due(model->window, next_ns), WINDOW_NONE);
    }
    window_trace due = window_due(model->window, model->now_ns);
    if (next_ns > model->now_ns) {
        assert_int_equal(due, WINDOW_NONE);
    } else {
        bool is_first = waiting != NULL && due == waiting->trace;
        const struct model_trace *t = is_first ? waiting : held;
        assert_int_equal(due, t->trace);
        assert_true(t->due_ns <= model->now_ns);
    }
    window_trace oldest = held != NULL      ? held->trace
                          : waiting != NULL ? waiting->trace
                                            : WINDOW_NONE;
    assert_int_equal(window_oldest(model->window), oldest);
}

/* Every trace is met once. */
static void check_walk(const struct model *model, uint64_t traces)
{
    bool met[MODEL_TRACES] = {false};
    for (window_trace at = window_any(model->window); at != WINDOW_NONE;
         at = window_next(model->window, at)) {
        int i = 0;
        while (model->traces[i].place == PLACE_NOWHERE || model->traces[i].trace != at)
            assert_true(++i < MODEL_TRACES);
        assert_false(met[i]);
        met[i] = true;
        traces--;
    }
    assert_int_equal(traces, 0);
}

static void check_model(const struct model *model)
{
    struct window_totals expected = {0};
    for (int i = 0; i < MODEL_TRACES; i++) {
        const struct model_trace *t = &model->traces[i];
        if (t->place == PLACE_NOWHERE)
            continue;
        check_trace(model, t);
        expected.traces++;
        expected.spans += t->span_count;
        expected.span_bytes += span_bytes_of(t);
    }
    struct window_totals totals = window_totals(model->window);
    assert_int_equal(totals.traces, expected.traces);
    assert_int_equal(totals.spans, expected.spans);
    assert_int_equal(totals.span_bytes, expected.span_bytes);
    assert_true(totals.bytes >= totals.span_bytes);
    assert_int_equal(window_any(model->window) == WINDOW_NONE, expected.traces == 0);
    check_walk(model, expected.traces);
    assert_true(totals.spans > 0 || !window_is_full(model->window, SIZE_MAX / 2));
}

static void model_open(struct model *model, struct model_trace *t)
{
    *t = (struct model_trace){
        .place = PLACE_WAITING,
        .number = random_next(&model->random),
        .due_ns = model->now_ns + model->options.wait_ns,
        .first_seen_ns = model->now_ns,
        .queued = model->steps,
    };
    assert_int_equal(find(model->window, t->number), WINDOW_NONE);
    t->trace = open_trace(model->window, t->number, model->now_ns);
    uint8_t zeros[20] = {0};
    assert_memory_equal(window_data(model->window, t->trace), zeros, sizeof(zeros));
    memcpy(window_data(model->window, t->trace), &t->number, sizeof(t->number));
}

static void model_append(struct model *model, struct model_trace *t)
{
    struct random *random = &model->random;
    if (t->span_count == MODEL_SPANS)
        return;
    struct model_span span = {.seed = random_next(random)};
    span.len = random_chance(random, 97) ? random_below(random, 3000)
                                         : random_below(random, 3 * CHUNK_BYTES);
    const struct window_span in = {
        .raw = content_of(&span),
        .envelope = (uint32_t)span.seed,
        .record = (uint32_t)(span.seed >> 32),
    };
    enum sb_err err = window_append(model->window, t->trace, &in);
    if (err == SB_OK) {
        t->spans[t->span_count++] = span;
        return;
    }
    assert_int_equal(err, SB_ERR_FULL);
    assert_true(window_totals(model->window).spans > 0);
}

static void model_requeue(struct model *model, struct model_trace *t)
{
    t->queued = model->steps;
    if (random_chance(&model->random, 50)) {
        window_hold(model->window, t->trace, model->now_ns);
        t->place = PLACE_HELD;
        t->due_ns = model->now_ns + model->options.hold_retry_ns;
    } else {
        window_suspend(model->window, t->trace);
        t->place = PLACE_SUSPENDED;
    }
}

static void model_close(struct model *model, struct model_trace *t)
{
    window_close(model->window, t->trace);
    t->place = PLACE_NOWHERE;
    assert_int_equal(find(model->window, t->number), WINDOW_NONE);
}

/* Spans whose seed says so leave; the others move up. */
static bool is_odd(void *arg, const struct window_span *span)
{
    uint32_t *asked = arg;
    (*asked)++;
    return span->envelope % 2 == 1;
}

static void model_take_out(struct model *model, struct model_trace *t)
{
    uint32_t before = t->span_count;
    uint32_t asked = 0;
    uint32_t taken = window_take_out(model->window, t->trace, is_odd, &asked);
    t->span_count = 0;
    for (uint32_t i = 0; i < before; i++) {
        if (t->spans[i].seed % 2 == 0)
            t->spans[t->span_count++] = t->spans[i];
    }
    assert_int_equal(asked, before);
    assert_int_equal(taken, before - t->span_count);
}

static void model_step(struct model *model)
{
    model->steps++;
    if (random_chance(&model->random, 20))
        model->now_ns += random_below(&model->random, 2 * NS_PER_S);
    struct model_trace *t = &model->traces[random_below(&model->random, MODEL_TRACES)];
    uint64_t dice = random_below(&model->random, 100);
    if (t->place == PLACE_NOWHERE) {
        /* With the budget used up, opening fails like appending: model_append sees to that. */
        if (!window_is_full(model->window, 0))
            model_open(model, t);
    } else if (dice < 80) {
        model_append(model, t);
    } else if (dice < 92) {
        model_requeue(model, t);
    } else if (dice < 93) {
        window_drop_spans(model->window, t->trace);
        t->span_count = 0;
    } else if (dice < 95) {
        model_take_out(model, t);
    } else {
        model_close(model, t);
    }
}

static void test_random_operations_against_a_model(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        model = (struct model){.options = default_options(), .now_ns = NS_PER_S};
        model.options.spans_per_trace_max = 30;
        model.options.bytes_per_trace_max = 3 * MIB;
        /* The even ones are soon full. */
        model.options.bytes_max = seed % 2 == 0 ? 12 * MIB : 1024 * MIB;
        model.window = new_window(&model.options);
        random_init(&model.random, seed);
        for (int step = 0; step < 12000; step++) {
            model_step(&model);
            check_deadlines(&model);
            if (step % 200 == 0)
                check_model(&model);
        }
        check_model(&model);
        for (int i = 0; i < MODEL_TRACES; i++) {
            if (model.traces[i].place != PLACE_NOWHERE)
                model_close(&model, &model.traces[i]);
        }
        check_model(&model);
        window_free(model.window);
    }
}

/* Whatever number of spans leaves, blocks and bytes go with them. */
static bool is_small(void *arg, const struct window_span *span)
{
    (void)arg;
    return span->raw.len < 100;
}

static void test_taking_spans_out_gives_their_room_back(void **state)
{
    (void)state;
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    window_trace trace = open_trace(window, 1, 0);
    uint64_t allocations = 0;
    for (uint32_t round = 0; round < 300; round++) {
        if (round == 20)
            allocations = memory_allocations();
        for (uint32_t i = 0; i < round % 20; i++)
            assert_int_equal(append(window, trace, i % 3 == 0 ? 200 : 50), SB_OK);
        (void)window_take_out(window, trace, is_small, NULL);
        assert_int_equal(window_span_count(window, trace), (round % 20 + 2) / 3);
        assert_int_equal(window_totals(window).span_bytes, (round % 20 + 2) / 3 * 200);
        assert_int_equal(append(window, trace, 10), SB_OK);
        window_drop_spans(window, trace);
    }
    assert_int_equal(memory_allocations(), allocations);
    window_free(window);
}

static void test_what_can_not_wait_is_taken_beyond_the_budget(void **state)
{
    (void)state;
    struct window_options options = default_options();
    options.bytes_max = 1;
    struct window *window = new_window(&options);
    window_trace trace = open_trace(window, 1, 0);
    assert_int_equal(append(window, trace, 10), SB_OK);
    assert_int_equal(append(window, trace, 10), SB_ERR_FULL);
    window_overdraw(window, true);
    assert_int_equal(append(window, trace, 10), SB_OK);
    (void)open_trace(window, 2, 0);
    assert_true(window_is_full(window, 0));
    window_overdraw(window, false);
    assert_int_equal(append(window, trace, 10), SB_ERR_FULL);
    window_free(window);
}

/* Spans are taken until the budget is used up, and again as soon as a trace has gone. */
static void test_the_byte_budget_is_kept(void **state)
{
    (void)state;
    struct window_options options = default_options();
    options.bytes_max = 16 * MIB;
    struct window *window = new_window(&options);
    window_trace traces[1000];
    uint32_t count = 0;
    enum sb_err err = SB_OK;
    for (; err == SB_OK; count++) {
        traces[count] = open_trace(window, count, 0);
        for (int i = 0; i < 50 && err == SB_OK; i++)
            err = append(window, traces[count], 1000);
    }
    assert_int_equal(err, SB_ERR_FULL);
    assert_true(window_totals(window).bytes <= options.bytes_max);
    assert_true(window_totals(window).span_bytes > options.bytes_max / 4 * 3);
    assert_int_equal(append(window, traces[0], 1000), SB_ERR_FULL);
    assert_true(window_is_full(window, CHUNK_BYTES));
    /* What one chunk holds has to go before its memory is free. */
    for (uint32_t i = 0; i < 50; i++)
        window_close(window, traces[i]);
    assert_false(window_is_full(window, CHUNK_BYTES));
    assert_int_equal(append(window, traces[60], 1000), SB_OK);
    window_free(window);
}

static void test_an_empty_window_takes_a_span_of_any_size(void **state)
{
    (void)state;
    struct window_options options = default_options();
    options.bytes_max = 1;
    struct window *window = new_window(&options);
    for (uint64_t i = 0; i < 3; i++) {
        assert_false(window_is_full(window, SIZE_MAX));
        window_trace trace = open_trace(window, i, 0);
        window_trace other = open_trace(window, 100 + i, 0);
        assert_int_equal(append(window, trace, sizeof(buffer)), SB_OK);
        assert_int_equal(append(window, other, 10), SB_ERR_FULL);
        assert_true(window_is_full(window, 0));
        window_trace none = 77;
        struct trace_id id = id_of(200);
        assert_int_equal(window_open(window, id, window_hash(window, id), 0, &none),
                         SB_ERR_FULL);
        assert_int_equal(none, 77);
        window_close(window, trace);
        window_close(window, other);
    }
    window_free(window);
}

static void test_caps_are_per_trace(void **state)
{
    (void)state;
    struct window_options options = default_options();
    options.spans_per_trace_max = 3;
    options.bytes_per_trace_max = 1000;
    struct window *window = new_window(&options);
    window_trace many = open_trace(window, 1, 0);
    window_trace large = open_trace(window, 2, 0);
    assert_int_equal(append(window, many, 10), SB_OK);
    assert_int_equal(append(window, many, 10), SB_OK);
    assert_false(window_is_over_caps(window, many));
    assert_int_equal(append(window, many, 10), SB_OK);
    assert_true(window_is_over_caps(window, many));
    assert_int_equal(append(window, large, 999), SB_OK);
    assert_false(window_is_over_caps(window, large));
    assert_int_equal(append(window, large, 1), SB_OK);
    assert_true(window_is_over_caps(window, large));
    window_drop_spans(window, large);
    assert_false(window_is_over_caps(window, large));
    window_free(window);
}

static void test_a_burst_gives_its_memory_back(void **state)
{
    (void)state;
    enum { TRACES = 2000 };
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    window_trace traces[TRACES];
    for (uint64_t i = 0; i < TRACES; i++) {
        traces[i] = open_trace(window, i, 0);
        for (int j = 0; j < 10; j++)
            assert_int_equal(append(window, traces[i], 10000), SB_OK);
    }
    assert_true(window_totals(window).bytes > 200000000);
    for (uint64_t i = 0; i < TRACES; i++)
        window_close(window, traces[i]);
    struct window_totals totals = window_totals(window);
    assert_int_equal(totals.spans + totals.traces + totals.span_bytes, 0);
    assert_true(totals.bytes < 40 * MIB);
    window_free(window);
}

static void test_a_warm_window_does_not_allocate(void **state)
{
    (void)state;
    enum { TRACES = 500 };
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    uint64_t warm = 0;
    for (uint64_t turn = 0; turn < 20; turn++) {
        for (uint64_t i = 0; i < TRACES; i++) {
            window_trace trace = open_trace(window, turn * TRACES + i, 0);
            for (int j = 0; j < 8; j++)
                assert_int_equal(append(window, trace, 470), SB_OK);
        }
        if (turn == 1)
            warm = memory_allocations();
        for (uint64_t i = 0; i < TRACES; i++)
            window_close(window, window_any(window));
    }
    assert_int_equal(memory_allocations(), warm);
    window_free(window);
}

/* Fills a window while its nth allocation fails; true when one did. */
static bool fill_with_a_failure(struct window *window)
{
    enum { TRACES = 2000 };
    bool failed = false;
    uint64_t spans = 0;
    for (uint64_t i = 0; i < TRACES; i++) {
        struct trace_id id = id_of(i);
        window_trace trace = WINDOW_NONE;
        if (window_open(window, id, window_hash(window, id), 0, &trace) != SB_OK) {
            failed = true;
            assert_int_equal(find(window, i), WINDOW_NONE);
            trace = open_trace(window, i, 0);
        }
        for (int j = 0; j < 9; j++) {
            enum sb_err err = append(window, trace, 300);
            spans += err == SB_OK;
            failed |= err != SB_OK;
            assert_true(err == SB_OK || err == SB_ERR_MEMORY);
            assert_int_equal(window_totals(window).spans, spans);
        }
    }
    assert_true(spans >= TRACES * 9 - 1);
    memory_fail_at(0);
    for (uint64_t i = 0; i < TRACES; i++)
        window_close(window, find(window, i));
    struct window_totals totals = window_totals(window);
    assert_int_equal(totals.traces + totals.spans + totals.span_bytes, 0);
    /* Of three chunks all but the one being filled are empty: nothing was left in them. */
    window_trace one = open_trace(window, TRACES, 0);
    assert_int_equal(append(window, one, 10), SB_OK);
    assert_false(window_is_full(window, 256 * MIB - totals.bytes + 2 * CHUNK_BYTES));
    return failed;
}

/* Every allocation fails once: the call says so, and all that was there is still there. */
static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    struct window_options options = default_options();
    uint64_t nth = 1;
    for (bool failed = true; failed; nth++) {
        struct window *window = NULL;
        memory_fail_at(nth);
        enum sb_err err = window_new(&options, &window);
        if (err == SB_OK) {
            failed = fill_with_a_failure(window);
        } else {
            assert_int_equal(err, SB_ERR_MEMORY);
            assert_null(window);
        }
        window_free(window);
    }
    assert_true(nth > 10);
}

/* The bound that the memory budget rests on: what a span costs besides its bytes. */
static void test_a_span_costs_less_than_60_bytes_of_books(void **state)
{
    (void)state;
    enum { TRACES = 250000, SPANS = 8, SPAN_LEN = 470 };
    struct window_options options = default_options();
    options.bytes_max = (size_t)2048 * MIB;
    options.data_size = 56;
    struct window *window = new_window(&options);
    window_trace *traces = memory_alloc(TRACES * sizeof(*traces));
    for (uint64_t i = 0; i < TRACES; i++)
        traces[i] = open_trace(window, i, 0);
    /* Interleaved, as spans of concurrent traces are. */
    for (int j = 0; j < SPANS; j++)
        for (uint64_t i = 0; i < TRACES; i++)
            assert_int_equal(append(window, traces[i], SPAN_LEN), SB_OK);
    struct window_totals totals = window_totals(window);
    uint64_t spans = (uint64_t)TRACES * SPANS;
    assert_int_equal(totals.spans, spans);
    assert_int_equal(totals.span_bytes, spans * SPAN_LEN);
    uint64_t books = totals.bytes - totals.span_bytes;
    print_message("%.1f bytes of books for each span\n", (double)books / (double)spans);
    assert_true(books < spans * 60);
    memory_free(traces);
    window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_against_a_model),
        cmocka_unit_test(test_taking_spans_out_gives_their_room_back),
        cmocka_unit_test(test_what_can_not_wait_is_taken_beyond_the_budget),
        cmocka_unit_test(test_the_byte_budget_is_kept),
        cmocka_unit_test(test_an_empty_window_takes_a_span_of_any_size),
        cmocka_unit_test(test_caps_are_per_trace),
        cmocka_unit_test(test_a_burst_gives_its_memory_back),
        cmocka_unit_test(test_a_warm_window_does_not_allocate),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
        cmocka_unit_test(test_a_span_costs_less_than_60_bytes_of_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
