/*
 * group: libconfig's settings into structs, by their schemas.
 */
#ifndef SB_CONFIG_GROUP_H
#define SB_CONFIG_GROUP_H

#include <libconfig.h>

#include "loader.h"
#include "source.h"

/*
 * Fills in the defaults of `base`, then what stands in `root`, the top of a file.  A setting's
 * hook is its struct syntax_mark.  Everything wrong is reported.
 */
void group_parse(struct loader *loader, struct source *source, const struct schema *schema,
                 void *base, const config_setting_t *root);

#endif
