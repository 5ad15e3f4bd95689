/*
 * utf8: where characters of UTF-8 end.  Source: RFC 3629, section 4.
 */
#ifndef SB_CORE_UTF8_H
#define SB_CORE_UTF8_H

#include <stddef.h>

#include "core/bytes.h"

enum { UTF8_MAX = 4 }; /* bytes of one character */

/*
 * Length of the valid sequence that `in` begins with; 0: it begins with none, as it is empty, cut
 * off, overlong, a surrogate, or beyond U+10FFFF.
 */
size_t utf8_sequence(struct bytes in);

#endif
