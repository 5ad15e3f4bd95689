/* The policy string_attribute as a whole: keys, values, resources and spans, invert. */
#include <string.h>

#include "decide/decide.h"
#include "support/test.h"
#include "values.h"

enum { ATTRIBUTES_MAX = 3 };

#define TEXT(key_, text_)                                                                      \
    {                                                                                          \
        .key = (key_), .value = {.type = OTLP_VALUE_STRING, .text = (text_) }                  \
    }
#define OTHER(key_, type_, number_)                                                            \
    {                                                                                          \
        .key = (key_), .value = {.type = (type_), .text = "", .number = (number_) }            \
    }

struct row {
    const char *what;
    bool regex;
    const char *values[3];
    struct test_attribute resource[ATTRIBUTES_MAX];
    struct test_attribute spans[ATTRIBUTES_MAX]; /* one attribute a span */
    bool matches;
};

/* The policy's key is "tier" throughout. */
static const struct row rows[] = {
    {"no attribute", false, {"gold"}, {{0}}, {{0}}, false},
    {"resource: other key", false, {"gold"}, {TEXT("tire", "gold")}, {{0}}, false},
    {"resource: other value", false, {"gold"}, {TEXT("tier", "tin")}, {{0}}, false},
    {"resource: value", false, {"gold"}, {TEXT("tier", "gold")}, {{0}}, true},
    {"resource: last value", false, {"a", "b", "gold"}, {TEXT("tier", "gold")}, {{0}}, true},
    {"span: other key", false, {"gold"}, {{0}}, {TEXT("tire", "gold")}, false},
    {"span: other value", false, {"gold"}, {{0}}, {TEXT("tier", "tin")}, false},
    {"span: value", false, {"gold"}, {{0}}, {TEXT("tier", "gold")}, true},
    {"span: the last of three",
     false,
     {"gold"},
     {{0}},
     {TEXT("tier", "tin"), TEXT("x", "gold"), TEXT("tier", "gold")},
     true},
    {"span beats resource",
     false,
     {"gold"},
     {TEXT("tier", "tin")},
     {TEXT("tier", "gold")},
     true},
    {"resource beats span",
     false,
     {"gold"},
     {TEXT("tier", "gold")},
     {TEXT("tier", "tin")},
     true},
    {"exact: no prefix", false, {"gold"}, {{0}}, {TEXT("tier", "golden")}, false},
    {"exact: no part", false, {"golden"}, {{0}}, {TEXT("tier", "gold")}, false},
    {"exact: no case folding", false, {"gold"}, {{0}}, {TEXT("tier", "Gold")}, false},
    {"exact: dots are dots", false, {"g.ld"}, {{0}}, {TEXT("tier", "gold")}, false},
    {"regex: resource hit",
     true,
     {"v[0-9]+.HealthCheck$"},
     {TEXT("tier", "v1.HealthCheck")},
     {{0}},
     true},
    {"regex: resource miss",
     true,
     {"v[0-9]+.HealthCheck$"},
     {TEXT("tier", "v.HealthCheck")},
     {{0}},
     false},
    {"regex: span hit", true, {"no", "^g.ld$"}, {{0}}, {TEXT("tier", "gold")}, true},
    {"regex: span miss", true, {"no", "^g.ld$"}, {{0}}, {TEXT("tier", "golden")}, false},
    {"regex: unanchored", true, {"ol"}, {{0}}, {TEXT("tier", "gold")}, true},
    {"regex: plain text", true, {"gold"}, {{0}}, {TEXT("tier", "gold")}, true},
    {"regex: other key", true, {".*"}, {{0}}, {TEXT("tire", "gold")}, false},
    {"no values", false, {NULL}, {TEXT("tier", "gold")}, {TEXT("tier", "gold")}, false},
    {"no values, regex", true, {NULL}, {TEXT("tier", "gold")}, {TEXT("tier", "gold")}, false},
    {"resource: empty value, listed", false, {"gold", ""}, {TEXT("tier", "")}, {{0}}, true},
    {"resource: empty value, not listed", false, {"gold"}, {TEXT("tier", "")}, {{0}}, false},
    {"resource: empty value, found", true, {"^$"}, {TEXT("tier", "")}, {{0}}, true},
    {"span: empty value, listed", false, {"gold", ""}, {{0}}, {TEXT("tier", "")}, false},
    {"span: empty value, found", true, {".*"}, {{0}}, {TEXT("tier", "")}, false},
    {"integer",
     false,
     {"1", ""},
     {OTHER("tier", OTLP_VALUE_INT, 1)},
     {OTHER("tier", OTLP_VALUE_INT, 1)},
     false},
    {"boolean",
     true,
     {".*"},
     {OTHER("tier", OTLP_VALUE_BOOL, 1)},
     {OTHER("tier", OTLP_VALUE_BOOL, 1)},
     false},
    {"double",
     true,
     {".*"},
     {OTHER("tier", OTLP_VALUE_DOUBLE, 1)},
     {OTHER("tier", OTLP_VALUE_DOUBLE, 1)},
     false},
    {"bytes",
     true,
     {".*"},
     {OTHER("tier", OTLP_VALUE_BYTES, 0)},
     {OTHER("tier", OTLP_VALUE_BYTES, 0)},
     false},
    {"value of no type",
     true,
     {".*"},
     {OTHER("tier", OTLP_VALUE_EMPTY, 0)},
     {OTHER("tier", OTLP_VALUE_EMPTY, 0)},
     false},
    {"the key twice on one resource",
     false,
     {"gold"},
     {TEXT("tier", "tin"), TEXT("tier", "gold")},
     {{0}},
     true},
};

static uint64_t match_attribute(struct decide_worker *worker, const struct otlp_keys *keys,
                                const struct test_attribute *attribute, bool of_resource)
{
    uint8_t room[VALUE_LEN_MAX];
    struct otlp_hit hit;
    if (!make_hit(keys, attribute, room, &hit))
        return 0;
    return decide_match(worker, &hit, 1, of_resource);
}

static bool is_kept(const struct row *row, bool invert)
{
    uint32_t value_count = 0;
    while (value_count < 3 && row->values[value_count] != NULL)
        value_count++;
    struct decide_policy policy = {.name = "p",
                                   .type = DECIDE_STRING_ATTRIBUTE,
                                   .key = "tier",
                                   .values = row->values,
                                   .value_count = value_count,
                                   .regex = row->regex,
                                   .invert = invert};
    struct decide_options options = {.policies = &policy, .policy_count = 1};
    struct otlp_keys *keys = NULL;
    struct decide *decide = NULL;
    struct decide_worker *worker = NULL;
    uint32_t wrong;
    char why[DECIDE_WHY_LEN];
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(decide_new(&options, keys, &decide, &wrong, why), SB_OK);
    assert_int_equal(decide_worker_new(decide, &worker), SB_OK);

    struct decide_facts facts;
    decide_facts_init(&facts);
    uint64_t of_resource = 0;
    for (int i = 0; i < ATTRIBUTES_MAX; i++)
        of_resource |= match_attribute(worker, keys, &row->resource[i], true);
    for (int i = 0; i < ATTRIBUTES_MAX; i++) {
        struct otlp_span span = {.start_ns = 1, .end_ns = 2};
        uint64_t of_span = match_attribute(worker, keys, &row->spans[i], false);
        decide_facts_add_span(&facts, &span, of_resource | of_span);
    }
    struct trace_id id = {.byte = {1}};
    struct decide_verdict verdict = decide_verdict(worker, id, &facts);
    assert_int_equal(verdict.policy, verdict.keep ? 0 : DECIDE_NO_POLICY);
    decide_worker_free(worker);
    decide_free(decide);
    otlp_keys_free(keys);
    return verdict.keep;
}

static void test_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_kept(&rows[i], false) != rows[i].matches)
            fail_msg("row: %s", rows[i].what);
    }
}

/* Inverted, a trace is kept exactly when nothing in it matches. */
static void test_every_row_inverted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_kept(&rows[i], true) == rows[i].matches)
            fail_msg("row, inverted: %s", rows[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_every_row_inverted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
