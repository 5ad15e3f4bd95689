#include "destinations.h"

#include <stdio.h>

#include "core/memory.h"
#include "fake_source.h"
#include "support/test.h"

enum { TOPICS = 3 };

struct fixture {
    struct fake_source source;
    struct worker_topic topics[TOPICS];
    struct worker_options options;
    struct destinations destinations;
};

static void set_up(struct fixture *fixture)
{
    fake_source_init(&fixture->source);
    fixture->source.topic_names[0] = "spans";
    fixture->source.topic_roles[0] = SOURCE_SPANS;
    fixture->source.topic_names[1] = "orders";
    fixture->source.topic_roles[1] = SOURCE_MESSAGES;
    fixture->source.topic_names[2] = "payments";
    fixture->source.topic_roles[2] = SOURCE_MESSAGES;
    fixture->topics[0] = (struct worker_topic){.name = "spans", .role = WORKER_SPANS};
    fixture->topics[1] = (struct worker_topic){
        .name = "orders", .role = WORKER_MESSAGES, .repair = {.mode = REPAIR_AUTO}};
    fixture->topics[2] = (struct worker_topic){
        .name = "payments", .role = WORKER_MESSAGES, .repair = {.mode = REPAIR_LINK}};
    fixture->options = (struct worker_options){
        .sources = fixture->source.sources,
        .topics = fixture->topics,
        .topic_count = TOPICS,
        .default_repair = {.mode = REPAIR_REPORT},
    };
    assert_int_equal(destinations_init(&fixture->destinations, &fixture->options), SB_OK);
}

static void tear_down(struct fixture *fixture)
{
    destinations_clear(&fixture->destinations);
    fake_source_clear(&fixture->source);
}

static uint16_t find(struct fixture *fixture, const char *name)
{
    struct bytes bytes = bytes_text(name);
    return destinations_find(&fixture->destinations, bytes, repair_destination_hash(bytes));
}

static void test_a_topic_file_rules_its_topic_and_the_worker_file_the_rest(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    uint16_t orders = find(&fixture, "orders");
    uint16_t payments = find(&fixture, "payments");
    uint16_t other = find(&fixture, "nobody.knows");
    uint16_t nameless = find(&fixture, "");
    const struct destinations *destinations = &fixture.destinations;
    assert_int_equal(destinations_repair(destinations, orders)->mode, REPAIR_AUTO);
    assert_int_equal(destinations_repair(destinations, payments)->mode, REPAIR_LINK);
    assert_int_equal(destinations_repair(destinations, other)->mode, REPAIR_REPORT);
    assert_int_equal(destinations_repair(destinations, nameless)->mode, REPAIR_REPORT);
    assert_true(destinations_tapped(destinations, orders));
    assert_false(destinations_tapped(destinations, other));
    /* A topic of spans is no destination of business messages. */
    assert_int_equal(destinations_repair(destinations, find(&fixture, "spans"))->mode,
                     REPAIR_REPORT);
    tear_down(&fixture);
}

static void test_a_name_is_matched_once(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(find(&fixture, "orders"), 1);
        assert_int_equal(find(&fixture, "other"), TOPICS);
    }
    assert_int_equal(fixture.source.lookups, 2);
    tear_down(&fixture);
}

/* Two names whose hashes agree in what the table compares are still two names. */
static void test_names_with_like_hashes_are_told_apart(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    struct bytes orders = BYTES_LITERAL("orders");
    struct bytes other = BYTES_LITERAL("other");
    uint64_t hash = repair_destination_hash(orders);
    assert_int_equal(destinations_find(&fixture.destinations, orders, hash), 1);
    assert_int_equal(destinations_find(&fixture.destinations, other, hash ^ 1), TOPICS);
    assert_int_equal(destinations_find(&fixture.destinations, orders, hash), 1);
    tear_down(&fixture);
}

/* Names come from outside: no more than some are remembered, and all are answered. */
static void test_memory_for_names_is_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    for (int i = 0; i < 10000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "topic-%d", i);
        assert_int_equal(find(&fixture, name), TOPICS);
    }
    assert_int_equal(fixture.destinations.by_name.used, 4096);
    assert_int_equal(find(&fixture, "payments"), 2);
    static char longer[5000];
    memset(longer, 'x', sizeof(longer) - 1);
    assert_int_equal(find(&fixture, longer), TOPICS);
    tear_down(&fixture);
}

static void test_without_memory_names_are_matched_again(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    destinations_clear(&fixture.destinations);
    memory_fail_at(1);
    assert_int_equal(destinations_init(&fixture.destinations, &fixture.options), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_int_equal(destinations_init(&fixture.destinations, &fixture.options), SB_OK);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof(name), "topic-%d", i);
        memory_fail_at(1);
        assert_int_equal(find(&fixture, name), TOPICS);
    }
    memory_fail_at(0);
    assert_int_equal(find(&fixture, "orders"), 1);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_topic_file_rules_its_topic_and_the_worker_file_the_rest),
        cmocka_unit_test(test_a_name_is_matched_once),
        cmocka_unit_test(test_names_with_like_hashes_are_told_apart),
        cmocka_unit_test(test_memory_for_names_is_bounded),
        cmocka_unit_test(test_without_memory_names_are_matched_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
