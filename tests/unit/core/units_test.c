#include "core/units.h"

#include "support/random.h"
#include "support/test.h"

struct example {
    const char *text;
    enum sb_err err;
    uint64_t value;
};

static const struct example durations[] = {
    {"7ns", SB_OK, 7},
    {"10us", SB_OK, 10000},
    {"250ms", SB_OK, 250000000},
    {"1.5s", SB_OK, 1500000000},
    {"30s", SB_OK, UINT64_C(30000000000)},
    {"5m", SB_OK, UINT64_C(300000000000)},
    {"1h", SB_OK, UINT64_C(3600000000000)},
    {"2d", SB_OK, UINT64_C(172800000000000)},
    {"0s", SB_OK, 0},
    {"007s", SB_OK, UINT64_C(7000000000)},
    {"0.25us", SB_OK, 250},
    {"1.000000001s", SB_OK, 1000000001},
    {"1.5000000000000000000000000s", SB_OK, 1500000000},
    {"18446744073709551615ns", SB_OK, UINT64_MAX},
    {"18446744073.709551615s", SB_OK, UINT64_MAX},
    {"18446744073709551616ns", SB_ERR_LIMIT, 0},
    {"18446744073.709551616s", SB_ERR_LIMIT, 0},
    {"99999999999999999999999s", SB_ERR_LIMIT, 0},
    {"99999999999999999999999parsec", SB_ERR_INPUT, 0},
    {"213504d", SB_ERR_LIMIT, 0},
    {"1.0000000001s", SB_ERR_INPUT, 0},
    {"1.5ns", SB_ERR_INPUT, 0},
    {"0.1234567890123456789d", SB_ERR_INPUT, 0},
    {"", SB_ERR_INPUT, 0},
    {"5", SB_ERR_INPUT, 0},
    {"0", SB_ERR_INPUT, 0},
    {"s", SB_ERR_INPUT, 0},
    {".5s", SB_ERR_INPUT, 0},
    {"1.s", SB_ERR_INPUT, 0},
    {"1.5.5s", SB_ERR_INPUT, 0},
    {"-1s", SB_ERR_INPUT, 0},
    {"+1s", SB_ERR_INPUT, 0},
    {" 1s", SB_ERR_INPUT, 0},
    {"1 s", SB_ERR_INPUT, 0},
    {"1s ", SB_ERR_INPUT, 0},
    {"1S", SB_ERR_INPUT, 0},
    {"1sec", SB_ERR_INPUT, 0},
    {"1m30s", SB_ERR_INPUT, 0},
    {"0x10s", SB_ERR_INPUT, 0},
    {"1e3s", SB_ERR_INPUT, 0},
    {"infs", SB_ERR_INPUT, 0},
};

static const struct example sizes[] = {
    {"512", SB_OK, 512},
    {"512B", SB_OK, 512},
    {"0", SB_OK, 0},
    {"64KiB", SB_OK, 65536},
    {"4MiB", SB_OK, 4194304},
    {"2GiB", SB_OK, UINT64_C(2147483648)},
    {"1TiB", SB_OK, UINT64_C(1099511627776)},
    {"10kB", SB_OK, 10000},
    {"5MB", SB_OK, 5000000},
    {"1GB", SB_OK, 1000000000},
    {"1TB", SB_OK, UINT64_C(1000000000000)},
    {"1.5GiB", SB_OK, 1610612736},
    {"0.5KiB", SB_OK, 512},
    {"18446744073709551615", SB_OK, UINT64_MAX},
    {"18446744073709551616", SB_ERR_LIMIT, 0},
    {"16777216TiB", SB_ERR_LIMIT, 0},
    {"0.3KiB", SB_ERR_INPUT, 0},
    {"1.5", SB_ERR_INPUT, 0},
    {"KiB", SB_ERR_INPUT, 0},
    {"1K", SB_ERR_INPUT, 0},
    {"1kb", SB_ERR_INPUT, 0},
    {"1KB", SB_ERR_INPUT, 0},
    {"1kib", SB_ERR_INPUT, 0},
    {"-5", SB_ERR_INPUT, 0},
    {"5s", SB_ERR_INPUT, 0},
    {"", SB_ERR_INPUT, 0},
};

static void check(const struct example *example,
                  enum sb_err (*parse)(const char *text, uint64_t *ret))
{
    const uint64_t untouched = 0xdead;
    uint64_t value = untouched;
    enum sb_err err = parse(example->text, &value);
    if (err != example->err || value != (example->err == SB_OK ? example->value : untouched))
        fail_msg("'%s': error %d, value %llu", example->text, (int)err,
                 (unsigned long long)value);
}

static void test_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
        check(&durations[i], units_parse_duration);
}

static void test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        check(&sizes[i], units_parse_size);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *duration;
        const char *size;
    } cases[] = {
        {0, "0s", "0"},
        {1, "1ns", "1"},
        {1500, "1500ns", "1500"},
        {1024, "1024ns", "1KiB"},
        {10000, "10us", "10kB"},
        {1024000, "1024us", "1024kB"},
        {UINT64_C(1500000000), "1500ms", "1500MB"},
        {UINT64_C(30000000000), "30s", "30GB"},
        {UINT64_C(5400000000000), "90m", "5400GB"},
        {UINT64_C(86400000000000), "1d", "86400GB"},
        {UINT64_C(2147483648), "2147483648ns", "2GiB"},
        {UINT64_MAX, "18446744073709551615ns", "18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[UNITS_TEXT_LEN];
        units_format_duration(cases[i].value, text);
        assert_string_equal(text, cases[i].duration);
        units_format_size(cases[i].value, text);
        assert_string_equal(text, cases[i].size);
    }
}

static void test_what_is_formatted_parses_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 31);
    for (int i = 0; i < 20000; i++) {
        uint64_t value = random_next(&random) >> random_below(&random, 64);
        static const uint64_t factors[] = {1, 1000, 1024, 1000000, 1048576, 60};
        uint64_t product;
        if (!__builtin_mul_overflow(value, factors[random_below(&random, 6)], &product))
            value = product;
        char text[UNITS_TEXT_LEN];
        uint64_t back;
        units_format_duration(value, text);
        assert_int_equal(units_parse_duration(text, &back), SB_OK);
        assert_true(back == value);
        units_format_size(value, text);
        assert_int_equal(units_parse_size(text, &back), SB_OK);
        assert_true(back == value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_what_is_formatted_parses_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
