/*
 * hex: bytes to and from hexadecimal text.
 */
#ifndef SB_CORE_HEX_H
#define SB_CORE_HEX_H

#include "core/bytes.h"
#include "core/err.h"

/* Writes 2 * in.len lower-case digits to `ret`, without a NUL. */
void hex_encode(struct bytes in, char *ret);

/*
 * Reads exactly `len` bytes from the 2 * len digits in `text`.  Lower case only, unless
 * `any_case`.  SB_ERR_INPUT when text has another length or another character.
 */
enum sb_err hex_decode(struct bytes text, bool any_case, uint8_t *ret, size_t len) SB_MUST_USE;

#endif
