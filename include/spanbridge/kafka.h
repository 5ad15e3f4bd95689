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

/* The list as callbacks get it: read through `read`, written through `write`. */
struct spanbridge_kafka_list_ {
    const rd_kafka_headers_t *read;
    rd_kafka_headers_t *write;
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

/* Finds the name from header *at on and copies it as it is written: removal frees it. */
static inline bool spanbridge_kafka_find_(const rd_kafka_headers_t *headers, const char *name,
                                          size_t *at, char ret[SPANBRIDGE_KAFKA_NAME_SIZE_])
{
    size_t len = strlen(name);
    const char *found;
    const void *value;
    size_t value_len;
    for (; rd_kafka_header_get_all(headers, *at, &found, &value, &value_len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
         (*at)++) {
        size_t i = 0;
        while (i < len && (found[i] == name[i] || found[i] == name[i] - 'a' + 'A'))
            i++;
        if (i < len || found[i] != '\0' || len >= SPANBRIDGE_KAFKA_NAME_SIZE_)
            continue;
        memcpy(ret, found, len + 1);
        return true;
    }
    return false;
}

/* librdkafka removes by exact name: each spelling that is there is removed by itself. */
static inline enum spanbridge_result spanbridge_kafka_remove_(void *arg, const char *name)
{
    const struct spanbridge_kafka_list_ *list = (const struct spanbridge_kafka_list_ *)arg;
    char spelling[SPANBRIDGE_KAFKA_NAME_SIZE_];
    size_t at = 0;
    while (spanbridge_kafka_find_(list->write, name, &at, spelling)) {
        if (rd_kafka_header_remove(list->write, spelling) != RD_KAFKA_RESP_ERR_NO_ERROR)
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
