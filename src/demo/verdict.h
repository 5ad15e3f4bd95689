/*
 * verdict: did the demo show what it claims?  Judges what came out against what went in.
 */
#ifndef SB_DEMO_VERDICT_H
#define SB_DEMO_VERDICT_H

#include <stdbool.h>

#include "core/text.h"
#include "seen.h"
#include "shop.h"
#include "totals.h"

/* Appends a line to `problems` for everything that is wrong; true when nothing is. */

/* The shown trace: one tree, whole, each hop mended by the rule that its evidence is for. */
bool verdict_on_trace(const struct shop_checkout *checkout, const struct seen_list *after,
                      struct text *problems);

/*
 * All spans: each that was read has a known end.  `all`: everything sent was to be read; else
 * some may still have been on their way.
 */
bool verdict_on_totals(uint64_t spans_sent, bool all, const struct totals *totals,
                       struct text *problems);

#endif
