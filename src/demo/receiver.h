/*
 * receiver: the backend of the demo: takes OTLP/HTTP on a port of 127.0.0.1, counts what comes
 * and keeps the spans of the traces that are watched.
 *
 * Has a thread of its own; all functions here are for the thread that made it.
 */
#ifndef SB_DEMO_RECEIVER_H
#define SB_DEMO_RECEIVER_H

#include <stdint.h>

#include "core/err.h"
#include "core/ids.h"
#include "seen.h"
#include "shop.h"
#include "workspace.h"

struct receiver_counts {
    uint64_t requests;
    uint64_t refused; /* requests that were no OTLP */
    uint64_t spans;   /* queue spans among them */
    uint64_t traces;  /* roots */
    uint64_t queue_spans;
    uint64_t joined[SHOP_RULES];          /* spans that got their parent back, by rule */
    uint64_t kept_by[WORKSPACE_POLICIES]; /* traces, by the policy on their root */
};

struct demo_receiver;

/* Listens when it returns.  SB_ERR_MEMORY, SB_ERR_IO. */
enum sb_err demo_receiver_new(struct demo_receiver **ret) SB_MUST_USE;
void demo_receiver_free(struct demo_receiver *receiver); /* takes NULL */

/* "http://127.0.0.1:port" */
const char *demo_receiver_url(const struct demo_receiver *receiver);

/* From now on spans of these traces are kept; before any may come. */
void demo_receiver_watch(struct demo_receiver *receiver,
                         const struct trace_id ids[SHOP_PIECES]);

/* Copies of what there is now. */
void demo_receiver_read(struct demo_receiver *receiver, struct receiver_counts *ret_counts,
                        struct seen_list *ret_kept);

#endif
