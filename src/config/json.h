/*
 * json: a string as JSON, for reports and `config show --json`.
 */
#ifndef SB_CONFIG_JSON_H
#define SB_CONFIG_JSON_H

#include <stddef.h>

#include "core/bytes.h"
#include "core/text.h"

/* Length of the valid UTF-8 sequence that `in` begins with; 0: it begins with none. */
size_t utf8_sequence(struct bytes in);

/* Appends `in` with its quotes; bytes that are no UTF-8 become U+FFFD.  NULL becomes null. */
void json_text(struct text *out, const char *in);

#endif
