/*
 * spanbridge/carrier.h: contexts in and out of the headers of a message, whoever holds them.
 *
 * A carrier is three callbacks of yours; for librdkafka and librabbitmq they are ready made in
 * spanbridge/kafka.h and spanbridge/amqp.h.  Nothing here allocates, or keeps anything behind the
 * call; any thread, as long as no other one touches the same carrier.
 * Sources: W3C Trace Context level 2, sections 3.2 and 3.3.
 */
#ifndef SPANBRIDGE_CARRIER_H
#define SPANBRIDGE_CARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "spanbridge/context.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum spanbridge_value_kind {
    SPANBRIDGE_VALUE_TEXT = 0, /* bytes that may be text */
    SPANBRIDGE_VALUE_OTHER     /* a number, a table, ...: value and value_len are not read */
};

/* One header: a view, not terminated; duplicates of a name are headers of their own. */
struct spanbridge_header {
    const char *name; /* may be NULL where name_len is 0 */
    size_t name_len;
    const void *value; /* NULL: a header without a value */
    size_t value_len;
    enum spanbridge_value_kind kind;
};

/*
 * The headers of one message.  To extract, on_get is enough; to inject, on_remove and on_set.
 * Callbacks must not change the carrier itself.
 */
struct spanbridge_carrier {
    /*
     * Sets all of *ret to header number `index`, counted from 0 in the order of the message;
     * false behind the last one.  The view must hold as long as the context is used.  A map
     * without order may answer index 0 by what it has for "traceparent", and 1 by
     * "tracestate": other names are not looked at.
     */
    bool (*on_get)(void *arg, size_t index, struct spanbridge_header *ret);
    /*
     * Takes all headers of that name out, without regard to case; `name` is terminated and in
     * lower case.  OK also where there is none; anything else ends the injection with it.
     */
    enum spanbridge_result (*on_remove)(void *arg, const char *name);
    /*
     * Adds a header behind the others.  Name and value are text, terminated behind their
     * lengths, and valid during the call only: copy them.  Anything but OK ends the injection
     * with it.
     */
    enum spanbridge_result (*on_set)(void *arg, const struct spanbridge_header *header);
    void *arg; /* handed to each callback */
};

/*
 * Reads the context of a message.  Names match without regard to case.  Of several traceparent
 * headers the last valid one wins, and of several tracestate headers the last valid one: later
 * writers add theirs behind.  A tracestate that is not valid is left out, and
 * tracestate_result says why: it does not make the traceparent invalid.
 *
 * OK: *ret is the context; its tracestate borrows from the carrier.  ABSENT: there is no
 * traceparent.  Else none was valid, and the result is the reason of the last one.  On failure
 * *ret is untouched.
 */
enum spanbridge_result spanbridge_extract(const struct spanbridge_carrier *carrier,
                                          struct spanbridge_context *ret);

/*
 * Writes the context into a message in place of any that it had: traceparent as version 00, and
 * tracestate where the context has a valid one, cut as spanbridge_format_tracestate does.
 *
 * OK; ZERO_ID where it is no context, or REFUSED where a callback is missing: nothing is changed.
 * Else what a callback returned: the message may be without a context then, or without its
 * tracestate, but never holds half a header.
 */
enum spanbridge_result spanbridge_inject(const struct spanbridge_context *context,
                                         const struct spanbridge_carrier *carrier);

/*
 * For those who want every context of a message, not the last one: the traceparent at or after
 * header *at with the tracestate of the message (the first header of that name), advancing *at
 * behind it.  ABSENT at the end.  A malformed one is reported by its result, and the walk may go
 * on.  The context borrows from the headers.
 */
enum spanbridge_result spanbridge_next_context(const struct spanbridge_header *headers,
                                               size_t count, size_t *at,
                                               struct spanbridge_context *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
