#include "retry_after.h"

#include "core/clock.h"
#include "support/test.h"

/* 1994-11-06T08:49:37Z, the example date of RFC 9110; `date -ud ... +%s` tells. */
#define DATE_S UINT64_C(784111777)
/* 2024-02-29T23:59:59Z. */
#define LEAP_S UINT64_C(1709251199)

struct row {
    const char *value;
    uint64_t now_s;
    uint64_t wait_ms;
};

static const struct row rows[] = {
    {"120", 0, 120000},
    {"1", 0, 1000},
    {"0", 0, 0},
    {"00030", 0, 30000},
    {"300", 0, 300000},
    {"301", 0, 300000},
    {"315360000", 0, 300000}, /* ten years */
    {"18446744073709551616", 0, 300000},
    {"99999999999999999999999999999999999999999", 0, 300000},
    /* Dates in the three forms. */
    {"Sun, 06 Nov 1994 08:49:37 GMT", DATE_S - 20, 20000},
    {"Sun Nov  6 08:49:37 1994", DATE_S - 20, 20000},
    {"Sun Nov 06 08:49:37 1994", DATE_S - 20, 20000},
    {"Thursday, 29-Feb-24 23:59:59 GMT", LEAP_S - 7, 7000},
    {"Thu, 29 Feb 2024 23:59:59 GMT", LEAP_S - 7, 7000},
    {"Thu, 29 Feb 2024 23:59:60 GMT", LEAP_S - 7, 8000},
    {"Thu, 29 Feb 2024 23:59:59 GMT", LEAP_S, 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT", LEAP_S + 1000, 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT", 0, 300000},
    {"Fri, 31 Dec 9999 23:59:59 GMT", LEAP_S, 300000},
    /* Garbage. */
    {"", 0, 0},
    {" ", 0, 0},
    {"-1", 0, 0},
    {"+5", 0, 0},
    {"5s", 0, 0},
    {"5 ", 0, 0},
    {"1.5", 0, 0},
    {"0x10", 0, 0},
    {"soon", 0, 0},
    {"Thu, 29 Feb 2024 23:59:59", LEAP_S - 7, 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT+1", LEAP_S - 7, 0},
    {"Thu, 29 Feb 2024 23:59:59 CET", LEAP_S - 7, 0},
    {"Thu, 29 Foo 2024 23:59:59 GMT", LEAP_S - 7, 0},
    {"Thu, 29 ebM 2024 23:59:59 GMT", LEAP_S - 7, 0},
    {"Thu, 29 Feb 2024 24:59:59 GMT", LEAP_S - 7, 0},
    {"Thu, 29 Feb 2024 23:60:59 GMT", LEAP_S - 7, 0},
    {"Thu, 00 Feb 2024 23:59:59 GMT", LEAP_S - 7, 0},
    {"Thu, 32 Feb 2024 23:59:59 GMT", LEAP_S - 7, 0},
    {"Thu, 29 Feb 1024 23:59:59 GMT", LEAP_S - 7, 0},
    {", 29 Feb 2024 23:59:59 GMT", LEAP_S - 7, 0},
    {"Thu", 0, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t wait_ns = retry_after_ns(rows[i].value, rows[i].now_s * NS_PER_S);
        if (wait_ns != rows[i].wait_ms * NS_PER_MS)
            fail_msg("'%s': %llu ns", rows[i].value, (unsigned long long)wait_ns);
    }
}

static void test_a_date_counts_from_within_the_second(void **state)
{
    (void)state;
    uint64_t now_ns = (LEAP_S - 2) * NS_PER_S + 250 * NS_PER_MS;
    assert_int_equal(retry_after_ns("Thu, 29 Feb 2024 23:59:59 GMT", now_ns), 1750 * NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_date_counts_from_within_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
