/*
 * misfit: what is said of a value that its key can not take, and how one is written.
 */
#ifndef SB_CONFIG_MISFIT_H
#define SB_CONFIG_MISFIT_H

#include "value.h"

/* The value for a message; secrets are not shown. */
struct quoted misfit_show(const struct target *target, const struct raw *raw);

/* Reports that `raw` is no such value at all, or not within the key's bounds. */
void misfit_tell_type(const struct target *target, const struct raw *raw);
void misfit_tell_range(const struct target *target, const struct raw *raw);

#endif
