#include "http_answer.h"

#include <string.h>

#include "core/clock.h"
#include "support/test.h"

/* A view in an initializer of static data, where a compound literal may not stand. */
#define CONTENT(text)                                                                          \
    {                                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                                              \
    }

struct row {
    int status;
    enum response_end end;
    const char *retry_after;
    const char *type;
    struct bytes body;
    enum answer_kind kind;
    uint64_t wait_ms;
    uint64_t rejected;
    const char *message;
};

#define PB   "application/x-protobuf"
#define NONE CONTENT("")
#define DONE RESPONSE_COMPLETE
#define CUT  RESPONSE_DISCONNECTED
#define LATE RESPONSE_TIMED_OUT
#define OVER RESPONSE_OVERFLOW

static const struct row rows[] = {
    /* Success, and what may come with it. */
    {200, DONE, "", PB, NONE, ANSWER_ACCEPTED, 0, 0, ""},
    {202, DONE, "", PB, NONE, ANSWER_ACCEPTED, 0, 0, ""},
    {204, DONE, "", "", NONE, ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", PB, CONTENT("\x0a\x00"), ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", PB, CONTENT("\x0a\x02\x08\x03"), ANSWER_ACCEPTED, 0, 3, ""},
    {200, DONE, "", PB "; v=1", CONTENT("\x0a\x02\x08\x03"), ANSWER_ACCEPTED, 0, 3, ""},
    {200, DONE, "", "", CONTENT("\x0a\x02\x08\x03"), ANSWER_ACCEPTED, 0, 3, ""},
    {200, DONE, "", PB, CONTENT("\x0a\x04\x12\x02w\n"), ANSWER_ACCEPTED, 0, 0, "w?"},
    {200, DONE, "", "application/json", CONTENT("{}"), ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", "text/html", CONTENT("\x0a\x02\x08\x03"), ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", PB, CONTENT("\x0a\xff\x08"), ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "30", PB, NONE, ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", "text/html", NONE, ANSWER_ACCEPTED, 0, 0, ""},
    {200, DONE, "", "text/plain", CONTENT("<ok>"), ANSWER_ACCEPTED, 0, 0, ""},
    /* A front page is no success. */
    {200, DONE, "", "text/html; charset=utf-8", CONTENT("\r\n <!doctype html>"),
     ANSWER_NO_RECEIVER, 0, 0, "it answers with a web page"},
    {200, CUT, "", "text/html", CONTENT("<html>"), ANSWER_UNKNOWN, 0, 0, ""},
    /* To be tried again. */
    {429, DONE, "", PB, NONE, ANSWER_RETRY, 0, 0, ""},
    {429, DONE, "7", PB, NONE, ANSWER_RETRY, 7000, 0, ""},
    {502, DONE, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {503, DONE, "315360000", "", NONE, ANSWER_RETRY, 300000, 0, ""},
    {503, DONE, "garbage", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {503, DONE, "Fri, 02 Jan 2026 03:04:15 GMT", "", NONE, ANSWER_RETRY, 10000, 0, ""},
    {504, DONE, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {0, CUT, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {0, LATE, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {100, CUT, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {0, DONE, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    {503, CUT, "7", "", NONE, ANSWER_RETRY, 7000, 0, ""},
    {429, LATE, "", "", NONE, ANSWER_RETRY, 0, 0, ""},
    /* A success that was cut short may have named rejected spans. */
    {200, CUT, "", PB, NONE, ANSWER_UNKNOWN, 0, 0, ""},
    {200, LATE, "", PB, NONE, ANSWER_UNKNOWN, 0, 0, ""},
    /* Refusals with a cure. */
    {400, DONE, "", "text/plain", CONTENT("bad utf-8"), ANSWER_BAD_CONTENT, 0, 0, "bad utf-8"},
    {400, DONE, "", PB, CONTENT("\x08\x03\x12\x03why"), ANSWER_BAD_CONTENT, 0, 0, "why"},
    {400, DONE, "", "text/plain", CONTENT("http: request body too large"), ANSWER_TOO_LARGE, 0,
     0, "http: request body too large"},
    {400, LATE, "", PB, NONE, ANSWER_BAD_CONTENT, 0, 0, ""},
    {401, DONE, "", "", NONE, ANSWER_UNAUTHORISED, 0, 0, ""},
    {403, DONE, "30", "", NONE, ANSWER_UNAUTHORISED, 0, 0, ""},
    {413, DONE, "", "", NONE, ANSWER_TOO_LARGE, 0, 0, ""},
    {413, CUT, "", "", NONE, ANSWER_TOO_LARGE, 0, 0, ""},
    /* The address is at fault. */
    {404, DONE, "", "text/plain", CONTENT("404 page not found\n"), ANSWER_NO_RECEIVER, 0, 0,
     "404 page not found"},
    {404, CUT, "", "", NONE, ANSWER_NO_RECEIVER, 0, 0, ""},
    {405, DONE, "", "", NONE, ANSWER_NO_RECEIVER, 0, 0, ""},
    {415, DONE, "", "", NONE, ANSWER_NO_RECEIVER, 0, 0, ""},
    {301, DONE, "", "", NONE, ANSWER_NO_RECEIVER, 0, 0, ""},
    {308, DONE, "", "", NONE, ANSWER_NO_RECEIVER, 0, 0, ""},
    /* Final. */
    {300, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {408, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {410, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {499, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {500, DONE, "30", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {501, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {505, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    {999, DONE, "", "", NONE, ANSWER_REFUSED, 0, 0, ""},
    /* Over the cap is final whatever the status says. */
    {200, OVER, "", PB, NONE, ANSWER_REFUSED, 0, 0, ""},
    {503, OVER, "7", PB, NONE, ANSWER_REFUSED, 0, 0, ""},
};

static void test_rows(void **state)
{
    (void)state;
    /* The clock of the date row above. */
    uint64_t wall_ns = UINT64_C(1767323045) * NS_PER_S;
    struct response response;
    response_init(&response);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        response_reset(&response);
        response.status = row->status;
        response.end = row->end;
        (void)strncpy(response.retry_after, row->retry_after, RESPONSE_VALUE_LEN - 1);
        (void)strncpy(response.content_type, row->type, RESPONSE_VALUE_LEN - 1);
        text_append(&response.body, row->body);
        struct answer answer = http_answer_read(&response, wall_ns);
        if (answer.kind != row->kind || answer.wait_ns != row->wait_ms * NS_PER_MS ||
            answer.rejected != row->rejected || strcmp(answer.message, row->message) != 0)
            fail_msg("row %zu, status %d: kind %d, wait %llu, rejected %llu, '%s'", i,
                     row->status, answer.kind, (unsigned long long)answer.wait_ns,
                     (unsigned long long)answer.rejected, answer.message);
    }
    response_clear(&response);
}

static void test_messages_are_cut(void **state)
{
    (void)state;
    struct response response;
    response_init(&response);
    response.status = 400;
    (void)strncpy(response.content_type, "text/plain", RESPONSE_VALUE_LEN - 1);
    for (int i = 0; i < 100000; i++)
        text_append_char(&response.body, 'm');
    struct answer answer = http_answer_read(&response, 0);
    assert_int_equal(strlen(answer.message), ANSWER_MESSAGE_LEN - 1);
    response_clear(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_messages_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
