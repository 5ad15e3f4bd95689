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
#include "traffic.h"

/* Appends a line to `problems` for everything that is wrong; true when nothing is. */

/*
 * The shown trace: one tree, whole, each hop mended by the rule that its evidence is for; and
 * what no rule is for, as it was.
 */
bool verdict_on_trace(const struct shop_checkout *checkout, const struct seen_list *after,
                      struct text *problems);

/* Each span that was read has a known end; more was not read than sent. */
bool verdict_on_totals(const struct traffic_totals *sent, const struct totals *totals,
                       struct text *problems);

/* When everything was to be read: it was, and every hop was joined by the rule it is for. */
bool verdict_on_all(const struct traffic_totals *sent, const struct totals *totals,
                    struct text *problems);

#endif
