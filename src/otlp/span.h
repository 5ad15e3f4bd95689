/*
 * span: one encoded Span into a struct otlp_span.
 *
 * The hot path of the bridge: every byte of every span passes here once.  Budget: 50 ns for
 * a span of 470 bytes with ten attributes.
 */
#ifndef SB_OTLP_SPAN_H
#define SB_OTLP_SPAN_H

#include "attribute.h"
#include "core/bytes.h"
#include "otlp/keys.h"
#include "otlp/scan.h"

/* Where wanted attributes go.  The caller leaves room before each span: span_hits_max. */
struct span_hits {
    struct otlp_hit *at;
    uint32_t count;
    uint32_t room;
};

struct span_rules {
    struct attribute_rules attributes;
    const struct otlp_keys *keys; /* those that become hits */
};

/* The most hits that a span can add: so much room hits must have. */
uint32_t span_hits_max(struct bytes raw, const struct span_rules *rules);

/*
 * Reads the span in `raw` and checks its limits.  Sets all of *ret but envelope, its fault
 * included; a span with a fault leaves no hits, and its views may be empty.
 */
void span_read(struct bytes raw, const struct span_rules *rules, struct span_hits *hits,
               struct otlp_span *ret);

#endif
