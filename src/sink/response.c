#include "response.h"

#include <string.h>
#include <strings.h>

#include "inflate.h"

void response_init(struct response *response)
{
    *response = (struct response){.grpc_status = RESPONSE_NO_GRPC_STATUS};
    text_init(&response->details, RESPONSE_DETAILS_MAX);
    text_init(&response->body, RESPONSE_BYTES_MAX);
    text_init(&response->plain, RESPONSE_BYTES_MAX);
}

void response_clear(struct response *response)
{
    text_clear(&response->details);
    text_clear(&response->body);
    text_clear(&response->plain);
}

/* Forgets the headers of an interim response, or of one that libcurl sent again. */
static void forget_headers(struct response *response)
{
    response->status = 0;
    response->grpc_status = RESPONSE_NO_GRPC_STATUS;
    response->retry_after[0] = '\0';
    response->content_type[0] = '\0';
    response->content_encoding[0] = '\0';
    response->grpc_encoding[0] = '\0';
    response->grpc_message[0] = '\0';
    text_reset(&response->details);
}

void response_reset(struct response *response)
{
    forget_headers(response);
    response->end = RESPONSE_COMPLETE;
    response->received = 0;
    text_reset(&response->body);
    text_reset(&response->plain);
}

static bool count_bytes(struct response *response, size_t len)
{
    if (len > RESPONSE_BYTES_MAX - response->received) {
        response->end = RESPONSE_OVERFLOW;
        return false;
    }
    response->received += len;
    return true;
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200": three digits after the first space. */
static int parse_status(struct bytes line)
{
    const uint8_t *space = memchr(line.at, ' ', line.len);
    if (space == NULL || line.len - (size_t)(space - line.at) < 4)
        return 0;
    int status = 0;
    for (int i = 1; i <= 3; i++) {
        if (space[i] < '0' || space[i] > '9')
            return 0;
        status = status * 10 + (space[i] - '0');
    }
    return status;
}

/* Up to two digits, as all status codes of gRPC are; anything else counts as UNKNOWN. */
static int parse_grpc_status(struct bytes value)
{
    enum { GRPC_STATUS_UNKNOWN = 2 };
    int status = 0;
    if (value.len == 0 || value.len > 2)
        return GRPC_STATUS_UNKNOWN;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return GRPC_STATUS_UNKNOWN;
        status = status * 10 + (value.at[i] - '0');
    }
    return status;
}

/* A value that is too long is no value: half of one could mean something else. */
static void keep_value(char ret[RESPONSE_VALUE_LEN], struct bytes value)
{
    size_t len = value.len < RESPONSE_VALUE_LEN ? value.len : 0;
    if (len > 0)
        memcpy(ret, value.at, len);
    ret[len] = '\0';
}

static void keep_message(struct response *response, struct bytes value)
{
    size_t room = sizeof(response->grpc_message) - 1;
    size_t len = value.len < room ? value.len : room;
    if (len > 0)
        memcpy(response->grpc_message, value.at, len);
    response->grpc_message[len] = '\0';
}

static void keep_details(struct response *response, struct bytes value)
{
    text_reset(&response->details);
    text_append(&response->details, value);
    if (response->details.error != SB_OK)
        text_reset(&response->details);
}

static bool is_name(struct bytes name, const char *wanted)
{
    return name.len == strlen(wanted) &&
           strncasecmp((const char *)name.at, wanted, name.len) == 0;
}

static void keep_header(struct response *response, struct bytes name, struct bytes value)
{
    if (is_name(name, "retry-after"))
        keep_value(response->retry_after, value);
    else if (is_name(name, "content-type"))
        keep_value(response->content_type, value);
    else if (is_name(name, "content-encoding"))
        keep_value(response->content_encoding, value);
    else if (is_name(name, "grpc-encoding"))
        keep_value(response->grpc_encoding, value);
    else if (is_name(name, "grpc-status"))
        response->grpc_status = parse_grpc_status(value);
    else if (is_name(name, "grpc-message"))
        keep_message(response, value);
    else if (is_name(name, "grpc-status-details-bin"))
        keep_details(response, value);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes in)
{
    while (in.len > 0 && is_blank(in.at[0]))
        in = bytes_of(in.at + 1, in.len - 1);
    while (in.len > 0 && is_blank(in.at[in.len - 1]))
        in.len--;
    return in;
}

bool response_take_header(struct response *response, struct bytes line)
{
    if (!count_bytes(response, line.len))
        return false;
    if (line.len >= 5 && memcmp(line.at, "HTTP/", 5) == 0) {
        forget_headers(response);
        response->status = parse_status(line);
        return true;
    }
    const uint8_t *colon = line.len == 0 ? NULL : memchr(line.at, ':', line.len);
    if (colon == NULL)
        return true;
    size_t name_len = (size_t)(colon - line.at);
    struct bytes value = bytes_of(colon + 1, line.len - name_len - 1);
    keep_header(response, bytes_of(line.at, name_len), trim(value));
    return true;
}

bool response_take_body(struct response *response, struct bytes part)
{
    if (!count_bytes(response, part.len))
        return false;
    text_append(&response->body, part);
    return response->body.error == SB_OK;
}

enum sb_err response_content(struct response *response, struct bytes *ret)
{
    const char *encoding = response->content_encoding;
    if (encoding[0] == '\0' || strcasecmp(encoding, "identity") == 0) {
        *ret = text_bytes(&response->body);
        return SB_OK;
    }
    if (strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "x-gzip") != 0)
        return SB_ERR_INPUT;
    text_reset(&response->plain);
    enum sb_err err = inflate_gzip(text_bytes(&response->body), &response->plain);
    if (err == SB_OK)
        *ret = text_bytes(&response->plain);
    return err;
}
