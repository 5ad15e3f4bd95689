/*
 * ids: trace ids and span ids as plain values.
 *
 * Both are opaque bytes in the order of the wire (OTLP, W3C); all zero means "none".
 */
#ifndef SB_CORE_IDS_H
#define SB_CORE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TRACE_ID_LEN = 16, SPAN_ID_LEN = 8, TRACE_ID_HEX_LEN = 32, SPAN_ID_HEX_LEN = 16 };

struct trace_id {
    uint8_t byte[TRACE_ID_LEN];
};

struct span_id {
    uint8_t byte[SPAN_ID_LEN];
};

static inline struct trace_id trace_id_load(const uint8_t *at)
{
    struct trace_id id;
    memcpy(id.byte, at, TRACE_ID_LEN);
    return id;
}

static inline struct span_id span_id_load(const uint8_t *at)
{
    struct span_id id;
    memcpy(id.byte, at, SPAN_ID_LEN);
    return id;
}

static inline uint64_t span_id_number(struct span_id id)
{
    uint64_t number;
    memcpy(&number, id.byte, sizeof(number));
    return number;
}

static inline bool trace_id_equal(struct trace_id a, struct trace_id b)
{
    return memcmp(a.byte, b.byte, TRACE_ID_LEN) == 0;
}

static inline bool span_id_equal(struct span_id a, struct span_id b)
{
    return span_id_number(a) == span_id_number(b);
}

static inline bool trace_id_is_zero(struct trace_id id)
{
    static const struct trace_id zero;
    return trace_id_equal(id, zero);
}

static inline bool span_id_is_zero(struct span_id id)
{
    return span_id_number(id) == 0;
}

/* Write lower-case hex and a NUL: 33 and 17 bytes. */
void trace_id_format(struct trace_id id, char ret[TRACE_ID_HEX_LEN + 1]);
void span_id_format(struct span_id id, char ret[SPAN_ID_HEX_LEN + 1]);

#endif
