/*
 * policies: what is wrong with sampling policies beyond single values.
 */
#ifndef SB_CONFIG_POLICIES_H
#define SB_CONFIG_POLICIES_H

#include "loader.h"

enum { POLICIES_DEPTH_MAX = 8 };

/* One policy that was just read; `where` is its path with a dot at the end. */
void policies_check_one(struct loader *loader, const struct settings_policy *policy,
                        const char *where, struct place at);

/* Names in a list, and in the lists below it. */
void policies_check_names(struct loader *loader, const struct settings_policy *policies,
                          uint32_t count);

#endif
