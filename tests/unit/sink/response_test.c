#include "response.h"

#include <string.h>

#include "compress.h"
#include "core/memory.h"
#include "support/test.h"

static void take(struct response *response, const char *line)
{
    assert_true(response_take_header(response, bytes_text(line)));
}

static void test_headers_are_kept(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    take(&response, "HTTP/1.1 503 Service Unavailable\r\n");
    take(&response, "Retry-After: 120\r\n");
    take(&response, "CONTENT-TYPE:application/x-protobuf\r\n");
    take(&response, "content-encoding:  gzip \t\r\n");
    take(&response, "Server: x\r\n");
    take(&response, "no colon\r\n");
    take(&response, ": no name\r\n");
    take(&response, "\r\n");
    assert_int_equal(response.status, 503);
    assert_int_equal(response.grpc_status, RESPONSE_NO_GRPC_STATUS);
    assert_string_equal(response.retry_after, "120");
    assert_string_equal(response.content_type, "application/x-protobuf");
    assert_string_equal(response.content_encoding, "gzip");
    /* The next status line begins another response. */
    take(&response, "HTTP/2 200 \r\n");
    assert_int_equal(response.status, 200);
    assert_string_equal(response.retry_after, "");
    take(&response, "grpc-status: 14\r\n");
    take(&response, "grpc-message: a%20b\r\n");
    take(&response, "grpc-encoding: gzip\r\n");
    take(&response, "grpc-status-details-bin: Zm8\r\n");
    assert_int_equal(response.grpc_status, 14);
    assert_string_equal(response.grpc_message, "a%20b");
    assert_string_equal(response.grpc_encoding, "gzip");
    assert_string_equal(text_string(&response.details), "Zm8");
    response_reset(&response);
    assert_int_equal(response.status, 0);
    assert_int_equal(response.grpc_status, RESPONSE_NO_GRPC_STATUS);
    assert_string_equal(response.grpc_message, "");
    assert_int_equal(response.details.len, 0);
    response_clear(&response);
}

static void test_status_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {"HTTP/1.1 204\r\n", 204}, {"HTTP/1.1 200 OK", 200}, {"HTTP/3 500", 500},
        {"HTTP/1.1", 0},           {"HTTP/1.1 ", 0},         {"HTTP/1.1 20", 0},
        {"HTTP/1.1 2x0", 0},       {"HTTP/1.1 -20", 0},
    };
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        take(&response, rows[i].line);
        assert_int_equal(response.status, rows[i].status);
    }
    response_clear(&response);
}

static void test_grpc_status_that_is_none(void **state)
{
    (void)state;
    static const char *const lines[] = {"grpc-status: ", "grpc-status: x", "grpc-status: -1",
                                        "grpc-status: 007", "grpc-status: 99999999999"};
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        take(&response, lines[i]);
        assert_int_equal(response.grpc_status, 2);
    }
    response_clear(&response);
}

static void test_long_values(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    struct text line;
    text_init(&line, 100000);
    text_append_text(&line, "retry-after: ");
    for (int i = 0; i < RESPONSE_VALUE_LEN; i++)
        text_append_char(&line, '1');
    assert_true(response_take_header(&response, text_bytes(&line)));
    assert_string_equal(response.retry_after, ""); /* not a part of it */
    text_reset(&line);
    text_append_text(&line, "grpc-message: ");
    for (int i = 0; i < RESPONSE_MESSAGE_LEN; i++)
        text_append_char(&line, 'm');
    assert_true(response_take_header(&response, text_bytes(&line)));
    assert_int_equal(strlen(response.grpc_message), RESPONSE_MESSAGE_LEN - 1);
    text_reset(&line);
    text_append_text(&line, "grpc-status-details-bin:");
    for (int i = 0; i < RESPONSE_DETAILS_MAX; i++)
        text_append_char(&line, 'A');
    assert_true(response_take_header(&response, text_bytes(&line)));
    assert_int_equal(response.details.len, RESPONSE_DETAILS_MAX);
    text_append_char(&line, 'A');
    assert_true(response_take_header(&response, text_bytes(&line)));
    assert_int_equal(response.details.len, 0);
    text_clear(&line);
    response_clear(&response);
}

static void test_the_cap_counts_everything(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    static uint8_t part[64 * 1024];
    size_t total = 0;
    take(&response, "HTTP/1.1 200 OK\r\n");
    total += strlen("HTTP/1.1 200 OK\r\n");
    while (total + sizeof(part) <= RESPONSE_BYTES_MAX) {
        assert_true(response_take_body(&response, bytes_of(part, sizeof(part))));
        total += sizeof(part);
    }
    assert_true(response_take_body(&response, bytes_of(part, RESPONSE_BYTES_MAX - total)));
    assert_int_equal(response.end, RESPONSE_COMPLETE);
    assert_false(response_take_body(&response, bytes_of(part, 1)));
    assert_int_equal(response.end, RESPONSE_OVERFLOW);
    assert_true(response.body.room <= RESPONSE_BYTES_MAX + 1);
    response_reset(&response);
    assert_int_equal(response.end, RESPONSE_COMPLETE);
    response.received = RESPONSE_BYTES_MAX;
    assert_false(response_take_header(&response, BYTES_LITERAL("x")));
    assert_int_equal(response.end, RESPONSE_OVERFLOW);
    response_clear(&response);
}

static void test_content_by_encoding(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    struct text packed;
    text_init(&packed, 1000);
    struct compressor *gzip = NULL;
    assert_int_equal(compressor_new(SINK_COMPRESSION_GZIP, &gzip), SB_OK);
    assert_int_equal(compressor_append(gzip, BYTES_LITERAL("content"), &packed), SB_OK);
    assert_true(response_take_body(&response, text_bytes(&packed)));
    struct bytes content;
    assert_int_equal(response_content(&response, &content), SB_OK);
    assert_true(bytes_equal(content, text_bytes(&packed)));
    take(&response, "content-encoding: GZIP");
    assert_int_equal(response_content(&response, &content), SB_OK);
    assert_true(bytes_equal(content, BYTES_LITERAL("content")));
    take(&response, "content-encoding: br");
    assert_int_equal(response_content(&response, &content), SB_ERR_INPUT);
    text_clear(&packed);
    compressor_free(gzip);
    response_clear(&response);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    memory_fail_at(1);
    assert_false(response_take_body(&response, BYTES_LITERAL("x")));
    memory_fail_at(1);
    take(&response, "grpc-status-details-bin: Zm8"); /* lost, no more */
    memory_fail_at(0);
    assert_int_equal(response.details.len, 0);
    assert_int_equal(response.end, RESPONSE_COMPLETE);
    response_clear(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_kept),
        cmocka_unit_test(test_status_lines),
        cmocka_unit_test(test_grpc_status_that_is_none),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_the_cap_counts_everything),
        cmocka_unit_test(test_content_by_encoding),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
