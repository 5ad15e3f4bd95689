/*
 * spanbridge/kafka.h: contexts in and out of librdkafka's message headers.
 *
 * Inline functions over spanbridge/carrier.h: a program that includes this uses librdkafka
 * anyway, in its own version, and libspanbridge itself is not linked to it.  Names that end in
 * an underscore are not for you.  Threads: as librdkafka's header functions, one at a time for
 * each list.
 *
 * Producer:  spanbridge_kafka_inject(&context, headers), then rd_kafka_producev(...
 *            RD_KAFKA_V_HEADERS(headers)), which takes the headers over on success.
 * Consumer:  rd_kafka_message_headers(message, &headers), then spanbridge_kafka_extract(headers,
 *            &context); the context is valid until rd_kafka_message_destroy(message).
 */
#ifndef SPANBRIDGE_KAFKA_H
#define SPANBRIDGE_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "spanbridge/carrier.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A header name that is looked for, as this message writes it, and its NUL. */
enum { SPANBRIDGE_KAFKA_NAME_SIZE_ = 16 };

/* The list as callbacks get it. */
struct spanbridge_kafka_list_ {
    const rd_kafka_headers_t *read;
    rd_kafka_headers_t *write; /* the same; NULL to read only */
    bool has_spellings;        /* some name differs from ours by its case alone */
};

static inline bool spanbridge_kafka_get_(void *arg, size_t index, struct spanbridge_header *ret)
{
    const struct spanbridge_kafka_list_ *list = (const struct spanbridge_kafka_list_ *)arg;
    if (rd_kafka_header_get_all(list->read, index, &ret->name, &ret->value, &ret->value_len) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    ret->name_len = strlen(ret->name);
    ret->kind = SPANBRIDGE_VALUE_TEXT;
    return true;
}

/* Whether `found` is the name, which is in lower-case letters, in any case but this one. */
static inline bool spanbridge_kafka_is_spelling_(const char *found, const char *name)
{
    bool differs = false;
    for (; *name != '\0'; found++, name++) {
        if (*found == *name)
            continue;
        if (*found != *name - 'a' + 'A')
            return false;
        differs = true;
    }
    return differs && *found == '\0';
}

static inline bool spanbridge_kafka_has_spellings_(const rd_kafka_headers_t *headers)
{
    const char *found;
    const void *value;
    size_t value_len;
    size_t at;
    for (at = 0; rd_kafka_header_get_all(headers, at, &found, &value, &value_len) ==
                 RD_KAFKA_RESP_ERR_NO_ERROR;
         at++) {
        if (spanbridge_kafka_is_spelling_(found, "traceparent") ||
            spanbridge_kafka_is_spelling_(found, "tracestate"))
            return true;
    }
    return false;
}

/*
 * librdkafka removes by exact name: the usual spelling at once, then each other one that is
 * there, by a copy of it, since removal frees it.
 */
static inline enum spanbridge_result spanbridge_kafka_remove_(void *arg, const char *name)
{
    const struct spanbridge_kafka_list_ *list = (const struct spanbridge_kafka_list_ *)arg;
    rd_kafka_headers_t *headers = list->write;
    char spelling[SPANBRIDGE_KAFKA_NAME_SIZE_];
    const char *found;
    const void *value;
    size_t value_len;
    size_t at = 0;
    if (rd_kafka_header_remove(headers, name) == RD_KAFKA_RESP_ERR__READ_ONLY)
        return SPANBRIDGE_REFUSED;
    while (list->has_spellings &&
           rd_kafka_header_get_all(headers, at, &found, &value, &value_len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!spanbridge_kafka_is_spelling_(found, name)) {
            at++;
            continue;
        }
        memcpy(spelling, found, strlen(name) + 1);
        if (rd_kafka_header_remove(headers, spelling) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return SPANBRIDGE_REFUSED;
    }
    return SPANBRIDGE_OK;
}

static inline enum spanbridge_result
spanbridge_kafka_set_(void *arg, const struct spanbridge_header *header)
{
    const struct spanbridge_kafka_list_ *list = (const struct spanbridge_kafka_list_ *)arg;
    rd_kafka_resp_err_t error =
        rd_kafka_header_add(list->write, header->name, (ssize_t)header->name_len, header->value,
                            (ssize_t)header->value_len);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? SPANBRIDGE_OK : SPANBRIDGE_REFUSED;
}

/*
 * spanbridge_extract from the headers of a message; NULL is a message without headers.  The
 * tracestate borrows from the headers.
 */
static inline enum spanbridge_result spanbridge_kafka_extract(const rd_kafka_headers_t *headers,
                                                              struct spanbridge_context *ret)
{
    struct spanbridge_kafka_list_ list;
    struct spanbridge_carrier carrier;
    if (headers == NULL)
        return SPANBRIDGE_ABSENT;
    list.read = headers;
    list.write = NULL;
    list.has_spellings = false;
    carrier.on_get = spanbridge_kafka_get_;
    carrier.on_remove = NULL;
    carrier.on_set = NULL;
    carrier.arg = &list;
    return spanbridge_extract(&carrier, ret);
}

/*
 * spanbridge_inject into headers that have not been handed to rd_kafka_producev yet; yours as
 * before.  OK, ZERO_ID, or REFUSED where librdkafka holds them read-only.  librdkafka allocates
 * one piece of memory for each header that is added, and ends the program when there is none.
 */
static inline enum spanbridge_result
spanbridge_kafka_inject(const struct spanbridge_context *context, rd_kafka_headers_t *headers)
{
    struct spanbridge_kafka_list_ list;
    struct spanbridge_carrier carrier;
    list.read = headers;
    list.write = headers;
    list.has_spellings = spanbridge_kafka_has_spellings_(headers);
    carrier.on_get = spanbridge_kafka_get_;
    carrier.on_remove = spanbridge_kafka_remove_;
    carrier.on_set = spanbridge_kafka_set_;
    carrier.arg = &list;
    return spanbridge_inject(context, &carrier);
}

#ifdef __cplusplus
}
#endif
#endif
