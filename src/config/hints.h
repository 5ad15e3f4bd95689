/*
 * hints: what somebody may have meant by a key that is not known where it stands.
 */
#ifndef SB_CONFIG_HINTS_H
#define SB_CONFIG_HINTS_H

#include "report.h"
#include "schema.h"

/* An unknown key: where it stood and what it was called. */
struct unknown_key {
    const struct schema *schema;
    const char *group; /* path of the group around it in the schema: "" or "window" */
    const char *name;
    unsigned kind; /* of the group; no bit of an axis: not known, keys of all are offered */
};

/* True: the name is what other programs call a key of this kind, and the help line says so. */
bool hint_foreign_key(struct config_report *report, const struct unknown_key *unknown);

/* Adds the help line to the error that was reported last. */
void hint_unknown_key(struct config_report *report, const struct unknown_key *unknown);

#endif
