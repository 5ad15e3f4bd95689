#include "number.h"

#include <string.h>

#include "support/test.h"

struct number_example {
    const char *word;
    enum number_kind kind;
    const char *text; /* of a bad one: a part of what is told */
    const char *help;
};

/* Every pitfall of libconfig 1.5 with numbers, among others. */
static const struct number_example examples[] = {
    {"0", NUMBER_INTEGER, NULL, NULL},
    {"7", NUMBER_INTEGER, NULL, NULL},
    {"-5", NUMBER_INTEGER, NULL, NULL},
    {"+5", NUMBER_INTEGER, NULL, NULL},
    {"2147483647", NUMBER_INTEGER, NULL, NULL},
    {"-2147483648", NUMBER_INTEGER, NULL, NULL},
    {"2147483648", NUMBER_BAD, "needs an L", "2147483648L"},
    {"-2147483649", NUMBER_BAD, "needs an L", "-2147483649L"},
    {"5000000000", NUMBER_BAD, "needs an L", "5000000000L"},
    {"5000000000L", NUMBER_LONG, NULL, NULL},
    {"5000000000LL", NUMBER_LONG, NULL, NULL},
    {"9223372036854775807L", NUMBER_LONG, NULL, NULL},
    {"9223372036854775808L", NUMBER_BAD, "beyond 63 bits", NULL},
    {"99999999999999999999999", NUMBER_BAD, "beyond 63 bits", NULL},
    {"0x7FFFFFFF", NUMBER_INTEGER, NULL, NULL},
    {"0x80000000", NUMBER_BAD, "needs an L", "0x80000000L"},
    {"0xFFFFFFFF", NUMBER_BAD, "needs an L", "0xFFFFFFFFL"},
    {"0xFFFFFFFFFF", NUMBER_BAD, "needs an L", NULL},
    {"0xFFFFFFFFFFL", NUMBER_LONG, NULL, NULL},
    {"0xFFFFFFFFFFFFFFFFL", NUMBER_BAD, "beyond 63 bits", NULL},
    {"0x", NUMBER_BAD, "is no number", NULL},
    {"0x1G", NUMBER_BAD, "is no number", NULL},
    {"010", NUMBER_BAD, "does not begin with 0", "0x8"},
    {"00", NUMBER_BAD, "does not begin with 0", NULL},
    {"-01", NUMBER_BAD, "does not begin with 0", NULL},
    {"0b11", NUMBER_BAD, "is no number", "0x"},
    {"0o17", NUMBER_BAD, "is no number", "0x"},
    {"5l", NUMBER_BAD, "is no number", "large L"},
    {"L", NUMBER_BAD, "needs double quotes", NULL},
    {"LL", NUMBER_BAD, "needs double quotes", NULL},
    {"1.5", NUMBER_FLOAT, NULL, NULL},
    {"1.", NUMBER_FLOAT, NULL, NULL},
    {".5", NUMBER_FLOAT, NULL, NULL},
    {"-1.5e-3", NUMBER_FLOAT, NULL, NULL},
    {"1e5", NUMBER_FLOAT, NULL, NULL},
    {"1e", NUMBER_BAD, "is no number", NULL},
    {"1e400", NUMBER_BAD, "too large", NULL},
    {"1.5L", NUMBER_BAD, "is no number", NULL},
    {".", NUMBER_BAD, "needs double quotes", NULL},
    {"-", NUMBER_BAD, "needs double quotes", NULL},
    {"1.2.3", NUMBER_BAD, "is no number", NULL},
    {"nan", NUMBER_BAD, "needs double quotes", NULL},
    {"inf", NUMBER_BAD, "needs double quotes", NULL},
    {"30s", NUMBER_BAD, "30s needs quotes", "\"30s\""},
    {"4GB", NUMBER_BAD, "4GB needs quotes", "\"4GB\""},
    {"1.5h", NUMBER_BAD, "needs quotes", "\"1.5h\""},
    {"1_000", NUMBER_BAD, "is no number", "separators"},
    {"1'000", NUMBER_BAD, "is no number", "separators"},
    {"5%", NUMBER_BAD, "is no number", "percentages are plain numbers: 5"},
    {"127.0.0.1", NUMBER_BAD, "is no number", "separators"},
    {"9lives", NUMBER_BAD, "is no number", "\"9lives\""},
    {"true", NUMBER_BOOLEAN, NULL, NULL},
    {"FALSE", NUMBER_BOOLEAN, NULL, NULL},
    {"yes", NUMBER_BAD, "needs double quotes", "write true"},
    {"off", NUMBER_BAD, "needs double quotes", "write false"},
    {"null", NUMBER_BAD, "needs double quotes", "leave the setting out"},
    {"http:", NUMBER_BAD, "needs double quotes", "begins a comment"},
    {"localhost:9092", NUMBER_BAD, "needs double quotes", "\"localhost:9092\""},
    {"", NUMBER_BAD, "needs double quotes", NULL},
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        const struct number_example *example = &examples[i];
        struct number_fault fault;
        enum number_kind kind = number_classify(bytes_text(example->word), &fault);
        if (kind != example->kind)
            fail_msg("%s: kind %d", example->word, (int)kind);
        if (example->text != NULL && strstr(fault.text, example->text) == NULL)
            fail_msg("%s: text %s", example->word, fault.text);
        if (example->help != NULL && strstr(fault.help, example->help) == NULL)
            fail_msg("%s: help %s", example->word, fault.help);
    }
}

/* Nothing overflows, and what is shown is cut. */
static void test_long_words(void **state)
{
    (void)state;
    char word[1000];
    for (size_t len = 1; len < sizeof(word); len++) {
        struct number_fault fault;
        word[len - 1] = '7';
        enum number_kind kind = number_classify(bytes_of(word, len), &fault);
        assert_true(len < 10 ? kind == NUMBER_INTEGER : kind == NUMBER_BAD || len == 10);
        assert_true(strlen(fault.text) < sizeof(fault.text));
    }
}

static void test_secret_names(void **state)
{
    (void)state;
    static const char *const secret[] = {"password",    "sasl.password", "ssl.key.password",
                                         "API_KEY",     "x-api-key",     "Authorization",
                                         "MY_SECRET",   "token",         "value",
                                         "credentials", "DB_PASSWD"};
    static const char *const open[] = {"group", "key",      "values",       "endpoint",
                                       "",      "HOSTNAME", "sasl.username"};
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        assert_true(name_is_secret(bytes_text(secret[i])));
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
        assert_false(name_is_secret(bytes_text(open[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_secret_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
