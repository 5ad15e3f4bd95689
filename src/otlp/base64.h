/*
 * base64: bytes values in JSON.  Source: RFC 4648; readers take both alphabets, with padding
 * or without, as the JSON form of protobuf asks.
 */
#ifndef SB_OTLP_BASE64_H
#define SB_OTLP_BASE64_H

#include "core/bytes.h"
#include "core/err.h"

static inline size_t base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes base64_encoded_len(in.len) characters, padding included, and no NUL. */
void base64_encode(struct bytes in, char *ret);

/* Writes at most text.len / 4 * 3 + 3 bytes to `ret`.  SB_ERR_INPUT: no base64. */
enum sb_err base64_decode(struct bytes text, uint8_t *ret, size_t *ret_len) SB_MUST_USE;

#endif
