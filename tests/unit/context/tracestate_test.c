#include <stdio.h>
#include <string.h>

#include "spanbridge/context.h"
#include "support/random.h"
#include "support/test.h"

static const struct {
    const char *text;
    enum spanbridge_result result;
    size_t members;
} vectors[] = {
    {"", SPANBRIDGE_OK, 0},
    {"foo=1", SPANBRIDGE_OK, 1},
    {"foo=1,bar=2", SPANBRIDGE_OK, 2},
    {"foo=1 \t , \t bar=2, \t baz=3", SPANBRIDGE_OK, 3},
    {" foo=1 ", SPANBRIDGE_OK, 1},
    {"foo=1,", SPANBRIDGE_OK, 1},
    {",foo=1", SPANBRIDGE_OK, 1},
    {"foo=1,,,bar=2", SPANBRIDGE_OK, 2},
    {" , ,\t", SPANBRIDGE_OK, 0},
    {"0foo=1", SPANBRIDGE_OK, 1}, /* level 2 */
    {"foo-_*/bar=bar-_*/4", SPANBRIDGE_OK, 1},
    {"tenant@system=1", SPANBRIDGE_OK, 1},
    {"0tenant@system=1", SPANBRIDGE_OK, 1},
    {"a@b@c=1", SPANBRIDGE_OK, 1}, /* level 2: an ordinary character */
    {"foo= !\"#$%&'()*+-./0123456789:;<>?@ABC[\\]^_`abc{|}~", SPANBRIDGE_OK, 1},
    {"foo= lead", SPANBRIDGE_OK, 1},
    {"ot=th:8;rv:0123456789abcd", SPANBRIDGE_OK, 1},
    /* Keys. */
    {"=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"@foo=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"_foo=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"FOO=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"fOo=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo.bar=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo =1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"fo o=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"f\xc3\xb6=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo;=1,bar=2", SPANBRIDGE_BAD_GRAMMAR, 0},
    /* Values. */
    {"foo=", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo= ,bar=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=bar=baz", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=\x01", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=a\x7f", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=a\tb", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=1\r\nx-evil: 1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=\xc3\xb6", SPANBRIDGE_BAD_GRAMMAR, 0},
    /* Lists. */
    {"foo=1;bar=2", SPANBRIDGE_BAD_GRAMMAR, 0}, /* one member, whose value has an equals sign */
    {"foo=1,foo=2", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=1,bar=1,foo=1", SPANBRIDGE_BAD_GRAMMAR, 0},
    {"foo=1,fo=1,fooo=1", SPANBRIDGE_OK, 3},
};

static void test_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *text = vectors[i].text;
        enum spanbridge_result result = spanbridge_check_tracestate(text, strlen(text));
        if (result != vectors[i].result)
            fail_msg("%s: %d, not %d", text, result, vectors[i].result);
        if (result != SPANBRIDGE_OK)
            continue;
        struct spanbridge_tracestate_member member;
        size_t at = 0;
        size_t members = 0;
        while (spanbridge_next_tracestate_member(text, strlen(text), &at, &member)) {
            assert_true(member.key_len > 0 && member.value_len > 0);
            assert_int_equal(member.key[member.key_len], '=');
            members++;
        }
        assert_int_equal(members, vectors[i].members);
        assert_int_equal(at, strlen(text));
        assert_false(spanbridge_next_tracestate_member(text, strlen(text), &at, &member));
    }
    assert_int_equal(spanbridge_check_tracestate(NULL, 0), SPANBRIDGE_OK);
    assert_int_equal(spanbridge_check_tracestate("foo=\0", 5), SPANBRIDGE_BAD_GRAMMAR);
}

static void test_the_parts_of_a_member(void **state)
{
    (void)state;
    const char text[] = " rojo=00f067aa , , congo=t61rcWkgMzE";
    struct spanbridge_tracestate_member member;
    size_t at = 0;
    assert_true(spanbridge_next_tracestate_member(text, strlen(text), &at, &member));
    assert_int_equal(member.key_len, 4);
    assert_memory_equal(member.key, "rojo", 4);
    assert_int_equal(member.value_len, 8);
    assert_memory_equal(member.value, "00f067aa", 8);
    assert_true(spanbridge_next_tracestate_member(text, strlen(text), &at, &member));
    assert_memory_equal(member.key, "congo", 5);
    assert_int_equal(member.value_len, 11);
    assert_false(spanbridge_next_tracestate_member(text, strlen(text), &at, &member));
}

/* Each character at each place of a value, and neither its place nor its neighbours matter. */
static void test_every_character_of_a_value(void **state)
{
    (void)state;
    static const char neighbours[] = {'~', '!', 'm'};
    for (size_t len = 1; len <= 20; len++) {
        for (size_t place = 0; place < len; place++) {
            for (int c = 0; c < 256; c++) {
                char text[2 + 20] = "k=";
                memset(text + 2, neighbours[place % sizeof(neighbours)], len);
                text[2 + place] = (char)c;
                bool is_last = place + 1 == len;
                /* A blank or comma at the end is no part of the value. */
                bool is_outside = is_last && (c == ' ' || c == '\t' || c == ',');
                bool fits = c >= 0x20 && c <= 0x7e && c != '=' && c != ',';
                assert_int_equal(spanbridge_check_tracestate(text, 2 + len) == SPANBRIDGE_OK,
                                 is_outside ? len > 1 : fits);
            }
        }
    }
}

static void test_lengths_of_keys_and_values(void **state)
{
    (void)state;
    char text[600];
    for (int len = 255; len <= 257; len++) {
        enum spanbridge_result expected = len > 256 ? SPANBRIDGE_BAD_GRAMMAR : SPANBRIDGE_OK;
        snprintf(text, sizeof(text), "%0*d=1", len, 7);
        assert_int_equal(spanbridge_check_tracestate(text, strlen(text)), expected);
        snprintf(text, sizeof(text), "k=%0*d", len, 7);
        assert_int_equal(spanbridge_check_tracestate(text, strlen(text)), expected);
    }
}

/* `count` members: k0=v,k1=v,... */
static size_t write_members(char *text, size_t size, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, size - len, "%sk%d=v", i == 0 ? "" : ",", i);
    return len;
}

static void test_32_members_and_no_more(void **state)
{
    (void)state;
    char text[600];
    size_t len = write_members(text, sizeof(text), 32);
    assert_int_equal(spanbridge_check_tracestate(text, len), SPANBRIDGE_OK);
    memcpy(text + len, ", ,", 4);
    assert_int_equal(spanbridge_check_tracestate(text, len + 3), SPANBRIDGE_OK);
    len = write_members(text, sizeof(text), 33);
    assert_int_equal(spanbridge_check_tracestate(text, len), SPANBRIDGE_TOO_MANY_MEMBERS);
}

/* A hostile list costs no more than its length. */
static void test_a_million_members(void **state)
{
    (void)state;
    static char text[2000000];
    for (size_t i = 0; i < sizeof(text); i += 4)
        memcpy(text + i, "a=1,", 4);
    assert_int_equal(spanbridge_check_tracestate(text, sizeof(text)), SPANBRIDGE_BAD_GRAMMAR);
    memset(text, ',', sizeof(text));
    assert_int_equal(spanbridge_check_tracestate(text, sizeof(text)), SPANBRIDGE_OK);
}

static void test_short_lists_are_written_as_they_are(void **state)
{
    (void)state;
    char out[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    assert_int_equal(spanbridge_format_tracestate(" a=1 , ,b=2 ", 12, out, sizeof(out)), 10);
    assert_string_equal(out, "a=1 , ,b=2");
    assert_int_equal(spanbridge_format_tracestate("", 0, out, sizeof(out)), 0);
    assert_string_equal(out, "");
    assert_int_equal(spanbridge_format_tracestate("a=1", 3, out, 0), 0);
}

static void test_what_is_no_list_is_not_written(void **state)
{
    (void)state;
    char out[100] = "before";
    assert_int_equal(spanbridge_format_tracestate("a=1\r\nb: 2", 9, out, sizeof(out)), 0);
    assert_string_equal(out, "");
}

/* Long members go first, from the right, and only as many as needed. */
static void test_long_members_are_cut_first(void **state)
{
    (void)state;
    char text[1200];
    char expected[1200];
    char out[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    int len = snprintf(text, sizeof(text), "a=%0130d,b=1,c=%0200d,d=2,e=%0200d,f=3", 1, 2, 3);
    assert_true(len > SPANBRIDGE_TRACESTATE_LEN_MAX);
    snprintf(expected, sizeof(expected), "a=%0130d,b=1,c=%0200d,d=2,f=3", 1, 2);
    assert_int_equal(spanbridge_format_tracestate(text, (size_t)len, out, sizeof(out)),
                     strlen(expected));
    assert_string_equal(out, expected);
}

static void test_then_members_from_the_right(void **state)
{
    (void)state;
    char text[1200];
    char out[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    size_t len = 0;
    for (int i = 0; i < 10; i++) /* ten members of 100 characters */
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d=%098d", i == 0 ? "" : ",",
                                i, i);
    assert_int_equal(spanbridge_format_tracestate(text, len, out, sizeof(out)), 5 * 100 + 4);
    assert_memory_equal(out, text, 504);
    assert_int_equal(out[504], '\0');
    /* A smaller buffer is a smaller limit. */
    assert_int_equal(spanbridge_format_tracestate(text, len, out, 504), 4 * 100 + 3);
    assert_int_equal(spanbridge_format_tracestate(text, len, out, 505), 5 * 100 + 4);
    assert_int_equal(spanbridge_format_tracestate(text, len, out, 50), 0);
}

/* Whatever the list: the result is a list, of the same members in their order, that fits. */
static void test_cut_lists_are_lists(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 2);
    for (int round = 0; round < 5000; round++) {
        char text[20000];
        char out[600];
        size_t len = 0;
        int members = (int)random_between(&random, 1, 32);
        for (int i = 0; i < members; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%sk%d=%0*d",
                                    i == 0 ? "" : " ,", i, (int)random_between(&random, 1, 200),
                                    1);
        assert_int_equal(spanbridge_check_tracestate(text, len), SPANBRIDGE_OK);
        size_t size = random_between(&random, 1, sizeof(out));
        size_t written = spanbridge_format_tracestate(text, len, out, size);
        assert_true(written < size && written <= SPANBRIDGE_TRACESTATE_LEN_MAX);
        assert_int_equal(strlen(out), written);
        assert_int_equal(spanbridge_check_tracestate(out, written), SPANBRIDGE_OK);
        struct spanbridge_tracestate_member kept;
        struct spanbridge_tracestate_member member = {0};
        size_t at = 0;
        size_t from = 0;
        while (spanbridge_next_tracestate_member(out, written, &at, &kept)) {
            do
                assert_true(spanbridge_next_tracestate_member(text, len, &from, &member));
            while (member.key_len != kept.key_len ||
                   memcmp(member.key, kept.key, kept.key_len) != 0);
            assert_int_equal(member.value_len, kept.value_len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors),
        cmocka_unit_test(test_the_parts_of_a_member),
        cmocka_unit_test(test_every_character_of_a_value),
        cmocka_unit_test(test_lengths_of_keys_and_values),
        cmocka_unit_test(test_32_members_and_no_more),
        cmocka_unit_test(test_a_million_members),
        cmocka_unit_test(test_short_lists_are_written_as_they_are),
        cmocka_unit_test(test_what_is_no_list_is_not_written),
        cmocka_unit_test(test_long_members_are_cut_first),
        cmocka_unit_test(test_then_members_from_the_right),
        cmocka_unit_test(test_cut_lists_are_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
