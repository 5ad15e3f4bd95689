/*
 * inflate: gzip answers of backends.  The output is bounded by the cap of `out` whatever the
 * input claims, and memory grows only with what really came out.
 */
#ifndef SB_SINK_INFLATE_H
#define SB_SINK_INFLATE_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"

/*
 * Appends the first member of `in` to `out`; what follows it is ignored.  SB_ERR_LIMIT: more
 * than out's cap; SB_ERR_INPUT: not gzip, or cut short; SB_ERR_MEMORY.
 */
enum sb_err inflate_gzip(struct bytes in, struct text *out) SB_MUST_USE;

#endif
