/*
 * json: a string as JSON, for reports and `config show --json`.
 */
#ifndef SB_CONFIG_JSON_H
#define SB_CONFIG_JSON_H

#include "core/text.h"

/* Appends `in` with its quotes; bytes that are no UTF-8 become U+FFFD.  NULL becomes null. */
void json_text(struct text *out, const char *in);

#endif
