/*
 * version: the versions of spanbridge and of the libraries in it.
 */
#ifndef SB_CLI_VERSION_H
#define SB_CLI_VERSION_H

#include <stdbool.h>

#include "core/text.h"

void version_append(struct text *out, bool json);

#endif
