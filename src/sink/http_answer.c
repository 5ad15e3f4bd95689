#include "http_answer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "retry_after.h"
#include "rpc_message.h"

/* Answers come in the request's format; receivers that do not name it are believed. */
static bool is_protobuf(const struct response *response)
{
    static const char *const types[] = {"application/x-protobuf", "application/protobuf"};
    if (response->content_type[0] == '\0')
        return true;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strncasecmp(response->content_type, types[i], strlen(types[i])) == 0)
            return true;
    }
    return false;
}

/*
 * What is wrong with the address, and never with what was sent.  The specification calls these
 * final; but spans that are given up by the thousand because of a wrong port or path are no
 * refusal of theirs, and behind a proxy the receiver may only not be there yet.
 */
static bool is_of_address(int status)
{
    switch (status) {
    case 301: /* followed, a redirect would send credentials elsewhere */
    case 302:
    case 303:
    case 307:
    case 308:
    case 404:
    case 405:
    case 415: /* it does not take this encoding from anybody */
        return true;
    default:
        return false;
    }
}

static enum answer_kind kind_of_status(int status)
{
    if (status >= 200 && status <= 299)
        return ANSWER_ACCEPTED;
    switch (status) {
    case 400:
        return ANSWER_BAD_CONTENT;
    case 401:
    case 403:
        return ANSWER_UNAUTHORISED;
    case 413:
        return ANSWER_TOO_LARGE;
    case 429:
    case 502:
    case 503:
    case 504:
        return ANSWER_RETRY;
    default:
        return is_of_address(status) ? ANSWER_NO_RECEIVER : ANSWER_REFUSED;
    }
}

/* A broken response, with whatever of it came. */
static enum answer_kind kind_of_broken(const struct response *response)
{
    if (response->end == RESPONSE_OVERFLOW)
        return ANSWER_REFUSED; /* as the specification says of answers over the limit */
    if (response->status < 200)
        return ANSWER_RETRY; /* disconnected without a response */
    enum answer_kind kind = kind_of_status(response->status);
    /* The body of a failure changes nothing, but that of a success may name rejected spans. */
    return kind == ANSWER_ACCEPTED ? ANSWER_UNKNOWN : kind;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\r' || c == '\n';
}

/* Web servers answer any path with their front page, and say 200: Jaeger's query port does. */
static bool is_page(const struct response *response, struct bytes content)
{
    static const char type[] = "text/html";
    if (strncasecmp(response->content_type, type, sizeof(type) - 1) != 0)
        return false;
    while (content.len > 0 && is_blank(content.at[0]))
        content = bytes_of(content.at + 1, content.len - 1);
    return content.len > 0 && content.at[0] == '<';
}

static void read_success(struct response *response, struct answer *ret)
{
    struct bytes content = {0};
    enum sb_err err = response_content(response, &content);
    if (err == SB_ERR_LIMIT) {
        response->end = RESPONSE_OVERFLOW;
        ret->kind = ANSWER_REFUSED;
        return;
    }
    if (err == SB_OK && is_page(response, content)) {
        ret->kind = ANSWER_NO_RECEIVER;
        answer_set_message(ret, bytes_text("it answers with a web page"));
        return;
    }
    /* The status alone says accepted: receivers that answer "{}" or nothing are at fault in
       form only. */
    struct rpc_partial_success partial;
    if (err != SB_OK || !is_protobuf(response) || !rpc_read_partial_success(content, &partial))
        return;
    ret->rejected = partial.rejected;
    answer_set_message(ret, partial.message);
}

static struct bytes without_line_end(struct bytes text)
{
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

static void read_failure(struct response *response, struct answer *ret)
{
    struct bytes content = {0};
    if (response_content(response, &content) != SB_OK)
        return;
    struct rpc_status status;
    if (is_protobuf(response) && rpc_read_status(content, &status))
        answer_set_message(ret, status.message);
    else
        answer_set_message(ret, without_line_end(content));
    /* The Collector's receiver says 400 where 413 is meant. */
    if (ret->kind == ANSWER_BAD_CONTENT && answer_tells_size(ret->message))
        ret->kind = ANSWER_TOO_LARGE;
}

struct answer http_answer_read(struct response *response, uint64_t wall_now_ns)
{
    struct answer answer = {0};
    if (response->end != RESPONSE_COMPLETE || response->status < 200) {
        answer.kind = kind_of_broken(response);
    } else {
        answer.kind = kind_of_status(response->status);
        if (answer.kind == ANSWER_ACCEPTED)
            read_success(response, &answer);
        else
            read_failure(response, &answer);
    }
    if (answer.kind == ANSWER_RETRY)
        answer.wait_ns = retry_after_ns(response->retry_after, wall_now_ns);
    return answer;
}
