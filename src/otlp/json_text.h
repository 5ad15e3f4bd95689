/*
 * json_text: text as a JSON string.
 */
#ifndef SB_OTLP_JSON_TEXT_H
#define SB_OTLP_JSON_TEXT_H

#include "core/bytes.h"
#include "core/text.h"

/* Appends `in` in quotes, escaped; each byte that is not part of UTF-8 becomes U+FFFD. */
void json_text_append(struct text *out, struct bytes in);

#endif
