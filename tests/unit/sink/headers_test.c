#include "headers.h"

#include <stdbool.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "support/temp_dir.h"
#include "support/test.h"

static struct sink_otlp_options options_of(const struct sink_otlp_header *headers,
                                           uint32_t count)
{
    return (struct sink_otlp_options){
        .headers = headers, .header_count = count, .timeout_ns = 10 * NS_PER_S};
}

static bool has_line(const struct curl_slist *list, const char *line)
{
    for (; list != NULL; list = list->next) {
        if (strcmp(list->data, line) == 0)
            return true;
    }
    return false;
}

static struct curl_slist *list_of(const struct headers *headers)
{
    struct curl_slist *list = NULL;
    assert_int_equal(headers_new_list(headers, &list), SB_OK);
    return list;
}

static void test_lines_of_the_protocols(void **state)
{
    (void)state;
    struct sink_otlp_options options = options_of(NULL, 0);
    struct headers headers;
    uint32_t at = 0;
    assert_int_equal(headers_init(&headers, &options, &at), SB_OK);
    struct curl_slist *list = list_of(&headers);
    assert_true(has_line(list, "Content-Type: application/x-protobuf"));
    assert_true(has_line(list, "Expect:"));
    assert_null(list->next->next);
    curl_slist_free_all(list);
    options.compression = SINK_COMPRESSION_ZSTD;
    list = list_of(&headers);
    assert_true(has_line(list, "Content-Encoding: zstd"));
    curl_slist_free_all(list);
    options.protocol = SINK_OTLP_GRPC;
    options.compression = SINK_COMPRESSION_GZIP;
    list = list_of(&headers);
    assert_true(has_line(list, "Content-Type: application/grpc"));
    assert_true(has_line(list, "grpc-encoding: gzip"));
    assert_true(has_line(list, "te: trailers"));
    assert_true(has_line(list, "grpc-timeout: 10000m"));
    assert_false(has_line(list, "Content-Encoding: gzip"));
    curl_slist_free_all(list);
    headers_clear(&headers);
}

static void test_secrets_are_read_again(void **state)
{
    (void)state;
    struct temp_dir dir;
    temp_dir_make(&dir);
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_path(&dir, "token", path);
    temp_dir_write(&dir, "token", "one\r\n", 5);
    const struct sink_otlp_header lines[] = {
        {.name = "Authorization", .file = path, .prefix = "Bearer "},
        {.name = "X-Scope-OrgID", .value = "shop"},
        {.name = "X-Empty", .value = ""},
    };
    struct sink_otlp_options options = options_of(lines, 3);
    struct headers headers;
    uint32_t at = 0;
    assert_int_equal(headers_init(&headers, &options, &at), SB_OK);
    uint64_t generation = headers.generation;
    struct curl_slist *list = list_of(&headers);
    assert_true(has_line(list, "Authorization: Bearer one"));
    assert_true(has_line(list, "X-Scope-OrgID: shop"));
    assert_true(has_line(list, "X-Empty;"));
    curl_slist_free_all(list);
    assert_false(headers_read_again(&headers));
    assert_int_equal(headers.generation, generation);
    temp_dir_write(&dir, "token", "two", 3);
    assert_true(headers_read_again(&headers));
    assert_true(headers.generation != generation);
    list = list_of(&headers);
    assert_true(has_line(list, "Authorization: Bearer two"));
    curl_slist_free_all(list);
    /* A file that is being written, or gone, or spoilt, changes nothing. */
    temp_dir_write(&dir, "token", "", 0);
    assert_false(headers_read_again(&headers));
    temp_dir_write(&dir, "token", "a\nX-Other: b", 12);
    assert_false(headers_read_again(&headers));
    temp_dir_write(&dir, "token", "a\0b", 3);
    assert_false(headers_read_again(&headers));
    temp_dir_remove(&dir);
    assert_false(headers_read_again(&headers));
    list = list_of(&headers);
    assert_true(has_line(list, "Authorization: Bearer two"));
    curl_slist_free_all(list);
    headers_clear(&headers);
}

static void test_lines_that_no_header_may_have(void **state)
{
    (void)state;
    static const struct sink_otlp_header good = {.name = "A", .value = "b\tc"};
    static const struct {
        struct sink_otlp_header header;
        enum sb_err err;
    } rows[] = {
        {{.name = "X", .value = "a\r\nY: b"}, SB_ERR_CONFIG},
        {{.name = "X", .value = "a\x7f"}, SB_ERR_CONFIG},
        {{.name = "X Y", .value = "a"}, SB_ERR_CONFIG},
        {{.name = "X:", .value = "a"}, SB_ERR_CONFIG},
        {{.name = "", .value = "a"}, SB_ERR_CONFIG},
        {{.name = NULL, .value = "a"}, SB_ERR_CONFIG},
        {{.name = "X"}, SB_ERR_CONFIG},
        {{.name = "X", .value = "a", .file = "b"}, SB_ERR_CONFIG},
        {{.name = "Content-Type", .value = "a"}, SB_ERR_CONFIG},
        {{.name = "te", .value = "a"}, SB_ERR_CONFIG},
        {{.name = "X", .file = "/nonexistent/file"}, SB_ERR_IO},
        {{.name = "X", .file = "/"}, SB_ERR_IO},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sink_otlp_header lines[] = {good, rows[i].header};
        struct sink_otlp_options options = options_of(lines, 2);
        struct headers headers;
        uint32_t at = 0;
        assert_int_equal(headers_init(&headers, &options, &at), rows[i].err);
        assert_int_equal(at, 1);
        headers_clear(&headers);
    }
}

static void test_a_secret_beyond_its_cap(void **state)
{
    (void)state;
    struct temp_dir dir;
    temp_dir_make(&dir);
    char path[TEMP_DIR_PATH_LEN];
    static char secret[HEADERS_SECRET_MAX + 1];
    memset(secret, 's', sizeof(secret));
    temp_dir_write(&dir, "token", secret, sizeof(secret));
    temp_dir_path(&dir, "token", path);
    const struct sink_otlp_header lines[] = {{.name = "X", .file = path}};
    struct sink_otlp_options options = options_of(lines, 1);
    struct headers headers;
    uint32_t at = 0;
    assert_int_equal(headers_init(&headers, &options, &at), SB_ERR_CONFIG);
    headers_clear(&headers);
    temp_dir_write(&dir, "token", secret, sizeof(secret) - 1);
    assert_int_equal(headers_init(&headers, &options, &at), SB_OK);
    struct curl_slist *list = list_of(&headers);
    curl_slist_free_all(list);
    headers_clear(&headers);
    temp_dir_remove(&dir);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct temp_dir dir;
    temp_dir_make(&dir);
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_write(&dir, "token", "one", 3);
    temp_dir_path(&dir, "token", path);
    const struct sink_otlp_header lines[] = {{.name = "X", .file = path}};
    struct sink_otlp_options options = options_of(lines, 1);
    struct headers headers;
    uint32_t at = 0;
    uint64_t nth = 1;
    for (;; nth++) {
        memory_fail_at(nth);
        enum sb_err err = headers_init(&headers, &options, &at);
        struct curl_slist *list = NULL;
        if (err == SB_OK)
            err = headers_new_list(&headers, &list);
        memory_fail_at(0);
        curl_slist_free_all(list);
        headers_clear(&headers);
        if (err == SB_OK)
            break;
        assert_int_equal(err, SB_ERR_MEMORY);
    }
    assert_true(nth > 2);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_the_protocols),
        cmocka_unit_test(test_secrets_are_read_again),
        cmocka_unit_test(test_lines_that_no_header_may_have),
        cmocka_unit_test(test_a_secret_beyond_its_cap),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
