#include "traces.h"

#include "core/memory.h"
#include "spans.h"
#include "support/random.h"
#include "support/test.h"

enum { DEPTH_MAX = 64 };

struct fixture {
    struct window *window;
    struct traces traces;
};

static void set_up(struct fixture *fixture)
{
    const struct window_options options = {.bytes_max = 1 << 26,
                                           .data_size = sizeof(struct trace_state),
                                           .wait_ns = 1000,
                                           .spans_per_trace_max = 1000,
                                           .bytes_per_trace_max = 1 << 20};
    assert_int_equal(window_new(&options, &fixture->window), SB_OK);
    traces_init(&fixture->traces, fixture->window);
}

static void tear_down(struct fixture *fixture)
{
    traces_clear(&fixture->traces);
    window_free(fixture->window);
}

static struct span_id span_of(uint64_t number)
{
    struct span_id id;
    memcpy(id.byte, &number, sizeof(number));
    return id;
}

static struct trace_id trace_of(uint64_t number)
{
    struct trace_id id = {{0}};
    memcpy(id.byte + 8, &number, sizeof(number));
    return id;
}

static window_trace open_trace(struct fixture *fixture, uint64_t number)
{
    window_trace trace;
    struct trace_id id = trace_of(number);
    assert_int_equal(
        window_open(fixture->window, id, window_hash(fixture->window, id), 0, &trace), SB_OK);
    return trace;
}

static window_trace open_with_extra(struct fixture *fixture, uint64_t number)
{
    window_trace trace = open_trace(fixture, number);
    assert_non_null(traces_need_extra(&fixture->traces, trace));
    return trace;
}

static struct repair_join join_of(uint64_t consumer, uint64_t producer)
{
    return (struct repair_join){
        .rule = REPAIR_RULE_COORDINATE,
        .consumer = {.trace_id = trace_of(1), .span_id = span_of(consumer)},
        .producer = {.trace_id = trace_of(producer), .span_id = span_of(producer)},
    };
}

static void test_a_trace_has_no_extra_until_it_needs_one(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    assert_null(traces_extra(&fixture.traces, trace));
    assert_null(traces_find_side(&fixture.traces, trace, span_of(1)));
    assert_null(traces_attachment(&fixture.traces, trace));
    assert_int_equal(traces_root(&fixture.traces, trace), trace);
    struct trace_extra *extra = traces_need_extra(&fixture.traces, trace);
    assert_non_null(extra);
    assert_ptr_equal(traces_extra(&fixture.traces, trace), extra);
    assert_ptr_equal(traces_need_extra(&fixture.traces, trace), extra);
    assert_int_equal(extra->attached_to, WINDOW_NONE);
    traces_free_extra(&fixture.traces, trace);
    assert_null(traces_extra(&fixture.traces, trace));
    traces_free_extra(&fixture.traces, trace);
    tear_down(&fixture);
}

static void test_sides_are_found_by_their_span(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    window_trace other = open_trace(&fixture, 2);
    for (uint64_t i = 1; i <= 300; i++) {
        const struct hop_side side = {
            .span_id = span_of(i), .destination = i * 7, .start_ns = i};
        assert_int_equal(traces_add_side(&fixture.traces, trace, &side), SB_OK);
    }
    for (uint64_t i = 1; i <= 300; i++) {
        const struct hop_side *side = traces_find_side(&fixture.traces, trace, span_of(i));
        assert_non_null(side);
        assert_int_equal(side->destination, i * 7);
        assert_null(traces_find_side(&fixture.traces, other, span_of(i)));
    }
    assert_null(traces_find_side(&fixture.traces, trace, span_of(999)));
    traces_free_extra(&fixture.traces, trace);
    assert_int_equal(fixture.traces.sides.used, 0);
    assert_int_equal(fixture.traces.extras.used, 0);
    tear_down(&fixture);
}

static bool is_explained(const struct fixture *fixture, window_trace trace, uint64_t span)
{
    uint32_t at = traces_extra(&fixture->traces, trace)->first_side;
    while (!span_id_equal(traces_side(&fixture->traces, at)->side.span_id, span_of(span)))
        at = traces_side(&fixture->traces, at)->next;
    return traces_side(&fixture->traces, at)->explained;
}

/* A join explains the span that sent, whichever of the two comes first. */
static void test_a_sender_is_explained_by_the_join(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct fixture fixture;
        set_up(&fixture);
        window_trace producer = open_with_extra(&fixture, 2);
        window_trace member = open_with_extra(&fixture, 1);
        const struct hop_side sent = {.span_id = span_of(2), .destination = 5};
        const struct hop_side other = {.span_id = span_of(3), .destination = 6};
        struct repair_join join = join_of(1, 2);
        struct evidence_item *item;
        assert_int_equal(traces_add_side(&fixture.traces, producer, &other), SB_OK);
        if (!late)
            assert_int_equal(traces_add_side(&fixture.traces, producer, &sent), SB_OK);
        assert_int_equal(traces_add_evidence(&fixture.traces, member, &join, 0, &item), SB_OK);
        traces_attach(&fixture.traces, producer, member);
        item->attaches = true;
        traces_explain_producer(&fixture.traces, producer, join.producer.span_id);
        if (late)
            assert_int_equal(traces_add_side(&fixture.traces, producer, &sent), SB_OK);
        assert_true(is_explained(&fixture, producer, 2));
        assert_false(is_explained(&fixture, producer, 3));
        tear_down(&fixture);
    }
}

static void test_a_trace_knows_where_it_consumes_from(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    const struct hop_side taken = {.span_id = span_of(1), .destination = 5, .consumer = true};
    const struct hop_side sent = {.span_id = span_of(2), .destination = 6};
    assert_int_equal(traces_add_side(&fixture.traces, trace, &taken), SB_OK);
    assert_int_equal(traces_add_side(&fixture.traces, trace, &sent), SB_OK);
    const struct trace_extra *extra = traces_extra(&fixture.traces, trace);
    assert_true(traces_consumes(extra, &taken));
    assert_false(traces_consumes(extra, &sent));
    traces_free_extra(&fixture.traces, trace);
    tear_down(&fixture);
}

static void test_a_walk_meets_every_trace_of_a_tree_once(void **state)
{
    (void)state;
    enum { TRACES = 6 };
    static const int parents[TRACES] = {-1, 0, 0, 1, 1, 3};
    struct fixture fixture;
    set_up(&fixture);
    window_trace alone = open_trace(&fixture, 100);
    assert_int_equal(traces_walk(&fixture.traces, alone, alone), WINDOW_NONE);
    window_trace tree[TRACES];
    for (uint64_t i = 0; i < TRACES; i++)
        tree[i] = open_with_extra(&fixture, i);
    for (int i = 1; i < TRACES; i++)
        traces_attach(&fixture.traces, tree[parents[i]], tree[i]);
    const struct {
        int root;
        int traces;
    } walks[] = {{0, 6}, {1, 4}, {2, 1}, {3, 2}};
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        window_trace root = tree[walks[i].root];
        unsigned met = 0;
        int count = 0;
        for (window_trace at = root; at != WINDOW_NONE;
             at = traces_walk(&fixture.traces, root, at)) {
            for (int j = 0; j < TRACES; j++)
                met |= (unsigned)(tree[j] == at) << j;
            count++;
        }
        assert_int_equal(count, walks[i].traces);
        assert_int_equal(__builtin_popcount(met), walks[i].traces);
    }
    tear_down(&fixture);
}

/* Evidence explains its own consumer and no other, whichever of the two comes first. */
static void test_a_side_is_explained_by_its_evidence(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    struct repair_join join = join_of(1, 50);
    struct repair_join earlier = join_of(2, 50);
    struct evidence_item *item;
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &earlier, 3, &item), SB_OK);
    for (uint64_t i = 1; i <= 3; i++) {
        const struct hop_side side = {.span_id = span_of(i), .consumer = true};
        assert_int_equal(traces_add_side(&fixture.traces, trace, &side), SB_OK);
    }
    assert_false(is_explained(&fixture, trace, 1));
    assert_true(is_explained(&fixture, trace, 2));
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &join, 3, &item), SB_OK);
    assert_true(is_explained(&fixture, trace, 1));
    assert_false(is_explained(&fixture, trace, 3));
    traces_free_extra(&fixture.traces, trace);
    tear_down(&fixture);
}

static void test_equal_evidence_is_kept_once(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    struct evidence_item *item;
    struct repair_join join = join_of(1, 50);
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &join, 3, &item), SB_OK);
    assert_int_equal(item->settings, 3);
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &join, 3, &item), SB_OK);
    assert_null(item);
    /* Each part makes it another one. */
    struct repair_join others[] = {join, join, join, join};
    others[0].rule = REPAIR_RULE_LINK;
    others[1].consumer.span_id = span_of(2);
    others[2].producer.span_id = span_of(51);
    others[3].producer.trace_id = trace_of(51);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(traces_add_evidence(&fixture.traces, trace, &others[i], 3, &item),
                         SB_OK);
        assert_non_null(item);
    }
    assert_int_equal(fixture.traces.evidence.used, 5);
    traces_free_extra(&fixture.traces, trace);
    assert_int_equal(fixture.traces.evidence.used, 0);
    tear_down(&fixture);
}

static void test_evidence_is_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    struct evidence_item *item;
    for (uint64_t i = 0; i < TRACES_EVIDENCE_MAX; i++) {
        struct repair_join join = join_of(i, 2);
        assert_int_equal(traces_add_evidence(&fixture.traces, trace, &join, 0, &item), SB_OK);
    }
    struct repair_join one_more = join_of(TRACES_EVIDENCE_MAX, 2);
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &one_more, 0, &item),
                     SB_ERR_LIMIT);
    struct repair_join known = join_of(5, 2);
    assert_int_equal(traces_add_evidence(&fixture.traces, trace, &known, 0, &item), SB_OK);
    assert_null(item);
    traces_free_extra(&fixture.traces, trace);
    tear_down(&fixture);
}

static void test_the_attachment_is_the_evidence_that_made_it(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace member = open_with_extra(&fixture, 1);
    window_trace producer = open_with_extra(&fixture, 2);
    struct evidence_item *items[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct repair_join join = join_of(i + 1, 2);
        assert_int_equal(traces_add_evidence(&fixture.traces, member, &join, 0, &items[i]),
                         SB_OK);
    }
    assert_null(traces_attachment(&fixture.traces, member));
    traces_attach(&fixture.traces, producer, member);
    items[1]->attaches = true;
    assert_ptr_equal(traces_attachment(&fixture.traces, member), items[1]);
    traces_detach(&fixture.traces, member);
    assert_null(traces_attachment(&fixture.traces, member));
    tear_down(&fixture);
}

static void test_a_chain_has_one_root_up_to_a_bound(void **state)
{
    (void)state;
    enum { CHAIN = 100 };
    struct fixture fixture;
    set_up(&fixture);
    window_trace chain[CHAIN];
    for (uint64_t i = 0; i < CHAIN; i++)
        chain[i] = open_with_extra(&fixture, i);
    for (int i = 1; i < CHAIN; i++)
        traces_attach(&fixture.traces, chain[i - 1], chain[i]);
    for (int i = 0; i < CHAIN; i++) {
        window_trace root = traces_root(&fixture.traces, chain[i]);
        assert_int_equal(root, i < DEPTH_MAX ? chain[0] : WINDOW_NONE);
        assert_true(i == 0 || traces_is_below(&fixture.traces, chain[i], chain[0]));
        assert_false(traces_is_below(&fixture.traces, chain[0], chain[i]));
        assert_false(traces_is_below(&fixture.traces, chain[i < DEPTH_MAX ? i : 5], chain[90]));
    }
    tear_down(&fixture);
}

/* Trees against a naive model: an array of parents. */
enum { MODEL_TRACES = 40 };

struct model {
    struct fixture fixture;
    struct random random;
    window_trace traces[MODEL_TRACES];
    int parent[MODEL_TRACES]; /* -1: a root */
};

static int model_root(const struct model *model, int i)
{
    while (model->parent[i] >= 0)
        i = model->parent[i];
    return i;
}

static bool model_is_below(const struct model *model, int i, int above)
{
    while (model->parent[i] >= 0) {
        i = model->parent[i];
        if (i == above)
            return true;
    }
    return false;
}

static void check_members(const struct model *model, int i)
{
    bool seen[MODEL_TRACES] = {false};
    const struct traces *traces = &model->fixture.traces;
    for (window_trace at = traces_extra(traces, model->traces[i])->first_member;
         at != WINDOW_NONE; at = traces_extra(traces, at)->next_member) {
        int number = 0;
        while (model->traces[number] != at)
            number++;
        assert_int_equal(model->parent[number], i);
        assert_false(seen[number]);
        seen[number] = true;
    }
    for (int j = 0; j < MODEL_TRACES; j++)
        assert_int_equal(seen[j], model->parent[j] == i);
}

static void test_random_trees_against_a_model(void **state)
{
    (void)state;
    static struct model model;
    set_up(&model.fixture);
    random_init(&model.random, 2);
    for (int i = 0; i < MODEL_TRACES; i++) {
        model.traces[i] = open_with_extra(&model.fixture, (uint64_t)i);
        model.parent[i] = -1;
    }
    for (int step = 0; step < 5000; step++) {
        int member = (int)random_below(&model.random, MODEL_TRACES);
        int producer = (int)random_below(&model.random, MODEL_TRACES);
        struct traces *traces = &model.fixture.traces;
        bool below = model_is_below(&model, producer, member);
        assert_int_equal(traces_is_below(traces, model.traces[producer], model.traces[member]),
                         below);
        if (model.parent[member] >= 0) {
            traces_detach(traces, model.traces[member]);
            model.parent[member] = -1;
        } else if (member != producer && !below) {
            traces_attach(traces, model.traces[producer], model.traces[member]);
            model.parent[member] = producer;
        }
        assert_int_equal(traces_root(traces, model.traces[member]),
                         model.traces[model_root(&model, member)]);
        check_members(&model, member);
        check_members(&model, producer);
    }
    tear_down(&model.fixture);
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t nth = 1; nth <= 8; nth++) {
        struct fixture fixture;
        set_up(&fixture);
        window_trace trace = open_trace(&fixture, 1);
        uint32_t sides = 0;
        uint32_t items = 0;
        memory_fail_at(nth);
        for (uint64_t i = 0; i < 600; i++) {
            const struct hop_side side = {.span_id = span_of(i)};
            struct repair_join join = join_of(i, 2);
            struct evidence_item *item;
            sides += traces_add_side(&fixture.traces, trace, &side) == SB_OK;
            items += traces_add_evidence(&fixture.traces, trace, &join, 0, &item) == SB_OK;
            assert_int_equal(fixture.traces.sides.used, sides);
            assert_int_equal(fixture.traces.evidence.used, items);
        }
        memory_fail_at(0);
        failures += (int)(1200 - sides - items);
        assert_true(sides + items >= 1199);
        traces_free_extra(&fixture.traces, trace);
        assert_int_equal(fixture.traces.sides.used + fixture.traces.evidence.used, 0);
        tear_down(&fixture);
    }
    assert_int_equal(failures, 8);
}

static void append_span(struct fixture *fixture, window_trace trace, uint64_t id,
                        uint32_t record)
{
    struct text body;
    text_init(&body, 1 << 10);
    const struct span_spec spec = {.trace = trace_of(1), .id = id};
    spans_write_body(&body, &spec);
    const struct window_span span = {.raw = text_bytes(&body), .record = record};
    assert_int_equal(window_append(fixture->window, trace, &span), SB_OK);
    text_clear(&body);
}

/* The side tells which of two equal spans it is of. */
static void append_with_side(struct fixture *fixture, window_trace trace, uint64_t id,
                             uint32_t record)
{
    append_span(fixture, trace, id, record);
    const struct hop_side side = {.span_id = spans_id(id),
                                  .destination = record,
                                  .batch_count = record,
                                  .consumer = true};
    assert_int_equal(traces_add_side(&fixture->traces, trace, &side), SB_OK);
}

static bool has_odd_record(void *arg, const struct window_span *span)
{
    (void)arg;
    return span->record % 2 == 1;
}

static void count_side(void *arg, struct trace_id trace_id, const struct hop_side *side)
{
    uint32_t *sum = arg;
    assert_true(trace_id_equal(trace_id, trace_of(1)));
    *sum += side->batch_count;
}

/* Of spans that came twice, too; what is left stands in the order of its spans. */
static void test_sides_leave_with_their_spans(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    window_trace trace = open_trace(&fixture, 1);
    uint32_t sum = 0;
    traces_take_out_sides(&fixture.traces, trace, has_odd_record, count_side, &sum);
    append_with_side(&fixture, trace, 7, 1);
    append_span(&fixture, trace, 8, 3);
    append_with_side(&fixture, trace, 9, 4);
    append_with_side(&fixture, trace, 7, 6);
    append_with_side(&fixture, trace, 9, 9);
    append_span(&fixture, trace, 5, 10);
    append_with_side(&fixture, trace, 6, 12);
    traces_take_out_sides(&fixture.traces, trace, has_odd_record, count_side, &sum);
    assert_int_equal(sum, 1 + 9);
    static const uint32_t left[] = {12, 6, 4};
    const struct trace_extra *extra = traces_extra(&fixture.traces, trace);
    uint32_t at = extra->first_side;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(traces_side(&fixture.traces, at)->side.batch_count, left[i]);
        at = traces_side(&fixture.traces, at)->next;
    }
    assert_int_equal(at, POOL_NONE);
    assert_int_equal(fixture.traces.sides.used, 3);
    for (uint64_t i = 0; i < 13; i++) {
        const struct hop_side sent = {.destination = i};
        assert_int_equal(traces_consumes(extra, &sent), i == 4 || i == 6 || i == 12);
    }
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_has_no_extra_until_it_needs_one),
        cmocka_unit_test(test_sides_are_found_by_their_span),
        cmocka_unit_test(test_a_side_is_explained_by_its_evidence),
        cmocka_unit_test(test_a_sender_is_explained_by_the_join),
        cmocka_unit_test(test_a_trace_knows_where_it_consumes_from),
        cmocka_unit_test(test_a_walk_meets_every_trace_of_a_tree_once),
        cmocka_unit_test(test_equal_evidence_is_kept_once),
        cmocka_unit_test(test_evidence_is_bounded),
        cmocka_unit_test(test_the_attachment_is_the_evidence_that_made_it),
        cmocka_unit_test(test_a_chain_has_one_root_up_to_a_bound),
        cmocka_unit_test(test_random_trees_against_a_model),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
        cmocka_unit_test(test_sides_leave_with_their_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
