/*
 * repair: traces that broke at messages come out in one piece, by each of the three rules, in
 * chains of up to three hops, and the same with any number of workers.
 */
#include <stdlib.h>

#include "scenario.h"

enum {
    CASES = 36,
    HOPS_MAX = 3,
    PIECE_SPANS = 3,
    SPAN_PARTITIONS = 3,
    PARTITIONS = 2,
    RULES = 3,
    SERVER = 2,
    PRODUCER = 4,
    CONSUMER = 5
};

static const char *const topics[HOPS_MAX] = {"orders", "shipments", "invoices"};
static const char *const rules[RULES] = {"link", "coordinate", "header_at_coordinate"};

/* A trace that broke into hops + 1 pieces, each with its own trace id. */
static uint64_t hops_of(uint64_t number)
{
    return 1 + number % HOPS_MAX;
}

static uint64_t rule_of(uint64_t number, uint64_t hop)
{
    return (number / HOPS_MAX + hop) % RULES;
}

static struct trace_id trace_of(uint64_t number, uint64_t piece)
{
    return scenario_trace(number * 10 + piece);
}

/* In each piece: where it begins, something inside, and the send span of the next hop. */
static uint64_t id_of(uint64_t number, uint64_t piece, uint64_t span)
{
    return 1 + number * 100 + piece * 10 + span;
}

static struct span_context sent_by(uint64_t number, uint64_t hop)
{
    return (struct span_context){trace_of(number, hop), id_of(number, hop, 2)};
}

struct places {
    int64_t offset[CASES][HOPS_MAX];
    int64_t next[HOPS_MAX][PARTITIONS];
    uint64_t hops[RULES];
};

static void put_messages(struct scenario *scenario, struct places *places)
{
    for (uint64_t number = 0; number < CASES; number++) {
        for (uint64_t hop = 0; hop < hops_of(number); hop++) {
            struct span_context context = sent_by(number, hop);
            bool header = rule_of(number, hop) == 2;
            scenario_put_message(scenario, topics[hop], (int)(number % PARTITIONS),
                                 header ? &context : NULL);
            places->offset[number][hop] = places->next[hop][number % PARTITIONS]++;
            places->hops[rule_of(number, hop)]++;
        }
    }
}

static void place(struct span_spec *spec, const struct places *places, uint64_t number,
                  uint64_t hop, bool consumer)
{
    const uint64_t rule = rule_of(number, hop);
    spec->kind = consumer ? CONSUMER : PRODUCER;
    spec->operation = consumer ? "process" : "send";
    spec->topic = topics[hop];
    spec->placed = consumer ? rule != 0 : rule == 1;
    spec->partition = (int64_t)(number % PARTITIONS);
    spec->offset = places->offset[number][hop];
    if (consumer && rule == 0)
        spec->links[spec->link_count++] = sent_by(number, hop);
}

static void put_piece(struct scenario *scenario, const struct places *places, uint64_t number,
                      uint64_t piece)
{
    struct span_spec specs[PIECE_SPANS];
    size_t count = piece < hops_of(number) ? 3 : 2;
    for (uint64_t i = 0; i < count; i++)
        specs[i] = (struct span_spec){
            .trace = trace_of(number, piece),
            .id = id_of(number, piece, i),
            .parent = i == 0 ? 0 : id_of(number, piece, i - 1),
            .service = topics[piece % HOPS_MAX],
            .start_ms = number * 100 + piece * 10 + i,
            .kind = SERVER,
        };
    if (piece > 0)
        place(&specs[0], places, number, piece - 1, true);
    specs[1].kind = 1;
    if (count == 3)
        place(&specs[2], places, number, piece, false);
    scenario_put(scenario, "spans", (int)((number + piece) % SPAN_PARTITIONS), specs, count);
}

/* By pieces: all first ones first, or last. */
static void put_all(struct scenario *scenario, struct places *places, bool consumers_first)
{
    put_messages(scenario, places);
    for (uint64_t i = 0; i <= HOPS_MAX; i++) {
        uint64_t piece = consumers_first ? HOPS_MAX - i : i;
        for (uint64_t number = 0; number < CASES; number++)
            if (piece <= hops_of(number))
                put_piece(scenario, places, number, piece);
        scenario_flush(scenario);
    }
}

static void start(struct scenario *scenario, struct places *places, const char *repair,
                  bool consumers_first)
{
    *places = (struct places){0};
    scenario_start(scenario);
    scenario_span_topic(scenario, "spans", SPAN_PARTITIONS, "");
    for (int i = 0; i < HOPS_MAX; i++)
        scenario_message_topic(scenario, topics[i], PARTITIONS, "");
    scenario->more = repair;
    put_all(scenario, places, consumers_first);
}

static void check_piece(struct scenario *scenario, uint64_t number, uint64_t piece)
{
    size_t count = piece < hops_of(number) ? 3 : 2;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = id_of(number, piece, i);
        const struct seen *seen = scenario_find(scenario, 0, id);
        assert_non_null(seen);
        assert_int_equal(scenario_copies(scenario, 0, id), 1);
        assert_true(trace_id_equal(seen->trace, trace_of(number, 0)));
        uint64_t parent = i > 0 ? id - 1 : piece > 0 ? id_of(number, piece - 1, 2) : 0;
        assert_int_equal(seen->parent, parent);
        bool mended = piece > 0 && i == 0;
        assert_string_equal(seen->rule, mended ? rules[rule_of(number, piece - 1)] : "");
        assert_string_equal(seen->action, mended ? "parent" : "");
    }
}

static void check_whole(struct scenario *scenario, const struct places *places)
{
    for (uint64_t number = 0; number < CASES; number++)
        for (uint64_t piece = 0; piece <= hops_of(number); piece++)
            check_piece(scenario, number, piece);
    assert_int_equal(scenario_total(scenario, "traces.kept"), CASES);
    assert_int_equal(scenario_total(scenario, "repairs.link.parent"), places->hops[0]);
    assert_int_equal(scenario_total(scenario, "repairs.coordinate.parent"), places->hops[1]);
    assert_int_equal(scenario_total(scenario, "repairs.header_at_coordinate.parent"),
                     places->hops[2]);
}

static void mend_with(uint32_t workers, bool consumers_first)
{
    struct scenario scenario;
    struct places places;
    start(&scenario, &places, "", consumers_first);
    scenario.workers = workers;
    scenario_drain(&scenario, 0);
    check_whole(&scenario, &places);
    scenario_end(&scenario);
}

static void mends_with_one_worker(void **state)
{
    (void)state;
    mend_with(1, false);
}

static void mends_with_more_workers(void **state)
{
    (void)state;
    mend_with(2, false);
    mend_with(4, false);
}

static void mends_when_consumers_come_first(void **state)
{
    (void)state;
    mend_with(1, true);
    mend_with(4, true);
}

/* The window's deadlines decide, not the end. */
static void mends_while_it_runs(void **state)
{
    (void)state;
    struct scenario scenario;
    struct places places;
    start(&scenario, &places, "", true);
    scenario.workers = 2;
    scenario.window = "wait = \"2s\";";
    scenario.stays = true;
    scenario_run(&scenario);
    size_t spans = 0;
    for (uint64_t number = 0; number < CASES; number++)
        spans += hops_of(number) * 3 + 2;
    scenario_wait_spans(&scenario, 0, spans);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    check_whole(&scenario, &places);
    scenario_end(&scenario);
}

static int by_id(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

/* What came to the backend, sorted; the caller's to free. */
static struct seen *take_set(struct scenario *scenario, size_t *ret_count)
{
    size_t count = scenario_span_count(scenario, 0);
    struct seen *set = calloc(count + 1, sizeof(*set));
    assert_non_null(set);
    memcpy(set, scenario->backends[0].seen, count * sizeof(*set));
    qsort(set, count, sizeof(*set), by_id);
    *ret_count = count;
    return set;
}

/* Queue spans are of our own making, and must not depend on who made them either. */
static void gives_the_same_with_any_number_of_workers(void **state)
{
    (void)state;
    static const uint32_t workers[] = {1, 2, 4};
    struct scenario scenario;
    struct places places;
    struct seen *sets[3];
    size_t counts[3];
    for (int run = 0; run < 3; run++) {
        start(&scenario, &places, "repair = { queue_span = true; };", run == 1);
        scenario.workers = workers[run];
        scenario_drain(&scenario, 0);
        sets[run] = take_set(&scenario, &counts[run]);
        uint64_t hops = places.hops[0] + places.hops[1] + places.hops[2];
        assert_int_equal(scenario_total(&scenario, "synthetic"), hops);
        assert_int_equal(counts[run], scenario_total(&scenario, "read.spans") + (int64_t)hops);
        scenario_end(&scenario);
    }
    for (int run = 1; run < 3; run++) {
        assert_int_equal(counts[run], counts[0]);
        for (size_t i = 0; i < counts[0]; i++) {
            assert_int_equal(sets[run][i].id, sets[0][i].id);
            assert_int_equal(sets[run][i].parent, sets[0][i].parent);
            assert_true(trace_id_equal(sets[run][i].trace, sets[0][i].trace));
        }
    }
    for (int run = 0; run < 3; run++)
        free(sets[run]);
}

static void links_where_that_is_wanted(void **state)
{
    (void)state;
    struct scenario scenario;
    struct places places;
    start(&scenario, &places, "repair = { mode = \"link\"; };", false);
    scenario.workers = 2;
    scenario_drain(&scenario, 0);
    for (uint64_t number = 0; number < CASES; number++) {
        for (uint64_t piece = 1; piece <= hops_of(number); piece++) {
            const struct seen *seen = scenario_find(&scenario, 0, id_of(number, piece, 0));
            assert_non_null(seen);
            assert_true(trace_id_equal(seen->trace, trace_of(number, piece)));
            assert_int_equal(seen->parent, 0);
            assert_int_equal(seen->links, 1);
        }
    }
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mends_with_one_worker),
        cmocka_unit_test(mends_with_more_workers),
        cmocka_unit_test(mends_when_consumers_come_first),
        cmocka_unit_test(mends_while_it_runs),
        cmocka_unit_test(gives_the_same_with_any_number_of_workers),
        cmocka_unit_test(links_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
