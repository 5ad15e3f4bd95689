#include "match.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { VALUES_MAX = 300, WHY_LEN = 256 };

static struct matcher *make(bool regex, const char *const *values, uint32_t count)
{
    struct match_options options = {.values = values, .value_count = count, .regex = regex};
    struct matcher *matcher = NULL;
    char why[WHY_LEN] = "";
    assert_int_equal(match_new(&options, &matcher, why, sizeof(why)), SB_OK);
    return matcher;
}

static enum match_result match_once(bool regex, const char *value_of_policy, struct bytes value)
{
    struct matcher *matcher = make(regex, &value_of_policy, 1);
    struct match_scratch *scratch = NULL;
    assert_int_equal(match_scratch_new(&scratch), SB_OK);
    enum match_result result = match_value(matcher, scratch, value);
    match_scratch_free(scratch);
    match_free(matcher);
    return result;
}

/* Any set of values, duplicates, prefixes and the empty one included, against a plain search. */
static void test_exact_values_against_a_model(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 12);
    for (int round = 0; round < 60; round++) {
        char text[VALUES_MAX][8];
        const char *values[VALUES_MAX];
        uint32_t count = (uint32_t)random_below(&random, VALUES_MAX);
        for (uint32_t i = 0; i < count; i++) {
            size_t len = random_below(&random, 5);
            for (size_t n = 0; n < len; n++)
                text[i][n] = (char)('a' + random_below(&random, 3));
            text[i][len] = '\0';
            values[i] = text[i];
        }
        struct matcher *matcher = make(false, values, count);
        for (int n = 0; n < 500; n++) {
            char probe[8] = "";
            size_t len = random_below(&random, 6);
            for (size_t k = 0; k < len; k++)
                probe[k] = (char)('a' + random_below(&random, 3));
            enum match_result expected = MATCH_NO;
            for (uint32_t i = 0; i < count; i++)
                if (strcmp(values[i], probe) == 0)
                    expected = MATCH_YES;
            assert_int_equal(match_value(matcher, NULL, bytes_text(probe)), expected);
        }
        match_free(matcher);
    }
}

static void test_exact_values_are_bytes(void **state)
{
    (void)state;
    assert_int_equal(match_once(false, "a.c", BYTES_LITERAL("abc")), MATCH_NO);
    assert_int_equal(match_once(false, "abc", BYTES_LITERAL("Abc")), MATCH_NO);
    assert_int_equal(match_once(false, "abc", BYTES_LITERAL("abc\0")), MATCH_NO);
    assert_int_equal(match_once(false, "", bytes_of(NULL, 0)), MATCH_YES);
    assert_int_equal(match_once(false, "\xff\xfe", BYTES_LITERAL("\xff\xfe")), MATCH_YES);
}

static void test_the_dialect_of_expressions(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *value;
        enum match_result expected;
    } rows[] = {
        {"cust", "the customer", MATCH_YES}, /* unanchored */
        {"^cust", "the customer", MATCH_NO},
        {"mer$", "the customer", MATCH_YES},
        {"mer$", "the customer\n", MATCH_NO}, /* $ only at the very end */
        {"^b$", "a\nb", MATCH_NO},            /* nor after a line */
        {"a.b", "a\nb", MATCH_NO},
        {"(?s)a.b", "a\nb", MATCH_YES},
        {"(?i)ERROR", "an Error", MATCH_YES},
        {"^.$", "\xc3\xa4", MATCH_YES},  /* one character, two bytes */
        {"^\\w$", "\xc3\xa4", MATCH_NO}, /* classes are ASCII */
        {"\\p{L}", "\xc3\xa4", MATCH_YES},
        {"v[0-9]+\\.[0-9]+", "app v1.20", MATCH_YES},
        {"v[0-9]+\\.[0-9]+", "app v1", MATCH_NO},
        {"(?P<year>\\d{4})", "in 1999", MATCH_YES},
        {"", "anything", MATCH_YES},
        {"^$", "", MATCH_YES},
        {"b+",
         "a\xff"
         "bb",
         MATCH_YES}, /* beside bytes that are no text */
        {"a.b",
         "a\xff"
         "b",
         MATCH_NO}, /* which match nothing themselves */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(match_once(true, rows[i].pattern, bytes_text(rows[i].value)),
                         rows[i].expected);
}

static void test_one_expression_of_many_is_enough(void **state)
{
    (void)state;
    const char *const values[] = {"^x", "y$", "z{3}"};
    struct matcher *matcher = make(true, values, 3);
    struct match_scratch *scratch = NULL;
    assert_int_equal(match_scratch_new(&scratch), SB_OK);
    assert_int_equal(match_value(matcher, scratch, BYTES_LITERAL("xa")), MATCH_YES);
    assert_int_equal(match_value(matcher, scratch, BYTES_LITERAL("ay")), MATCH_YES);
    assert_int_equal(match_value(matcher, scratch, BYTES_LITERAL("azzza")), MATCH_YES);
    assert_int_equal(match_value(matcher, scratch, BYTES_LITERAL("axyazz")), MATCH_NO);
    match_scratch_free(scratch);
    match_free(matcher);
}

static void test_no_values_match_nothing(void **state)
{
    (void)state;
    for (int regex = 0; regex < 2; regex++) {
        struct matcher *matcher = make(regex == 1, NULL, 0);
        assert_int_equal(match_value(matcher, NULL, BYTES_LITERAL("a")), MATCH_NO);
        assert_int_equal(match_value(matcher, NULL, bytes_of(NULL, 0)), MATCH_NO);
        match_free(matcher);
    }
}

/* An expression that backtracks without end costs a bounded number of steps. */
static void test_runaway_expressions_end_in_an_error(void **state)
{
    (void)state;
    static char value[40];
    memset(value, 'a', sizeof(value));
    value[sizeof(value) - 1] = '!';
    assert_int_equal(match_once(true, "^(a+)+$", bytes_of(value, sizeof(value))), MATCH_ERROR);
}

/* A value as long as the limits allow, under an expression that keeps a state a character. */
static void test_the_longest_values_fit_the_stack(void **state)
{
    (void)state;
    enum { LONGEST = 64 * 1024 };
    uint32_t compiled = 0;
    (void)pcre2_config(PCRE2_CONFIG_JIT, &compiled);
    char *value = memory_alloc(LONGEST);
    assert_non_null(value);
    memset(value, 'a', LONGEST);
    /* The interpreter gives up at its depth limit instead. */
    assert_int_equal(match_once(true, "^(?:a|b)*b?$", bytes_of(value, LONGEST)),
                     compiled != 0 ? MATCH_YES : MATCH_ERROR);
    memory_free(value);
}

static void test_wrong_expressions_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *values[2];
        const char *why;
    } rows[] = {
        {{"ok", "a(b"}, "value 2, at character 4: missing closing parenthesis"},
        {{"[z-a]", "ok"}, "value 1, at character 4: range out of order in character class"},
        {{"\\C", "ok"}, "value 1"}, /* would split characters */
        {{"\xff", "ok"}, "value 1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct match_options options = {
            .values = rows[i].values, .value_count = 2, .regex = true};
        struct matcher *matcher = NULL;
        char why[WHY_LEN] = "";
        assert_int_equal(match_new(&options, &matcher, why, sizeof(why)), SB_ERR_CONFIG);
        assert_null(matcher);
        assert_memory_equal(why, rows[i].why, strlen(rows[i].why));
    }
}

static void test_memory_shortage_leaves_nothing_behind(void **state)
{
    (void)state;
    const char *const values[] = {"a+", "b(c|d)*"};
    for (int regex = 0; regex < 2; regex++) {
        struct match_options options = {
            .values = values, .value_count = 2, .regex = regex == 1};
        char why[WHY_LEN] = "";
        int failures = 0;
        for (uint64_t nth = 1; nth < 30; nth++) {
            struct matcher *matcher = NULL;
            struct match_scratch *scratch = NULL;
            memory_fail_at(nth);
            enum sb_err err = match_new(&options, &matcher, why, sizeof(why));
            if (err == SB_OK)
                err = match_scratch_new(&scratch);
            memory_fail_at(0);
            /* OK: past the last one, or the just-in-time compiler, which may be missing. */
            assert_true(err == SB_OK || err == SB_ERR_MEMORY);
            failures += err == SB_ERR_MEMORY ? 1 : 0;
            match_free(matcher);
            match_scratch_free(scratch);
        }
        assert_in_range(failures, 5, 25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_values_against_a_model),
        cmocka_unit_test(test_exact_values_are_bytes),
        cmocka_unit_test(test_the_dialect_of_expressions),
        cmocka_unit_test(test_one_expression_of_many_is_enough),
        cmocka_unit_test(test_no_values_match_nothing),
        cmocka_unit_test(test_runaway_expressions_end_in_an_error),
        cmocka_unit_test(test_the_longest_values_fit_the_stack),
        cmocka_unit_test(test_wrong_expressions_are_explained),
        cmocka_unit_test(test_memory_shortage_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
