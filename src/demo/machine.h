/*
 * machine: the demo's report as one JSON object, for programs.
 */
#ifndef SB_DEMO_MACHINE_H
#define SB_DEMO_MACHINE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/text.h"
#include "receiver.h"
#include "seen.h"
#include "shop.h"
#include "traffic.h"

/* What came of the demo; all borrowed. */
struct machine_report {
    const struct shop_checkout *showpiece; /* NULL: none was played */
    const struct seen_list *before;
    const struct seen_list *after;
    const struct traffic_totals *sent;
    const struct receiver_counts *received;
    const char *summary;  /* the service's own JSON; NULL: none */
    const char *problems; /* lines; "": none */
};

/* Appends the object and a newline. */
enum sb_err machine_report(const struct machine_report *report, struct text *out) SB_MUST_USE;

#endif
