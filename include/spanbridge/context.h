/*
 * spanbridge/context.h: trace contexts as messages carry them.
 *
 * W3C Trace Context: parse and format traceparent and tracestate, strictly; make contexts for
 * new traces and spans.  Plain values and views; nothing allocates, nothing keeps state, any
 * thread.  Pointers must not be NULL unless it is said.  docs/library.md is the guide.
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
#pragma GCC visibility push(default)

enum {
    SPANBRIDGE_TRACE_ID_LEN = 16,
    SPANBRIDGE_SPAN_ID_LEN = 8,
    SPANBRIDGE_TRACEPARENT_LEN = 55,
    SPANBRIDGE_TRACESTATE_MEMBERS_MAX = 32,
    SPANBRIDGE_TRACESTATE_LEN_MAX = 512, /* kept; what is longer is cut by whole members */
    /* Longer lists are not looked at: 32 members of the longest kind are 16,447 characters. */
    SPANBRIDGE_TRACESTATE_READ_MAX = 32768
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
    SPANBRIDGE_NO_ROOM,    /* the caller's buffer, or the carrier, is too small */
    SPANBRIDGE_UPPER_CASE, /* right but for digits A to F: the specification wants a to f */
    SPANBRIDGE_NO_VALUE,   /* a header without a value */
    SPANBRIDGE_NOT_TEXT,   /* a number, a table or the like where text belongs */
    SPANBRIDGE_TOO_LONG,   /* beyond SPANBRIDGE_TRACESTATE_READ_MAX */
    SPANBRIDGE_REFUSED,    /* the carrier did not take the header: it is read-only */
    SPANBRIDGE_NO_MEMORY,
    SPANBRIDGE_NO_RANDOM /* the system has no random numbers to give; errno tells */
};

/* A short lower-case text, for logs; never NULL, valid for ever. */
const char *spanbridge_result_text(enum spanbridge_result result);

/* How a context was written. Later versions read and write more of them. */
enum spanbridge_format { SPANBRIDGE_FORMAT_W3C = 0 };

/*
 * One context: 88 bytes where pointers have 64 bits.  Start from zeros ( = {0} ), so that what
 * later versions put into `reserved` is not set by accident.
 */
struct spanbridge_context {
    uint8_t trace_id[SPANBRIDGE_TRACE_ID_LEN]; /* in the order of the text, as in OTLP */
    uint8_t span_id[SPANBRIDGE_SPAN_ID_LEN];
    uint8_t flags;             /* bits this library knows; others are read as 0 */
    uint8_t format;            /* enum spanbridge_format; a hint, ignored when written */
    uint8_t tracestate_result; /* enum spanbridge_result: why tracestate is NULL; a hint, too */
    uint8_t unused[5];         /* 0 */
    const char *tracestate;    /* borrowed from the carrier, not terminated; NULL: none */
    size_t tracestate_len;
    uintptr_t reserved[5]; /* 0 */
};

/*
 * Reads a traceparent value of `len` bytes.  Outer blanks are tolerated; versions above 00
 * are read by their first 55 characters.  On success sets ids and flags and clears
 * tracestate; on failure *ret is untouched.  `text` may be NULL where len is 0.
 */
enum spanbridge_result spanbridge_parse_traceparent(const char *text, size_t len,
                                                    struct spanbridge_context *ret);

/* Writes version 00: 55 characters and a NUL. */
void spanbridge_format_traceparent(const struct spanbridge_context *context,
                                   char ret[SPANBRIDGE_TRACEPARENT_LEN + 1]);

/*
 * The context of the first span of a new trace: random ids, sampled, no tracestate.  One system
 * call.  OK or NO_RANDOM, and then *ret is untouched.
 */
enum spanbridge_result spanbridge_start_trace(struct spanbridge_context *ret);

/*
 * The context of a new span below `parent`: its trace, flags and tracestate (borrowed as there),
 * and a random span id.  `ret` may be `parent`.  One system call.  OK, ZERO_ID where the parent
 * is no context, or NO_RANDOM; on failure *ret is untouched.
 */
enum spanbridge_result spanbridge_start_span(const struct spanbridge_context *parent,
                                             struct spanbridge_context *ret);

/* A view of one member inside its list; neither part is terminated. */
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

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
