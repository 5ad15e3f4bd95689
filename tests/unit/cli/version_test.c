#include "version.h"

#include <jansson.h>
#include <string.h>

#include "support/test.h"

static const char *const libraries[] = {"librdkafka", "libevent", "libconfig", "libcurl",
                                        "nghttp2",    "jansson",  "zlib",      "zstd",
                                        "lz4",        "xxhash",   "pcre2",     "openssl"};
enum { LIBRARIES = sizeof(libraries) / sizeof(*libraries) };

static void test_json(void **state)
{
    (void)state;
    struct text text;
    json_error_t error;
    text_init(&text, 1 << 16);
    version_append(&text, true);
    json_t *root = json_loads(text_string(&text), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "spanbridge")),
                        SPANBRIDGE_VERSION);
    json_t *found = json_object_get(root, "libraries");
    for (size_t i = 0; i < LIBRARIES; i++) {
        const char *version = json_string_value(json_object_get(found, libraries[i]));
        assert_non_null(version);
        assert_true(version[0] >= '0' && version[0] <= '9');
    }
    assert_int_equal(json_object_size(found), LIBRARIES);
    json_decref(root);
    text_clear(&text);
}

static void test_text(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 1 << 16);
    version_append(&text, false);
    assert_int_equal(strncmp(text_string(&text), "spanbridge " SPANBRIDGE_VERSION "\n",
                             strlen("spanbridge " SPANBRIDGE_VERSION "\n")),
                     0);
    for (size_t i = 0; i < LIBRARIES; i++)
        assert_non_null(strstr(text_string(&text), libraries[i]));
    text_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
