/*
 * report: what the demo prints: a trace before and after, and the totals, for people.
 */
#ifndef SB_DEMO_REPORT_H
#define SB_DEMO_REPORT_H

#include "core/text.h"
#include "receiver.h"
#include "seen.h"
#include "shop.h"
#include "terminal.h"
#include "totals.h"
#include "traffic.h"

/* The chosen checkout in pieces; `before` holds the spans of all of them. */
void report_before(struct text *out, const struct shop_checkout *checkout,
                   const struct seen_list *before, const struct terminal_style *style);

/* The same as one waterfall, and what joined it. */
void report_after(struct text *out, const struct shop_checkout *checkout,
                  const struct seen_list *after, const struct terminal_style *style);

/* The end: all that came in and went out. */
void report_totals(struct text *out, const struct traffic_totals *sent,
                   const struct receiver_counts *received, const struct totals *totals,
                   const struct terminal_style *style);

/* One line while the shop is open. */
void report_line(struct text *out, uint64_t seconds, const struct traffic_totals *sent,
                 const struct receiver_counts *received);

/* "12,345" */
void report_put_number(struct text *out, uint64_t number);

#endif
