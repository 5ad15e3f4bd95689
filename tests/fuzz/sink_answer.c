/*
 * sink_answer: everything a backend may answer.  The input is a response: one byte that says how
 * the transfer ended (and the protocol, by its lowest bit), header and trailer lines up to an
 * empty one, then the body, which comes in two parts.
 */
#include <string.h>

#include "core/assert.h"
#include "grpc.h"
#include "http_answer.h"
#include "retry_after.h"

/* 2026-01-02T03:04:05Z, as in the unit tests. */
#define WALL_NS UINT64_C(1767323045000000000)

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

/* Takes the lines; returns what is behind the empty one. */
static struct bytes take_lines(struct response *response, struct bytes rest)
{
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.at) + 1;
        struct bytes line = bytes_of(rest.at, len);
        rest = bytes_of(rest.at + len, rest.len - len);
        if (len == 1 && end != NULL)
            break;
        (void)response_take_header(response, line);
    }
    return rest;
}

static void check(const struct answer *answer, const struct response *response)
{
    SB_ASSERT(answer->kind <= ANSWER_UNKNOWN);
    SB_ASSERT(answer->wait_ns <= RETRY_AFTER_MAX_NS);
    SB_ASSERT(answer->wait_ns == 0 || answer->kind == ANSWER_RETRY);
    SB_ASSERT(answer->rejected == 0 || answer->kind == ANSWER_ACCEPTED);
    SB_ASSERT(answer->rejected <= INT64_MAX);
    SB_ASSERT(memchr(answer->message, '\0', sizeof(answer->message)) != NULL);
    SB_ASSERT(response->end != RESPONSE_OVERFLOW || answer->kind == ANSWER_REFUSED);
    SB_ASSERT(response->plain.len <= RESPONSE_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len == 0)
        return 0;
    struct response response;
    response_init(&response);
    struct bytes body = take_lines(&response, bytes_of(at + 1, len - 1));
    size_t half = body.len / 2;
    (void)response_take_body(&response, bytes_of(body.at, half));
    (void)response_take_body(&response, bytes_of(body.at + half, body.len - half));
    if (response.end == RESPONSE_COMPLETE)
        response.end = (enum response_end)((at[0] >> 1) % (RESPONSE_OVERFLOW + 1));
    struct answer answer =
        (at[0] & 1) != 0 ? grpc_answer_read(&response) : http_answer_read(&response, WALL_NS);
    check(&answer, &response);
    response_clear(&response);
    return 0;
}
