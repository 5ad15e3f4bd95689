#include "base64.h"

#include "support/random.h"
#include "support/test.h"

static void expect(const char *plain, const char *encoded)
{
    char text[64];
    uint8_t bytes[64];
    size_t len;
    base64_encode(bytes_text(plain), text);
    assert_int_equal(base64_encoded_len(strlen(plain)), strlen(encoded));
    assert_memory_equal(text, encoded, strlen(encoded));
    assert_int_equal(base64_decode(bytes_text(encoded), bytes, &len), SB_OK);
    assert_true(bytes_equal(bytes_of(bytes, len), bytes_text(plain)));
}

/* RFC 4648, section 10. */
static void test_the_vectors_of_the_rfc(void **state)
{
    (void)state;
    expect("", "");
    expect("f", "Zg==");
    expect("fo", "Zm8=");
    expect("foo", "Zm9v");
    expect("foob", "Zm9vYg==");
    expect("fooba", "Zm9vYmE=");
    expect("foobar", "Zm9vYmFy");
}

static void test_both_alphabets_with_padding_or_without(void **state)
{
    (void)state;
    static const char *const forms[] = {"+/+/+w==", "-_-_-w==", "+/+/+w", "-_-_-w", "+_-/+w=="};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        uint8_t bytes[16];
        size_t len;
        assert_int_equal(base64_decode(bytes_text(forms[i]), bytes, &len), SB_OK);
        assert_true(bytes_equal(bytes_of(bytes, len), BYTES_LITERAL("\xfb\xff\xbf\xfb")));
    }
}

static void test_what_is_no_base64(void **state)
{
    (void)state;
    static const char *const wrong[] = {"A",    "AAAAA", "A===",  "AA=A",  "=",
                                        "====", "AA===", "AAA==", "AAAA=", "AAAA====",
                                        "A A=", "AA\n=", "AB.D",  "AB*="};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint8_t bytes[16];
        size_t len = 99;
        assert_int_equal(base64_decode(bytes_text(wrong[i]), bytes, &len), SB_ERR_INPUT);
        assert_int_equal(len, 99);
    }
}

static void test_random_bytes_come_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 1);
    for (size_t len = 0; len < 200; len++) {
        uint8_t plain[200];
        char text[300];
        uint8_t back[300];
        size_t back_len;
        random_fill(&random, plain, len);
        base64_encode(bytes_of(plain, len), text);
        assert_int_equal(
            base64_decode(bytes_of(text, base64_encoded_len(len)), back, &back_len), SB_OK);
        assert_true(bytes_equal(bytes_of(back, back_len), bytes_of(plain, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_the_rfc),
        cmocka_unit_test(test_both_alphabets_with_padding_or_without),
        cmocka_unit_test(test_what_is_no_base64),
        cmocka_unit_test(test_random_bytes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
