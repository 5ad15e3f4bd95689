#include "grpc.h"

#include <string.h>

#include "compress.h"
#include "core/clock.h"
#include "support/test.h"

struct row {
    int http;
    int status;
    enum response_end end;
    const char *message;
    const char *details;
    enum answer_kind kind;
    uint64_t wait_ms;
};

#define NO   RESPONSE_NO_GRPC_STATUS
#define DONE RESPONSE_COMPLETE
#define CUT  RESPONSE_DISCONNECTED
#define LATE RESPONSE_TIMED_OUT
#define OVER RESPONSE_OVERFLOW
#define LOST RESPONSE_LOST

/* Status { code 8, message "m", RetryInfo { 5 s } }, and the same without a delay. */
#define RETRY_5S   "CAgSAW0aMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBQ=="
#define RETRY_BARE "EgFtGioKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8"
#define NO_RETRY   "CAgSAW0"

static const struct row rows[] = {
    {200, 0, DONE, "", "", ANSWER_ACCEPTED, 0},
    {200, 0, CUT, "", "", ANSWER_ACCEPTED, 0}, /* trailers are the last thing to come */
    {200, 1, DONE, "", "", ANSWER_RETRY, 0},
    {200, 2, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 3, DONE, "invalid utf-8", "", ANSWER_BAD_CONTENT, 0},
    {200, 4, DONE, "", "", ANSWER_RETRY, 0},
    {200, 5, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 6, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 7, DONE, "", "", ANSWER_UNAUTHORISED, 0},
    {200, 8, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 9, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 10, DONE, "", "", ANSWER_RETRY, 0},
    {200, 11, DONE, "", "", ANSWER_RETRY, 0},
    {200, 12, DONE, "", "", ANSWER_NO_RECEIVER, 0},
    {200, 13, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 14, DONE, "", "", ANSWER_RETRY, 0},
    {200, 15, DONE, "", "", ANSWER_RETRY, 0},
    {200, 16, DONE, "", "", ANSWER_UNAUTHORISED, 0},
    {200, 17, DONE, "", "", ANSWER_REFUSED, 0},
    {200, 99, DONE, "", "", ANSWER_REFUSED, 0},
    /* Throttling. */
    {200, 14, DONE, "", RETRY_5S, ANSWER_RETRY, 5000},
    {200, 14, DONE, "", "!!!", ANSWER_RETRY, 0},
    {200, 8, DONE, "", RETRY_5S, ANSWER_RETRY, 5000},
    {200, 8, DONE, "", RETRY_BARE, ANSWER_RETRY, 0},
    {200, 8, DONE, "", NO_RETRY, ANSWER_REFUSED, 0},
    {200, 8, DONE, "", "!!!", ANSWER_REFUSED, 0},
    /* Messages above a limit, of Go, C++ and Java. */
    {200, 8, DONE, "grpc: received message larger than max (9 vs. 4)", "", ANSWER_TOO_LARGE, 0},
    {200, 8, DONE, "grpc: received message after decompression larger than max (9 vs. 4)", "",
     ANSWER_TOO_LARGE, 0},
    {200, 8, DONE, "Received message larger than max (9 vs. 4)", RETRY_5S, ANSWER_TOO_LARGE, 0},
    {200, 8, DONE, "gRPC message exceeds maximum size 4: 9", "", ANSWER_TOO_LARGE, 0},
    {200, 8, DONE, "grpc: received%20message%20larger%20than%20max", "", ANSWER_TOO_LARGE, 0},
    /* Without grpc-status: HTTP's, if it has something to say. */
    {400, NO, DONE, "", "", ANSWER_REFUSED, 0},
    {401, NO, DONE, "", "", ANSWER_UNAUTHORISED, 0},
    {403, NO, DONE, "", "", ANSWER_UNAUTHORISED, 0},
    {404, NO, DONE, "", "", ANSWER_NO_RECEIVER, 0},
    {413, NO, DONE, "", "", ANSWER_TOO_LARGE, 0},
    {429, NO, DONE, "", "", ANSWER_RETRY, 0},
    {502, NO, DONE, "", "", ANSWER_RETRY, 0},
    {503, NO, DONE, "", "", ANSWER_RETRY, 0},
    {503, NO, CUT, "", "", ANSWER_RETRY, 0},
    {504, NO, DONE, "", "", ANSWER_RETRY, 0},
    {500, NO, DONE, "", "", ANSWER_REFUSED, 0},
    {404, NO, CUT, "", "", ANSWER_NO_RECEIVER, 0},
    {200, NO, DONE, "", "", ANSWER_UNKNOWN, 0},
    {503, 3, DONE, "", "", ANSWER_BAD_CONTENT, 0}, /* grpc-status wins */
    /* Broken off before the trailers. */
    {200, NO, CUT, "", "", ANSWER_RETRY, 0},
    {200, NO, LATE, "", "", ANSWER_RETRY, 0},
    {0, NO, CUT, "", "", ANSWER_RETRY, 0},
    {0, NO, LATE, "", "", ANSWER_RETRY, 0},
    {0, NO, LOST, "", "", ANSWER_UNHEARD, 0},
    {200, NO, OVER, "", "", ANSWER_REFUSED, 0},
    {200, 0, OVER, "", "", ANSWER_REFUSED, 0},
};

static void test_rows(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        response_reset(&response);
        response.status = row->http;
        response.grpc_status = row->status;
        response.end = row->end;
        (void)strncpy(response.grpc_message, row->message, RESPONSE_MESSAGE_LEN - 1);
        text_append_text(&response.details, row->details);
        struct answer answer = grpc_answer_read(&response);
        if (answer.kind != row->kind || answer.wait_ns != row->wait_ms * NS_PER_MS)
            fail_msg("row %zu, http %d, grpc %d: kind %d, wait %llu", i, row->http, row->status,
                     answer.kind, (unsigned long long)answer.wait_ns);
    }
    response_clear(&response);
}

/* A view in an initializer of static data, where a compound literal may not stand. */
#define CONTENT(text)                                                                          \
    {                                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                                              \
    }

struct message_row {
    const char *name;
    struct bytes body;
    uint64_t rejected;
};

static const struct message_row message_rows[] = {
    {"no body", CONTENT(""), 0},
    {"empty message", CONTENT("\0\0\0\0\0"), 0},
    {"partial success", CONTENT("\0\0\0\0\4\x0a\2\x08\3"), 3},
    {"cut in the frame", CONTENT("\0\0\0\0"), 0},
    {"cut in the message", CONTENT("\0\0\0\0\5\x0a\2\x08\3"), 0},
    {"cut where the NUL behind would fit", CONTENT("\0\0\0\0\7\x0a\2\x08\3\x1a\1"), 0},
    {"length beyond all", CONTENT("\0\xff\xff\xff\xff\x0a\2\x08\3"), 0},
    {"compressed without a name", CONTENT("\1\0\0\0\4\x0a\2\x08\3"), 0},
    {"unknown flag", CONTENT("\7\0\0\0\4\x0a\2\x08\3"), 0},
    {"not protobuf", CONTENT("\0\0\0\0\4\xff\xff\xff\xff"), 0},
    {"two messages", CONTENT("\0\0\0\0\4\x0a\2\x08\3\0\0\0\0\4\x0a\2\x08\7"), 3},
};

static void test_partial_success(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(message_rows) / sizeof(message_rows[0]); i++) {
        response_reset(&response);
        response.status = 200;
        response.grpc_status = 0;
        text_append(&response.body, message_rows[i].body);
        struct answer answer = grpc_answer_read(&response);
        if (answer.kind != ANSWER_ACCEPTED || answer.rejected != message_rows[i].rejected)
            fail_msg("%s: rejected %llu", message_rows[i].name,
                     (unsigned long long)answer.rejected);
    }
    response_clear(&response);
}

/* A gzip message of `len` bytes, `start` first and zeros then, in its frame. */
static void append_gzip_message(struct response *response, struct bytes start, size_t len)
{
    struct text plain;
    text_init(&plain, len);
    text_append(&plain, start);
    uint8_t *rest = text_grow(&plain, len - start.len);
    assert_non_null(rest);
    memset(rest, 0, len - start.len);
    struct compressor *gzip = NULL;
    struct text packed;
    text_init(&packed, 2 * len + 1000);
    assert_int_equal(compressor_new(SINK_COMPRESSION_GZIP, &gzip), SB_OK);
    assert_int_equal(compressor_append(gzip, text_bytes(&plain), &packed), SB_OK);
    uint8_t *frame = text_grow(&response->body, GRPC_FRAME_LEN);
    assert_non_null(frame);
    grpc_write_frame(frame, true, packed.len);
    text_append(&response->body, text_bytes(&packed));
    compressor_free(gzip);
    text_clear(&packed);
    text_clear(&plain);
}

static void test_compressed_messages(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    response.status = 200;
    response.grpc_status = 0;
    (void)strncpy(response.grpc_encoding, "gzip", RESPONSE_VALUE_LEN - 1);
    append_gzip_message(&response, BYTES_LITERAL("\x0a\2\x08\3"), 4);
    struct answer answer = grpc_answer_read(&response);
    assert_int_equal(answer.kind, ANSWER_ACCEPTED);
    assert_int_equal(answer.rejected, 3);
    /* A bomb. */
    text_reset(&response.body);
    append_gzip_message(&response, BYTES_LITERAL(""), RESPONSE_BYTES_MAX + 1);
    answer = grpc_answer_read(&response);
    assert_int_equal(answer.kind, ANSWER_REFUSED);
    assert_int_equal(response.end, RESPONSE_OVERFLOW);
    response_clear(&response);
}

static void test_percent_encoding(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"a%20b", "a b"},   {"%e2%82%AC", "???"}, {"100%", "100%"},     {"%2", "%2"},
        {"%zz%41", "%zzA"}, {"%0a", "?"},         {"a%2541b", "a%41b"}, {"", ""},
    };
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        response_reset(&response);
        response.grpc_status = 2;
        (void)strncpy(response.grpc_message, pairs[i][0], RESPONSE_MESSAGE_LEN - 1);
        struct answer answer = grpc_answer_read(&response);
        assert_string_equal(answer.message, pairs[i][1]);
    }
    response_clear(&response);
}

static void test_frames_and_timeouts(void **state)
{
    (void)state;
    uint8_t frame[GRPC_FRAME_LEN];
    grpc_write_frame(frame, true, 0x01020304);
    assert_memory_equal(frame, "\1\1\2\3\4", GRPC_FRAME_LEN);
    grpc_write_frame(frame, false, 0);
    assert_memory_equal(frame, "\0\0\0\0\0", GRPC_FRAME_LEN);
    char timeout[GRPC_TIMEOUT_LEN];
    grpc_format_timeout(10 * NS_PER_S, timeout);
    assert_string_equal(timeout, "10000m");
    grpc_format_timeout(UINT64_MAX, timeout);
    assert_string_equal(timeout, "99999999m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_partial_success),
        cmocka_unit_test(test_compressed_messages),
        cmocka_unit_test(test_percent_encoding),
        cmocka_unit_test(test_frames_and_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
