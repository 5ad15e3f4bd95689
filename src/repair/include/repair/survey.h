/*
 * survey: which messages the spans of one trace took in, and whether each of them hangs under
 * what sent it.  It looks at the trace as it came; what evidence there is does not matter here.
 *
 * Source: repair.md, Input facts and Modes ("Having a local parent does not mean that the remote
 * one is there"); docs/observe.md says the same to users.
 */
#ifndef SB_REPAIR_SURVEY_H
#define SB_REPAIR_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "repair/resolve.h"

enum repair_hop_state {
    REPAIR_HOP_NONE,   /* the span stands for no message */
    REPAIR_HOP_INTACT, /* a parent from elsewhere is there, or a batch has its links */
    REPAIR_HOP_BROKEN  /* nothing but its own service instance stands above it */
};

struct repair_hop {
    uint8_t state;  /* enum repair_hop_state */
    bool batch;     /* of several messages, or below a span of several */
    uint32_t stand; /* the span that stands for the message: itself where state is not NONE */
    /* By local edges: REPAIR_NO_SPAN, or the nearest above that takes in, and that sends. */
    uint32_t receiver;
    uint32_t sender;
    uint32_t below; /* spans that stand for a message right under this one */
};

/*
 * Writes one element for each span.  A message is counted once, where it is processed: a receive
 * span is passed over if a span below it in the same service instance takes in from the same
 * destination, and refers to that one (`stand`).  Copies of a span, and spans whose parents form
 * a loop, stand for nothing.
 *
 * A hop is intact if
 * - its span has a parent in another service instance, or one that never came; or the furthest
 *   span above it in its own instance has, unless that one is a SERVER span: what called a
 *   server is not what sent the message;
 * - or a span that sends to the same destination stands above it in the same instance;
 * - or it is one of a batch and links to its message: a batch has no single parent.
 *
 * `spans` need `destination` besides what resolve needs.  Linear time; SB_ERR_MEMORY.
 */
enum sb_err repair_survey(struct repair_scratch *scratch, const struct repair_span *spans,
                          uint32_t count, struct repair_hop *ret) SB_MUST_USE;

/* The first of the spans of the last survey with that id, or REPAIR_NO_SPAN. */
uint32_t repair_survey_find(const struct repair_scratch *scratch, struct span_id id);

#endif
