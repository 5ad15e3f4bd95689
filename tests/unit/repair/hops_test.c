#include "core/memory.h"
#include "hops_fixture.h"

static void test_two_sides_meet_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        if (order == 0)
            add_consumer(hops, 1, 7, 1);
        add_producer(hops, 1, 8, 2);
        if (order == 1)
            add_consumer(hops, 1, 7, 3);
        assert_int_equal(joins.count, 1);
        check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 8, 1008);
        assert_true(joins.at[0].key.word[1] == 1);
        assert_int_equal(joins.at[0].producer.flags, 0);
        repair_hops_free(hops);
    }
}

static void test_headers_join_too(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        if (order == 0)
            add_consumer(hops, 1, 7, 1);
        add_message(hops, 1, 8, 555, 2);
        if (order == 1)
            add_consumer(hops, 1, 7, 3);
        assert_int_equal(joins.count, 1);
        check_join(&joins.at[0], REPAIR_RULE_HEADER_AT_COORDINATE, 7, 8, 555);
        assert_int_equal(joins.at[0].producer.flags, 8);
        repair_hops_free(hops);
    }
}

/* The stronger evidence is reported again, the weaker one after it is not. */
static void test_stronger_evidence_is_reported_again(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 8, 555, 2);
    add_producer(hops, 1, 9, 3);
    assert_int_equal(joins.count, 2);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 7, 9, 555); /* the record's time */
    add_message(hops, 1, 8, 555, 4);
    add_producer(hops, 1, 9, 4);
    assert_int_equal(joins.count, 2);
    repair_hops_free(hops);

    hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 9, 1);
    add_consumer(hops, 1, 7, 2);
    add_message(hops, 1, 8, 555, 3);
    assert_int_equal(joins.count, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 9, 1009);
    assert_int_equal(repair_hops_counters(hops)->joined, 1);
    repair_hops_free(hops);
}

/* A record without a context, or of unknown time, is only what it is. */
static void test_records_that_say_little(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 0, 555, 1);
    assert_int_equal(joins.count, 0);
    add_producer(hops, 1, 8, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 8, 555);
    add_message(hops, 2, 9, 0, 1);
    add_producer(hops, 2, 8, 1);
    add_consumer(hops, 2, 7, 1);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 7, 8, 1008);
    assert_int_equal(joins.count, 2);
    repair_hops_free(hops);
}

static void test_every_consumer_of_a_coordinate_joins(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 1, 1);
    add_consumer(hops, 1, 2, 1);
    add_consumer(hops, 1, 1, 1); /* known already */
    add_producer(hops, 1, 8, 1);
    assert_int_equal(joins.count, 2);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 1, 8, 1008);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 2, 8, 1008);
    add_consumer(hops, 1, 3, 1);
    add_consumer(hops, 1, 3, 1);
    assert_int_equal(joins.count, 3);
    check_join(&joins.at[2], REPAIR_RULE_COORDINATE, 3, 8, 1008);
    add_consumer(hops, 2, 4, 1); /* another coordinate */
    assert_int_equal(joins.count, 3);
    assert_int_equal(repair_hops_counters(hops)->sides, 5);
    repair_hops_free(hops);
}

static void withdraw(struct repair_hops *hops, uint64_t key, uint8_t number)
{
    const struct repair_consumer_side side = {
        .trace_id = {{0x30, number}}, .span_id = {{0x40, number}}, .topic = number};
    repair_hops_withdraw_consumer(hops, key_of(key), &side);
}

/* A consumer that is withdrawn joins nothing, and all anew when it comes again. */
static void test_a_withdrawn_consumer_joins_when_it_comes_again(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    withdraw(hops, 1, 7); /* nobody knows it */
    add_message(hops, 1, 8, 555, 1);
    add_consumer(hops, 1, 7, 1);
    add_consumer(hops, 1, 6, 1);
    assert_int_equal(joins.count, 2);
    withdraw(hops, 1, 7);
    add_producer(hops, 1, 9, 2);
    assert_int_equal(joins.count, 3);
    check_join(&joins.at[2], REPAIR_RULE_COORDINATE, 6, 9, 555);
    add_consumer(hops, 1, 7, 3);
    assert_int_equal(joins.count, 4);
    check_join(&joins.at[3], REPAIR_RULE_COORDINATE, 7, 9, 555);
    add_consumer(hops, 1, 7, 3);
    assert_int_equal(joins.count, 4);
    assert_int_equal(repair_hops_counters(hops)->sides, 4);
    repair_hops_free(hops);
}

static void test_consumers_differ_by_trace_and_by_span(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 8, 1);
    for (uint8_t i = 0; i < 4; i++) {
        struct repair_consumer_side side = {.trace_id = {{(uint8_t)(1 + i / 2)}},
                                            .span_id = {{(uint8_t)(1 + i % 2)}}};
        assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &side, 1), SB_OK);
        assert_int_equal(joins.count, i + 1);
    }
    repair_hops_free(hops);
}

static void test_two_producers_are_ambiguous(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 8, 1);
    add_producer(hops, 1, 8, 1); /* the same twice is one */
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 0);
    add_producer(hops, 1, 9, 1);
    add_producer(hops, 1, 10, 1);
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 1); /* one coordinate */
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 8, 555, 1);
    add_consumer(hops, 1, 6, 1);
    assert_int_equal(joins.count, 0);
    repair_hops_free(hops);
}

static void test_two_records_are_ambiguous(void **state)
{
    (void)state;
    static const uint8_t others[] = {9, 0};
    for (size_t i = 0; i < sizeof(others); i++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        add_message(hops, 1, 8, 555, 1);
        add_message(hops, 1, 8, 556, 1); /* read again */
        assert_int_equal(repair_hops_counters(hops)->ambiguous, 0);
        add_message(hops, 1, others[i], 555, 1);
        assert_int_equal(repair_hops_counters(hops)->ambiguous, 1);
        add_consumer(hops, 1, 7, 1);
        add_producer(hops, 1, 8, 1);
        assert_int_equal(joins.count, 0);
        repair_hops_free(hops);
    }
}

static void test_nobody_joins_itself(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    struct repair_context self = context_of(3);
    struct repair_consumer_side consumer = {.trace_id = self.trace_id, .span_id = self.span_id};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &consumer, 1), SB_OK);
    add_producer(hops, 1, 3, 1);
    assert_int_equal(joins.count, 0);
    add_consumer(hops, 1, 7, 1);
    assert_int_equal(joins.count, 1);
    repair_hops_free(hops);
}

static void test_sides_expire(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1000);
    add_consumer(hops, 2, 7, 1001);
    add_consumer(hops, 2, 8, 1050);
    repair_hops_expire(hops, 1100, 10); /* not older than ttl */
    assert_int_equal(repair_hops_counters(hops)->expired, 0);
    repair_hops_expire(hops, 1140, 1); /* the budget */
    assert_int_equal(repair_hops_counters(hops)->expired, 1);
    add_producer(hops, 1, 9, 1140);
    assert_int_equal(joins.count, 0);
    repair_hops_expire(hops, 1140, 10);
    assert_int_equal(repair_hops_counters(hops)->expired, 2);
    add_producer(hops, 2, 9, 1141);
    assert_int_equal(joins.count, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 8, 9, 1009);
    repair_hops_expire(hops, 10, 10); /* a clock that went back */
    assert_int_equal(repair_hops_counters(hops)->expired, 2);
    repair_hops_expire(hops, 100000, 10);
    assert_int_equal(repair_hops_counters(hops)->expired, 5);
    repair_hops_expire(hops, 100000, 10);
    repair_hops_free(hops);
    repair_hops_free(NULL);
}

/* A coordinate that many producers claim stays ambiguous for as long as they do. */
static void test_poisoned_coordinates_stay_poisoned(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    for (uint8_t i = 0; i < 100; i++) {
        uint64_t now_ns = 1000 + i * 60U;
        repair_hops_expire(hops, now_ns, 10);
        add_producer(hops, 1, i, now_ns);
        if (i > 0)
            add_consumer(hops, 1, i, now_ns);
    }
    assert_int_equal(joins.count, 0);
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 1);
    repair_hops_expire(hops, 100000, 1000);
    add_producer(hops, 1, 1, 100000);
    add_consumer(hops, 1, 2, 100000);
    assert_int_equal(joins.count, 1);
    repair_hops_free(hops);
}

static void test_consumers_of_one_coordinate_are_bounded(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    for (uint8_t i = 0; i < 200; i++)
        add_consumer(hops, 1, i, 1);
    assert_int_equal(repair_hops_counters(hops)->sides, 64);
    assert_int_equal(repair_hops_counters(hops)->crowded, 136);
    add_producer(hops, 1, 8, 1);
    assert_int_equal(joins.count, 64);
    repair_hops_free(hops);
}

static void test_the_oldest_make_room(void **state)
{
    (void)state;
    static struct joins joins;
    size_t bytes_max = 50000;
    uint32_t room = find_room(bytes_max);
    struct repair_hops *hops = make(bytes_max, 100, &joins);
    for (uint32_t i = 0; i < room + 10; i++)
        add_consumer(hops, i, 1, 1);
    assert_int_equal(repair_hops_counters(hops)->evicted, 10);
    for (uint32_t i = room + 10; i-- > 0;) {
        uint32_t before = joins.count;
        add_producer(hops, i, 8, 1); /* pushes out one more each time, from the old end */
        if (i >= room + 5)
            assert_int_equal(joins.count, before + 1);
        if (i < 10)
            assert_int_equal(joins.count, before);
    }
    repair_hops_free(hops);
}

/* The bound of the design: 96 bytes a side, whether each has a key of its own or not. */
static void test_bytes_a_side(void **state)
{
    (void)state;
    static const uint32_t counts[] = {50000, 100000, 115000, 200000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (uint32_t shared = 1; shared <= 2; shared++) {
            static struct joins joins;
            struct repair_hops *hops = make((size_t)1 << 30, 100, &joins);
            for (uint32_t n = 0; n < counts[i]; n++)
                add_consumer(hops, n / shared, (uint8_t)(n % shared), 1);
            double each = (double)repair_hops_bytes(hops) / counts[i];
            print_message("%u sides, %u a key: %.1f bytes each\n", counts[i], shared, each);
            assert_true(each <= 96.0);
            repair_hops_free(hops);
        }
    }
    size_t bytes_max = 4U << 20;
    assert_true((double)bytes_max / find_room(bytes_max) <= 120.0); /* and it is used */
}

static void test_too_small_is_no_table(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(100, 100, &joins);
    struct repair_consumer_side side = {.topic = 1};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &side, 1), SB_ERR_MEMORY);
    repair_hops_expire(hops, 1, 1);
    repair_hops_free(hops);
}

/* Whatever allocation fails: that side is refused, and nothing else is lost or broken. */
static void test_memory_shortage_refuses_one_side(void **state)
{
    (void)state;
    static struct joins joins;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct repair_hops_options options = {.bytes_max = PLENTY, .on_join = note_join};
        struct repair_hops *hops = NULL;
        memory_fail_at(nth);
        assert_int_equal(repair_hops_new(&options, &hops), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_null(hops);
    }
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    uint32_t refused = 0;
    bool is_known[1000] = {false};
    for (uint32_t i = 0; i < 1000; i++) {
        struct repair_consumer_side side = {.span_id = {{1}}, .topic = i};
        memory_fail_at(1);
        enum sb_err err = repair_hops_add_consumer(hops, key_of(i), &side, 1);
        memory_fail_at(0);
        if (err != SB_OK) {
            assert_int_equal(err, SB_ERR_MEMORY);
            refused++;
            memory_fail_at(2); /* the pool may grow, the table not, or the other way round */
            is_known[i] = repair_hops_add_consumer(hops, key_of(i), &side, 1) == SB_OK;
            memory_fail_at(0);
        } else {
            is_known[i] = true;
        }
    }
    assert_true(refused > 10);
    uint32_t known = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        add_producer(hops, i, 8, 1);
        known += is_known[i] ? 1 : 0;
        assert_int_equal(joins.count, known);
    }
    assert_int_equal(repair_hops_counters(hops)->sides, known + 1000);
    repair_hops_free(hops);
}

/* A side that was refused takes no room away from others. */
static void test_refused_sides_take_no_room(void **state)
{
    (void)state;
    static struct joins joins;
    size_t bytes_max = 50000;
    uint32_t room = find_room(bytes_max);
    struct repair_hops *hops = make(bytes_max, 100, &joins);
    for (uint32_t i = 0; i < room; i++) {
        struct repair_consumer_side side = {.span_id = {{1}}};
        memory_fail_at(1);
        enum sb_err err = repair_hops_add_consumer(hops, key_of(i), &side, 1);
        memory_fail_at(0);
        if (err != SB_OK)
            assert_int_equal(repair_hops_add_consumer(hops, key_of(i), &side, 1), SB_OK);
    }
    assert_int_equal(repair_hops_counters(hops)->sides, room);
    assert_int_equal(repair_hops_counters(hops)->evicted, 0);
    repair_hops_free(hops);
}

static void test_a_look_tells_what_is_known_of_a_producer(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    struct repair_context who = {0};
    add_consumer(hops, 1, 1, 1);
    assert_int_equal(repair_hops_look(hops, key_of(1), &who), REPAIR_SIGHT_NOTHING);
    assert_int_equal(repair_hops_look(hops, key_of(9), &who), REPAIR_SIGHT_NOTHING);
    add_message(hops, 1, 0, 5, 1);
    assert_int_equal(repair_hops_look(hops, key_of(1), &who), REPAIR_SIGHT_BARE);
    add_producer(hops, 1, 2, 1);
    assert_int_equal(repair_hops_look(hops, key_of(1), &who), REPAIR_SIGHT_CLEAR);
    assert_true(span_id_equal(who.span_id, context_of(2).span_id));
    add_producer(hops, 1, 3, 1);
    assert_int_equal(repair_hops_look(hops, key_of(1), &who), REPAIR_SIGHT_AMBIGUOUS);
    add_message(hops, 2, 4, 5, 1);
    assert_int_equal(repair_hops_look(hops, key_of(2), &who), REPAIR_SIGHT_CLEAR);
    repair_hops_free(hops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sides_meet_in_any_order),
        cmocka_unit_test(test_headers_join_too),
        cmocka_unit_test(test_stronger_evidence_is_reported_again),
        cmocka_unit_test(test_records_that_say_little),
        cmocka_unit_test(test_every_consumer_of_a_coordinate_joins),
        cmocka_unit_test(test_a_withdrawn_consumer_joins_when_it_comes_again),
        cmocka_unit_test(test_consumers_differ_by_trace_and_by_span),
        cmocka_unit_test(test_two_producers_are_ambiguous),
        cmocka_unit_test(test_two_records_are_ambiguous),
        cmocka_unit_test(test_nobody_joins_itself),
        cmocka_unit_test(test_sides_expire),
        cmocka_unit_test(test_poisoned_coordinates_stay_poisoned),
        cmocka_unit_test(test_consumers_of_one_coordinate_are_bounded),
        cmocka_unit_test(test_the_oldest_make_room),
        cmocka_unit_test(test_bytes_a_side),
        cmocka_unit_test(test_too_small_is_no_table),
        cmocka_unit_test(test_refused_sides_take_no_room),
        cmocka_unit_test(test_memory_shortage_refuses_one_side),
        cmocka_unit_test(test_a_look_tells_what_is_known_of_a_producer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
