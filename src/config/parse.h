/*
 * parse: one file into one struct, by its schema.
 */
#ifndef SB_CONFIG_PARSE_H
#define SB_CONFIG_PARSE_H

#include "loader.h"

/* What became of a file. */
struct parsed {
    struct place at; /* the file itself */
    bool broken;     /* parts could not be read: what is absent proves nothing */
};

/*
 * Reads `path` into `base`, whose defaults are set.  Everything wrong is reported.  Returns
 * SB_ERR_MEMORY or SB_OK.
 */
enum sb_err parse_file(struct loader *loader, const char *path, const struct schema *schema,
                       void *base, struct parsed *ret) SB_MUST_USE;

/* Sets one key of the worker file from the command line. */
void parse_override(struct loader *loader, const struct config_override *override,
                    struct place at);

#endif
