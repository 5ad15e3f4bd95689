/*
 * answer: what a response means for the spans of its request.  http_answer.h and grpc.h read
 * one out of a response; the lane acts on it.
 */
#ifndef SB_SINK_ANSWER_H
#define SB_SINK_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

enum answer_kind {
    ANSWER_ACCEPTED,     /* all spans, but for `rejected` of them */
    ANSWER_RETRY,        /* the same request again, later */
    ANSWER_UNAUTHORISED, /* the same request again, with other credentials */
    ANSWER_NO_RECEIVER,  /* nobody takes spans at this address: the same request again, later */
    ANSWER_TOO_LARGE,    /* fewer spans per request */
    ANSWER_BAD_CONTENT,  /* some span offends: find it */
    ANSWER_REFUSED,      /* final */
    ANSWER_UNHEARD,      /* it did not want to read it all; what it said is lost */
    ANSWER_UNKNOWN       /* nobody knows whether it arrived: one resend at most */
};

enum { ANSWER_MESSAGE_LEN = 256 };

struct answer {
    enum answer_kind kind;
    uint64_t rejected; /* ACCEPTED: spans, as the backend counts; may exceed the request's */
    uint64_t wait_ns;  /* RETRY: asked for by the backend; 0: our own backoff */
    /* For the log: printable ASCII, cut; "" when there is none. */
    char message[ANSWER_MESSAGE_LEN];
};

/* Puts `text` into the message: what is not printable ASCII becomes '?'. */
void answer_set_message(struct answer *answer, struct bytes text);

/* Whether the message says that the request was too large, as known servers put it. */
bool answer_tells_size(const char *message);

#endif
