#include "decide/decide.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"
#include "values.h"

enum {
    UNSET = 1 << OTLP_STATUS_UNSET,
    OK = 1 << OTLP_STATUS_OK,
    ERROR = 1 << OTLP_STATUS_ERROR
};

struct fixture {
    struct otlp_keys *keys;
    struct decide *decide;
    struct decide_worker *worker;
};

static void set_up(struct fixture *fixture, const struct decide_policy *policies,
                   uint32_t count)
{
    struct decide_options options = {.policies = policies, .policy_count = count};
    uint32_t wrong;
    char why[DECIDE_WHY_LEN];
    *fixture = (struct fixture){0};
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    assert_int_equal(decide_new(&options, fixture->keys, &fixture->decide, &wrong, why), SB_OK);
    assert_int_equal(decide_worker_new(fixture->decide, &fixture->worker), SB_OK);
}

static void tear_down(struct fixture *fixture)
{
    decide_worker_free(fixture->worker);
    decide_free(fixture->decide);
    otlp_keys_free(fixture->keys);
}

static struct decide_verdict decide_once(const struct decide_policy *policies, uint32_t count,
                                         const struct decide_facts *facts)
{
    struct fixture fixture;
    set_up(&fixture, policies, count);
    struct trace_id id = {.byte = {7}};
    struct decide_verdict verdict = decide_verdict(fixture.worker, id, facts);
    tear_down(&fixture);
    return verdict;
}

/* Spans by start and end in ms. */
static struct decide_facts facts_of(const uint64_t (*spans)[2], int count)
{
    struct decide_facts facts;
    decide_facts_init(&facts);
    for (int i = 0; i < count; i++) {
        struct otlp_span span = {.start_ns = spans[i][0] * NS_PER_MS,
                                 .end_ns = spans[i][1] * NS_PER_MS};
        decide_facts_add_span(&facts, &span, 0);
    }
    return facts;
}

static void test_latency(void **state)
{
    (void)state;
    static const struct {
        uint64_t threshold_ms;
        uint64_t upper_ms;
        uint64_t spans[3][2];
        int count;
        bool keep;
    } rows[] = {
        {5000, 0, {{1000, 5500}}, 1, false},
        {5000, 0, {{1000, 6000}}, 1, false}, /* not above the threshold */
        {5000, 0, {{1000, 6001}}, 1, true},
        {5000, 0, {{1000, 4000}, {3500, 6500}}, 2, true},
        {5000, 0, {{3500, 6500}, {1000, 4000}}, 2, true},
        {5000, 10000, {{1000, 5500}}, 1, false},
        {5000, 10000, {{1000, 6000}}, 1, false},
        {5000, 10000, {{1000, 6001}}, 1, true},
        {5000, 10000, {{1000, 11000}}, 1, true}, /* the upper one is within */
        {5000, 10000, {{1000, 11001}}, 1, false},
        {5000, 10000, {{1000, 4000}, {3000, 6500}}, 2, true},
        /* The first two alone would lie in the band: the whole trace counts. */
        {5000, 10000, {{1000, 4000}, {2000, 7000}, {3000, 20000}}, 3, false},
        {0, 0, {{1000, 1000}}, 1, false},
        {0, 0, {{1000, 1001}}, 1, true},
        {0, 0, {{0, 5000}}, 1, false}, /* no start: no duration */
        {0, 0, {{5000, 0}}, 1, false},
        {0, 0, {{5000, 4000}}, 1, false},
        {0, 0, {{0, 0}}, 1, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decide_policy policy = {.name = "slow",
                                       .type = DECIDE_LATENCY,
                                       .threshold_ns = rows[i].threshold_ms * NS_PER_MS,
                                       .upper_threshold_ns = rows[i].upper_ms * NS_PER_MS};
        struct decide_facts facts = facts_of(rows[i].spans, rows[i].count);
        if (decide_once(&policy, 1, &facts).keep != rows[i].keep)
            fail_msg("row %zu", i);
    }
}

static void test_latency_counts_nanoseconds(void **state)
{
    (void)state;
    struct decide_policy policy = {
        .name = "slow", .type = DECIDE_LATENCY, .threshold_ns = 2 * NS_PER_S};
    struct decide_facts facts;
    decide_facts_init(&facts);
    facts.earliest_start_ns = 5;
    facts.latest_end_ns = 2 * NS_PER_S + 5;
    assert_false(decide_once(&policy, 1, &facts).keep);
    facts.latest_end_ns++;
    assert_true(decide_once(&policy, 1, &facts).keep);
}

static void test_status_code(void **state)
{
    (void)state;
    static const struct {
        uint8_t listed;
        uint8_t seen;
        bool keep;
    } rows[] = {
        {ERROR, UNSET, false},      {OK | ERROR, UNSET, false},
        {UNSET, UNSET, true},       {OK | UNSET, UNSET, true},
        {ERROR, ERROR, true},       {ERROR, OK | UNSET | ERROR, true},
        {OK, UNSET | ERROR, false}, {OK | ERROR, OK, true},
        {ERROR, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decide_policy policy = {
            .name = "s", .type = DECIDE_STATUS_CODE, .statuses = rows[i].listed};
        struct decide_facts facts;
        decide_facts_init(&facts);
        for (uint8_t status = 0; status < 3; status++) {
            struct otlp_span span = {.status = status};
            if ((rows[i].seen >> status & 1) != 0)
                decide_facts_add_span(&facts, &span, 0);
        }
        if (decide_once(&policy, 1, &facts).keep != rows[i].keep)
            fail_msg("row %zu", i);
    }
}

static const struct decide_policy always = {.name = "always", .type = DECIDE_ALWAYS_SAMPLE};
static const struct decide_policy never = {
    .name = "never", .type = DECIDE_PROBABILISTIC, .percentage = 0};
static const struct decide_policy all = {
    .name = "all", .type = DECIDE_PROBABILISTIC, .percentage = 100};
static const struct decide_policy errors = {
    .name = "errors", .type = DECIDE_STATUS_CODE, .statuses = ERROR};

/* Any keep keeps, and the first in file order is the recorded one, first_match or not. */
static void test_votes(void **state)
{
    (void)state;
    const struct {
        struct decide_policy policies[3];
        uint8_t status;
        uint16_t recorded;
    } rows[] = {
        {{never, never, never}, OTLP_STATUS_OK, DECIDE_NO_POLICY},
        {{never, always, never}, OTLP_STATUS_OK, 1},
        {{never, errors, all}, OTLP_STATUS_OK, 2},
        {{never, errors, all}, OTLP_STATUS_ERROR, 1},
        {{all, errors, always}, OTLP_STATUS_ERROR, 0},
        {{errors, never, errors}, OTLP_STATUS_OK, DECIDE_NO_POLICY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decide_facts facts;
        decide_facts_init(&facts);
        struct otlp_span span = {.status = rows[i].status};
        decide_facts_add_span(&facts, &span, 0);
        struct decide_verdict verdict = decide_once(rows[i].policies, 3, &facts);
        assert_int_equal(verdict.policy, rows[i].recorded);
        assert_int_equal(verdict.keep, rows[i].recorded != DECIDE_NO_POLICY);
    }
}

static void test_names(void **state)
{
    (void)state;
    const struct decide_policy policies[] = {never, errors};
    struct fixture fixture;
    set_up(&fixture, policies, 2);
    assert_string_equal(decide_policy_name(fixture.decide, 0), "never");
    assert_string_equal(decide_policy_name(fixture.decide, 1), "errors");
    assert_string_equal(decide_policy_name(fixture.decide, DECIDE_NO_POLICY), "no_policy");
    tear_down(&fixture);
}

/* Several policies look at one key, one policy's key is unknown, others' hits pass by. */
static void test_bits_belong_to_their_policies(void **state)
{
    (void)state;
    static const char *const gold[] = {"gold"};
    static const char *const metal[] = {"gold", "tin"};
    struct decide_policy policies[DECIDE_POLICIES_MAX];
    for (int i = 0; i < DECIDE_POLICIES_MAX; i++)
        policies[i] = never;
    policies[0] = (struct decide_policy){.name = "a",
                                         .type = DECIDE_STRING_ATTRIBUTE,
                                         .key = "tier",
                                         .values = gold,
                                         .value_count = 1};
    policies[5] = policies[0];
    policies[5].values = metal;
    policies[5].value_count = 2;
    policies[63] = policies[0];
    policies[63].key = "service.name";
    struct fixture fixture;
    set_up(&fixture, policies, DECIDE_POLICIES_MAX);
    uint16_t late;
    assert_int_equal(otlp_keys_add(fixture.keys, BYTES_LITERAL("late"), &late), SB_OK);

    static const struct test_attribute attributes[] = {
        {"late", {OTLP_VALUE_STRING, "gold", 0}},
        {"tier", {OTLP_VALUE_STRING, "tin", 0}},
        {"tier", {OTLP_VALUE_STRING, "gold", 0}},
        {"service.name", {OTLP_VALUE_STRING, "gold", 0}},
    };
    uint8_t room[4][VALUE_LEN_MAX];
    struct otlp_hit hits[4];
    for (int i = 0; i < 4; i++)
        assert_true(make_hit(fixture.keys, &attributes[i], room[i], &hits[i]));
    assert_true(decide_match(fixture.worker, hits, 0, false) == 0);
    assert_true(decide_match(fixture.worker, hits, 1, false) == 0);
    assert_true(decide_match(fixture.worker, hits, 2, false) == UINT64_C(1) << 5);
    assert_true(decide_match(fixture.worker, hits, 3, false) == (UINT64_C(1) << 5 | 1));
    assert_true(decide_match(fixture.worker, hits, 4, true) ==
                (UINT64_C(1) << 63 | UINT64_C(1) << 5 | 1));

    struct decide_facts facts;
    decide_facts_init(&facts);
    facts.matches = UINT64_C(1) << 63;
    struct trace_id id = {.byte = {7}};
    assert_int_equal(decide_verdict(fixture.worker, id, &facts).policy, 63);
    tear_down(&fixture);
}

/* A match that gives up makes neither the policy nor its inverse keep. */
static void test_failed_matches_keep_nothing(void **state)
{
    (void)state;
    static const char *const runaway[] = {"^(a+)+$"};
    for (int invert = 0; invert < 2; invert++) {
        struct decide_policy policy = {.name = "p",
                                       .type = DECIDE_STRING_ATTRIBUTE,
                                       .key = "k",
                                       .values = runaway,
                                       .value_count = 1,
                                       .regex = true,
                                       .invert = invert == 1};
        struct fixture fixture;
        set_up(&fixture, &policy, 1);
        struct test_attribute attribute = {
            "k", {OTLP_VALUE_STRING, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", 0}};
        uint8_t room[VALUE_LEN_MAX];
        struct otlp_hit hit;
        assert_true(make_hit(fixture.keys, &attribute, room, &hit));
        struct decide_facts facts;
        decide_facts_init(&facts);
        facts.matches = decide_match(fixture.worker, &hit, 1, false);
        struct trace_id id = {.byte = {7}};
        assert_false(decide_verdict(fixture.worker, id, &facts).keep);
        assert_int_equal(decide_worker_match_errors(fixture.worker), 1);
        tear_down(&fixture);
    }
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const open[] = {"a(b"};
    const struct {
        struct decide_policy policy;
        const char *why;
    } rows[] = {
        {{.type = DECIDE_STATUS_CODE}, "no status code is listed"},
        {{.type = DECIDE_LATENCY, .threshold_ns = 2, .upper_threshold_ns = 1},
         "the upper threshold is below the lower one"},
        {{.type = DECIDE_STRING_ATTRIBUTE}, "no attribute key"},
        {{.type = DECIDE_STRING_ATTRIBUTE, .key = ""}, "no attribute key"},
        {{.type = DECIDE_PROBABILISTIC, .percentage = NAN}, "the percentage is not a number"},
        {{.type = (enum decide_type)99}, "unknown type"},
        {{.type = DECIDE_STRING_ATTRIBUTE,
          .key = "k",
          .values = open,
          .value_count = 1,
          .regex = true},
         "value 1, at character 4: missing closing parenthesis"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct decide_policy policies[] = {always, rows[i].policy};
        struct decide_options options = {.policies = policies, .policy_count = 2};
        struct otlp_keys *keys = NULL;
        struct decide *decide = NULL;
        uint32_t wrong = 99;
        char why[DECIDE_WHY_LEN] = "";
        assert_int_equal(otlp_keys_new(&keys), SB_OK);
        assert_int_equal(decide_new(&options, keys, &decide, &wrong, why), SB_ERR_CONFIG);
        assert_null(decide);
        assert_int_equal(wrong, 1);
        assert_string_equal(why, rows[i].why);
        otlp_keys_free(keys);
    }
}

static void test_no_policy_and_too_many_are_refused(void **state)
{
    (void)state;
    struct decide_policy policies[DECIDE_POLICIES_MAX + 1];
    for (int i = 0; i <= DECIDE_POLICIES_MAX; i++)
        policies[i] = always;
    for (uint32_t count = 0; count <= DECIDE_POLICIES_MAX + 1;
         count += DECIDE_POLICIES_MAX + 1) {
        struct decide_options options = {.policies = policies, .policy_count = count};
        struct otlp_keys *keys = NULL;
        struct decide *decide = NULL;
        uint32_t wrong = 99;
        char why[DECIDE_WHY_LEN] = "";
        assert_int_equal(otlp_keys_new(&keys), SB_OK);
        assert_int_equal(decide_new(&options, keys, &decide, &wrong, why), SB_ERR_CONFIG);
        assert_int_equal(wrong, count);
        assert_true(strlen(why) > 0);
        otlp_keys_free(keys);
    }
}

static void test_memory_shortage_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const values[] = {"a+", "b"};
    const struct decide_policy policies[] = {
        {.name = "p",
         .type = DECIDE_STRING_ATTRIBUTE,
         .key = "k",
         .values = values,
         .value_count = 2},
        {.name = "q",
         .type = DECIDE_STRING_ATTRIBUTE,
         .key = "l",
         .values = values,
         .value_count = 2,
         .regex = true},
        {.name = "r", .type = DECIDE_PROBABILISTIC, .percentage = 5},
    };
    struct decide_options options = {.policies = policies, .policy_count = 3};
    int failures = 0;
    for (uint64_t nth = 1; nth < 50; nth++) {
        struct otlp_keys *keys = NULL;
        assert_int_equal(otlp_keys_new(&keys), SB_OK);
        struct decide *decide = NULL;
        struct decide_worker *worker = NULL;
        uint32_t wrong;
        char why[DECIDE_WHY_LEN];
        memory_fail_at(nth);
        enum sb_err err = decide_new(&options, keys, &decide, &wrong, why);
        if (err == SB_OK)
            err = decide_worker_new(decide, &worker);
        memory_fail_at(0);
        assert_true(err == SB_OK || err == SB_ERR_MEMORY);
        failures += err == SB_ERR_MEMORY ? 1 : 0;
        decide_worker_free(worker);
        decide_free(decide);
        otlp_keys_free(keys);
    }
    assert_in_range(failures, 15, 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_latency_counts_nanoseconds),
        cmocka_unit_test(test_status_code),
        cmocka_unit_test(test_votes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bits_belong_to_their_policies),
        cmocka_unit_test(test_failed_matches_keep_nothing),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_no_policy_and_too_many_are_refused),
        cmocka_unit_test(test_memory_shortage_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
