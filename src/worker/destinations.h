/*
 * destinations: which settings hold for the destination that a span names.
 *
 * A topic file's repair settings hold for its topics, the worker file's for all others.
 * Names are matched once and remembered.  One worker.
 */
#ifndef SB_WORKER_DESTINATIONS_H
#define SB_WORKER_DESTINATIONS_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/table.h"
#include "worker/worker.h"

/* Settings numbers: topics by their index, then the worker file's defaults. */
struct destinations {
    const struct worker_options *options;
    struct table by_name; /* hash of the name -> settings number, and 16 bits of the hash */
};

enum sb_err destinations_init(struct destinations *destinations,
                              const struct worker_options *options) SB_MUST_USE;
void destinations_clear(struct destinations *destinations);

/* The settings number of a destination; `hash` is repair_destination_hash(name). */
uint16_t destinations_find(struct destinations *destinations, struct bytes name, uint64_t hash);

const struct worker_repair *destinations_repair(const struct destinations *destinations,
                                                uint16_t settings);

/* Is there a tap of message records that could tell about this destination? */
bool destinations_tapped(const struct destinations *destinations, uint16_t settings);

#endif
