#include "json_text.h"

#include <jansson.h>

#include "support/random.h"
#include "support/test.h"

static void expect(struct bytes in, const char *expected)
{
    struct text out;
    text_init(&out, 1000);
    json_text_append(&out, in);
    assert_string_equal(text_string(&out), expected);
    text_clear(&out);
}

static void test_escapes(void **state)
{
    (void)state;
    expect(bytes_of(NULL, 0), "\"\"");
    expect(BYTES_LITERAL("plain"), "\"plain\"");
    expect(BYTES_LITERAL("a\"b\\c\nd\re\tf\0g\x1f\x7f"),
           "\"a\\\"b\\\\c\\nd\\re\\tf\\u0000g\\u001f\x7f\"");
}

#define REPLACED "\xef\xbf\xbd"

static void test_utf_8(void **state)
{
    (void)state;
    expect(BYTES_LITERAL("\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80"),
           "\"\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\"");
    expect(BYTES_LITERAL("\xee\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf"),
           "\"\xee\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\"");
    expect(BYTES_LITERAL("a\xff"
                         "b\xfe"),
           "\"a" REPLACED "b" REPLACED "\"");
    expect(BYTES_LITERAL("\xc3"), "\"" REPLACED "\""); /* cut off */
    expect(BYTES_LITERAL("\xe2\x82"), "\"" REPLACED REPLACED "\"");
    expect(BYTES_LITERAL("\xc0\x80"), "\"" REPLACED REPLACED "\""); /* overlong */
    expect(BYTES_LITERAL("\xe0\x80\x80"), "\"" REPLACED REPLACED REPLACED "\"");
    expect(BYTES_LITERAL("\xed\xa0\x80"),
           "\"" REPLACED REPLACED REPLACED "\""); /* a surrogate */
    expect(BYTES_LITERAL("\xf4\x90\x80\x80"), "\"" REPLACED REPLACED REPLACED REPLACED "\"");
    expect(BYTES_LITERAL("\x80"), "\"" REPLACED "\"");
}

/* Whatever the bytes are, a parser takes the result; what is valid comes back as it was. */
static void test_random_bytes(void **state)
{
    (void)state;
    struct random random;
    struct text out;
    random_init(&random, 1);
    text_init(&out, 1000);
    size_t same = 0;
    for (int round = 0; round < 50000; round++) {
        uint8_t noise[8];
        size_t len = random_below(&random, sizeof(noise));
        random_fill(&random, noise, len);
        if (random_chance(&random, 50) && len > 0)
            noise[0] = (uint8_t)random_between(&random, 0xc2, 0xf4);
        for (size_t i = 1; i < len && random_chance(&random, 80); i++)
            noise[i] = (uint8_t)random_between(&random, 0x80, 0xbf);
        text_reset(&out);
        json_text_append(&out, bytes_of(noise, len));
        json_t *read = json_loadb(out.at, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        json_t *direct = json_stringn((const char *)noise, len); /* NULL: no UTF-8 */
        struct bytes back = bytes_of(json_string_value(read), json_string_length(read));
        assert_int_equal(bytes_equal(back, bytes_of(noise, len)), direct != NULL);
        same += direct != NULL;
        json_decref(direct);
        json_decref(read);
    }
    assert_true(same > 1000);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_utf_8),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
