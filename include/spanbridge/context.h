/*
 * spanbridge/context.h: trace contexts as messages carry them.
 *
 * W3C Trace Context: parse and format traceparent and tracestate, strictly.  Plain values
 * and views; nothing allocates, nothing blocks, any thread.
 * Sources: W3C Trace Context level 1 and 2 (https://www.w3.org/TR/trace-context-2/).
 */
#ifndef SPANBRIDGE_CONTEXT_H
#define SPANBRIDGE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SPANBRIDGE_TRACE_ID_LEN = 16,
    SPANBRIDGE_SPAN_ID_LEN = 8,
    SPANBRIDGE_TRACEPARENT_LEN = 55,
    SPANBRIDGE_TRACESTATE_MEMBERS_MAX = 32,
    SPANBRIDGE_TRACESTATE_LEN_MAX = 512 /* kept; what is longer is cut by whole members */
};

enum { SPANBRIDGE_FLAG_SAMPLED = 0x01, SPANBRIDGE_FLAG_RANDOM = 0x02 };

enum spanbridge_result {
    SPANBRIDGE_OK = 0,
    SPANBRIDGE_ABSENT, /* the carrier has no such header */
    SPANBRIDGE_BAD_LENGTH,
    SPANBRIDGE_BAD_VERSION, /* ff, or not hex */
    SPANBRIDGE_BAD_GRAMMAR, /* a character or a separator that does not belong there */
    SPANBRIDGE_ZERO_ID,
    SPANBRIDGE_TOO_MANY_MEMBERS,
    SPANBRIDGE_NO_ROOM /* the caller's buffer is too small */
};

struct spanbridge_context {
    uint8_t trace_id[SPANBRIDGE_TRACE_ID_LEN];
    uint8_t span_id[SPANBRIDGE_SPAN_ID_LEN];
    uint8_t flags;          /* bits this library knows; others are read as 0 */
    const char *tracestate; /* borrowed from the carrier, not terminated; NULL: none */
    size_t tracestate_len;
};

/*
 * Reads a traceparent value of `len` bytes.  Outer blanks are tolerated; versions above 00
 * are read by their first 55 characters.  On success sets ids and flags and clears
 * tracestate; on failure *ret is untouched.
 */
enum spanbridge_result spanbridge_parse_traceparent(const char *text, size_t len,
                                                    struct spanbridge_context *ret);

/* Writes version 00: 55 characters and a NUL. */
void spanbridge_format_traceparent(const struct spanbridge_context *context,
                                   char ret[SPANBRIDGE_TRACEPARENT_LEN + 1]);

struct spanbridge_tracestate_member {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

/*
 * Checks a whole tracestate list; several headers are joined with commas before.  Empty
 * members are legal.  SPANBRIDGE_OK, BAD_GRAMMAR (a duplicate key among them), or
 * TOO_MANY_MEMBERS.
 */
enum spanbridge_result spanbridge_check_tracestate(const char *text, size_t len);

/*
 * Walks the members of a checked list: *at starts at 0.  False at the end.
 */
bool spanbridge_next_tracestate_member(const char *text, size_t len, size_t *at,
                                       struct spanbridge_tracestate_member *ret);

/*
 * Writes `text` to `ret` (terminated), cut to SPANBRIDGE_TRACESTATE_LEN_MAX by whole members:
 * first those longer than 128 characters, then from the right.  The length, or 0.
 */
size_t spanbridge_format_tracestate(const char *text, size_t len, char *ret, size_t ret_size);

/* A carrier: the headers of one message, in order, duplicates included. */
struct spanbridge_header {
    const char *name;
    size_t name_len;
    const void *value; /* NULL: a header without a value */
    size_t value_len;
};

/*
 * The traceparent at or after header *at with the tracestate of the message (joined only
 * where there is exactly one; else the first is used), advancing *at behind it.  Header
 * names match without regard to case.  ABSENT at the end.  A malformed one is reported by
 * its result, and the walk may go on.  The context borrows from the headers.
 */
enum spanbridge_result spanbridge_next_context(const struct spanbridge_header *headers,
                                               size_t count, size_t *at,
                                               struct spanbridge_context *ret);

#ifdef __cplusplus
}
#endif
#endif
