#include "grpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "core/assert.h"
#include "core/clock.h"
#include "inflate.h"
#include "rpc_message.h"

/* google.rpc.Code. */
enum {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16
};

void grpc_write_frame(uint8_t ret[GRPC_FRAME_LEN], bool compressed, size_t len)
{
    SB_ASSERT(len <= UINT32_MAX);
    ret[0] = compressed;
    ret[1] = (uint8_t)(len >> 24);
    ret[2] = (uint8_t)(len >> 16);
    ret[3] = (uint8_t)(len >> 8);
    ret[4] = (uint8_t)len;
}

void grpc_format_timeout(uint64_t timeout_ns, char ret[GRPC_TIMEOUT_LEN])
{
    uint64_t timeout_ms = timeout_ns / NS_PER_MS;
    if (timeout_ms > 99999999)
        timeout_ms = 99999999;
    (void)snprintf(ret, GRPC_TIMEOUT_LEN, "%" PRIu64 "m", timeout_ms);
}

static int status_of_http(int status)
{
    switch (status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Undoes the percent-encoding of grpc-message in place; what is no code stays. */
static void decode_percent(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* The Status in grpc-status-details-bin; false when there is none to be read. */
static bool read_details(struct response *response, struct rpc_status *ret)
{
    struct bytes details;
    if (response->details.len == 0 || !base64_decode_in_place(&response->details, &details))
        return false;
    return rpc_read_status(details, ret);
}

static void read_exhausted(struct response *response, struct answer *ret)
{
    struct rpc_status status;
    if (answer_tells_size(ret->message)) {
        ret->kind = ANSWER_TOO_LARGE;
        return;
    }
    /* Without RetryInfo it is a quota that waiting does not refill. */
    bool may_retry = read_details(response, &status) && status.has_retry_info;
    ret->kind = may_retry ? ANSWER_RETRY : ANSWER_REFUSED;
    ret->wait_ns = may_retry ? status.retry_delay_ns : 0;
}

static void read_failure(struct response *response, int status, struct answer *ret)
{
    struct rpc_status details;
    switch (status) {
    case GRPC_CANCELLED:
    case GRPC_DEADLINE_EXCEEDED:
    case GRPC_ABORTED:
    case GRPC_OUT_OF_RANGE:
    case GRPC_UNAVAILABLE:
    case GRPC_DATA_LOSS:
        ret->kind = ANSWER_RETRY;
        if (read_details(response, &details))
            ret->wait_ns = details.retry_delay_ns;
        break;
    case GRPC_RESOURCE_EXHAUSTED:
        read_exhausted(response, ret);
        break;
    case GRPC_INVALID_ARGUMENT:
        ret->kind = ANSWER_BAD_CONTENT;
        break;
    case GRPC_PERMISSION_DENIED:
    case GRPC_UNAUTHENTICATED:
        ret->kind = ANSWER_UNAUTHORISED;
        break;
    case GRPC_UNIMPLEMENTED: /* another service's port, or a compression that it has not */
        ret->kind = ANSWER_NO_RECEIVER;
        break;
    default:
        ret->kind = ANSWER_REFUSED;
        break;
    }
}

/* The one message of a unary response, unfolded.  False when there is no whole one. */
static bool read_message(struct response *response, struct bytes *ret)
{
    struct bytes body = text_bytes(&response->body);
    if (body.len < GRPC_FRAME_LEN)
        return false;
    size_t len = (size_t)body.at[1] << 24 | (size_t)body.at[2] << 16 | (size_t)body.at[3] << 8 |
                 body.at[4];
    if (len > body.len - GRPC_FRAME_LEN)
        return false;
    struct bytes message = bytes_of(body.at + GRPC_FRAME_LEN, len);
    if (body.at[0] == 1 && strcasecmp(response->grpc_encoding, "gzip") == 0) {
        text_reset(&response->plain);
        enum sb_err err = inflate_gzip(message, &response->plain);
        if (err == SB_ERR_LIMIT)
            response->end = RESPONSE_OVERFLOW;
        message = text_bytes(&response->plain);
        if (err != SB_OK)
            return false;
    } else if (body.at[0] != 0) {
        return false;
    }
    *ret = message;
    return true;
}

static void read_success(struct response *response, struct answer *ret)
{
    struct bytes message;
    struct rpc_partial_success partial;
    bool whole = read_message(response, &message);
    if (response->end == RESPONSE_OVERFLOW) {
        ret->kind = ANSWER_REFUSED;
        return;
    }
    ret->kind = ANSWER_ACCEPTED;
    if (!whole || !rpc_read_partial_success(message, &partial))
        return;
    ret->rejected = partial.rejected;
    answer_set_message(ret, partial.message);
}

struct answer grpc_answer_read(struct response *response)
{
    struct answer answer = {0};
    int status = response->grpc_status;
    decode_percent(response->grpc_message);
    answer_set_message(&answer, bytes_text(response->grpc_message));
    if (response->end == RESPONSE_OVERFLOW) {
        answer.kind = ANSWER_REFUSED;
        return answer;
    }
    if (status == RESPONSE_NO_GRPC_STATUS) {
        bool http_ok = response->status >= 200 && response->status <= 299;
        if (response->end == RESPONSE_LOST) {
            answer.kind = ANSWER_UNHEARD;
            return answer;
        }
        if (response->end != RESPONSE_COMPLETE && (http_ok || response->status < 200)) {
            answer.kind = ANSWER_RETRY; /* reset, timed out, or never answered */
            return answer;
        }
        if (http_ok) {
            /* A clean end without trailers: lost on the way (libcurl hides them behind a
               content-length), or a server at fault. */
            answer.kind = ANSWER_UNKNOWN;
            return answer;
        }
        if (response->status == 413) {
            answer.kind = ANSWER_TOO_LARGE; /* a proxy's limit: gRPC's mapping knows no such */
            return answer;
        }
        status = status_of_http(response->status);
    }
    if (status == GRPC_OK)
        read_success(response, &answer);
    else
        read_failure(response, status, &answer);
    return answer;
}
