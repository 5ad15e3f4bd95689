/*
 * base64: binary gRPC trailers.  Source: RFC 4648, section 4; gRPC leaves padding out or in.
 */
#ifndef SB_SINK_BASE64_H
#define SB_SINK_BASE64_H

#include <stdbool.h>

#include "core/bytes.h"
#include "core/text.h"

/* Decodes over the text itself; *ret views it.  False, with the text spoilt, on bad input. */
bool base64_decode_in_place(struct text *text, struct bytes *ret);

#endif
