/*
 * properties: does librdkafka know a property, and take the value?
 */
#ifndef SB_CLI_PROPERTIES_H
#define SB_CLI_PROPERTIES_H

#include "config/load.h"

/* A config_property_fn.  Nothing is read or connected to. */
bool properties_check(const char *name, const char *value, char why[CONFIG_WHY_LEN]);

#endif
