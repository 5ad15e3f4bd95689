#include <string.h>

#include "spanbridge/context.h"
#include "support/random.h"
#include "support/test.h"

#define TRACE "0123456789abcdef0123456789abcdef"
#define SPAN  "fedcba9876543210"
#define ZEROS "0000000000000000"

static enum spanbridge_result parse(const char *text, struct spanbridge_context *ret)
{
    return spanbridge_parse_traceparent(text, strlen(text), ret);
}

static const struct {
    const char *text;
    enum spanbridge_result result;
    uint8_t flags;
} vectors[] = {
    {"00-" TRACE "-" SPAN "-00", SPANBRIDGE_OK, 0},
    {"00-" TRACE "-" SPAN "-01", SPANBRIDGE_OK, SPANBRIDGE_FLAG_SAMPLED},
    {"00-" TRACE "-" SPAN "-02", SPANBRIDGE_OK, SPANBRIDGE_FLAG_RANDOM},
    {"00-" TRACE "-" SPAN "-03", SPANBRIDGE_OK, 3},
    {"00-" TRACE "-" SPAN "-fc", SPANBRIDGE_OK, 0}, /* unknown bits are read as 0 */
    {"00-" TRACE "-" SPAN "-ff", SPANBRIDGE_OK, 3},
    {" \t00-" TRACE "-" SPAN "-01\t ", SPANBRIDGE_OK, 1},
    /* Later versions: the first 55 characters, and of the flags the sampled bit alone. */
    {"01-" TRACE "-" SPAN "-01", SPANBRIDGE_OK, 1},
    {"01-" TRACE "-" SPAN "-03", SPANBRIDGE_OK, 1},
    {"cc-" TRACE "-" SPAN "-01-what-the-future-holds", SPANBRIDGE_OK, 1},
    {"fe-" TRACE "-" SPAN "-00-", SPANBRIDGE_OK, 0},
    {"cc-" TRACE "-" SPAN "-01.what", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"cc-" TRACE "-" SPAN "-010", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"cc-" TRACE "-" SPAN "-0", SPANBRIDGE_BAD_LENGTH, 0},
    /* Version 00 has exactly 55. */
    {"00-" TRACE "-" SPAN "-01-", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN "-01-x", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN "-011", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN "-0", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN "-", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN, SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE, SPANBRIDGE_BAD_LENGTH, 0},
    {"0", SPANBRIDGE_BAD_LENGTH, 0},
    {"", SPANBRIDGE_BAD_LENGTH, 0},
    {"   ", SPANBRIDGE_BAD_LENGTH, 0},
    /* Versions. */
    {"ff-" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_VERSION, 0},
    {"ff-" TRACE "-" SPAN "-01-x", SPANBRIDGE_BAD_VERSION, 0},
    {"FE-" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_VERSION, 0},
    {".0-" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_VERSION, 0},
    {"0.-" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_VERSION, 0},
    {"-1-" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_VERSION, 0},
    {"000" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00_" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"000-" TRACE "-" SPAN "-1", SPANBRIDGE_BAD_GRAMMAR, 0},
    /* Ids. */
    {"00-" ZEROS ZEROS "-" SPAN "-01", SPANBRIDGE_ZERO_ID, 0},
    {"00-" TRACE "-" ZEROS "-01", SPANBRIDGE_ZERO_ID, 0},
    {"00-0123456789ABCDEF0123456789ABCDEF-" SPAN "-01", SPANBRIDGE_UPPER_CASE, 0},
    {"00-" TRACE "-FEDCBA9876543210-01", SPANBRIDGE_UPPER_CASE, 0},
    {"00-" TRACE "-FEDCBA987654321G-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-" TRACE "_FEDCBA9876543210-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-.123456789abcdef0123456789abcdef-" SPAN "-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-0123456789abcdef0123456789abcdeg-" SPAN "-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-" TRACE "-fedcba987654321.-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-0123456789abcdef0123456789abcde-" SPAN "-01", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "0-" SPAN "-01", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-fedcba987654321-01", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-" TRACE "-" SPAN "0-01", SPANBRIDGE_BAD_LENGTH, 0},
    {"00-0123456789abcdef0123456789abcde-0" SPAN "-01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-" TRACE "-" SPAN "+01", SPANBRIDGE_BAD_GRAMMAR, 0},
    /* Flags. */
    {"00-" TRACE "-" SPAN "-.0", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-" TRACE "-" SPAN "-0.", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"00-" TRACE "-" SPAN "-0A", SPANBRIDGE_UPPER_CASE, 0},
    {"00-" TRACE "-" SPAN "- 1", SPANBRIDGE_BAD_GRAMMAR, 0},
    /* What transports add. */
    {"\"00-" TRACE "-" SPAN "-01\"", SPANBRIDGE_BAD_VERSION, 0},
    {"00-" TRACE "-" SPAN "-01\n", SPANBRIDGE_BAD_LENGTH, 0},
    {"00 -" TRACE "-" SPAN "-01", SPANBRIDGE_BAD_LENGTH, 0},
};

static void test_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct spanbridge_context context;
        struct spanbridge_context before;
        memset(&context, 0xa5, sizeof(context));
        memcpy(&before, &context, sizeof(context));
        enum spanbridge_result result = parse(vectors[i].text, &context);
        if (result != vectors[i].result)
            fail_msg("%s: %d, not %d", vectors[i].text, result, vectors[i].result);
        if (result != SPANBRIDGE_OK) {
            assert_memory_equal(&context, &before, sizeof(context));
            continue;
        }
        assert_memory_equal(context.trace_id,
                            "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef",
                            16);
        assert_memory_equal(context.span_id, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
        assert_int_equal(context.flags, vectors[i].flags);
        assert_null(context.tracestate);
        assert_int_equal(context.tracestate_len, 0);
    }
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 1);
    for (int i = 0; i < 1000; i++) {
        struct spanbridge_context context = {.flags = (uint8_t)random_below(&random, 4)};
        struct spanbridge_context read;
        random_fill(&random, context.trace_id, sizeof(context.trace_id));
        random_fill(&random, context.span_id, sizeof(context.span_id));
        char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
        memset(text, 'x', sizeof(text));
        spanbridge_format_traceparent(&context, text);
        assert_int_equal(strlen(text), SPANBRIDGE_TRACEPARENT_LEN);
        assert_int_equal(parse(text, &read), SPANBRIDGE_OK);
        assert_memory_equal(read.trace_id, context.trace_id, sizeof(context.trace_id));
        assert_memory_equal(read.span_id, context.span_id, sizeof(context.span_id));
        assert_int_equal(read.flags, context.flags);
    }
}

/* A later version is written as the one we know, and without bits we do not know. */
static void test_only_version_00_is_written(void **state)
{
    (void)state;
    struct spanbridge_context context;
    char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
    assert_int_equal(parse("cc-" TRACE "-" SPAN "-0b-more", &context), SPANBRIDGE_OK);
    context.flags |= 0xf8;
    spanbridge_format_traceparent(&context, text);
    assert_string_equal(text, "00-" TRACE "-" SPAN "-01");
}

/* Any one character changed: read as a context only where it may stand there. */
static void test_every_character_at_every_place(void **state)
{
    (void)state;
    const char good[] = "00-" TRACE "-" SPAN "-01";
    for (size_t place = 0; place < SPANBRIDGE_TRACEPARENT_LEN; place++) {
        for (int c = 0; c < 256; c++) {
            char text[sizeof(good)];
            struct spanbridge_context context;
            memcpy(text, good, sizeof(good));
            text[place] = (char)c;
            bool is_dash = good[place] == '-';
            bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            enum spanbridge_result result =
                spanbridge_parse_traceparent(text, SPANBRIDGE_TRACEPARENT_LEN, &context);
            assert_int_equal(result == SPANBRIDGE_OK, is_dash ? c == '-' : is_hex);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_only_version_00_is_written),
        cmocka_unit_test(test_every_character_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
