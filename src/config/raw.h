/*
 * raw: what a setting of libconfig holds, with its variables replaced.
 */
#ifndef SB_CONFIG_RAW_H
#define SB_CONFIG_RAW_H

#include <libconfig.h>

#include "value.h"

/* Of a text, with its variables replaced. */
enum { RAW_TEXT_MAX = 256 << 10 };

/* As it stands there. */
struct raw raw_of(const config_setting_t *setting);

/*
 * TEXT: replaces variables; the target becomes secret where one of them is.  False: reported, as
 * is what is no UTF-8.
 */
bool raw_expand(struct target *target, struct raw *raw);

#endif
