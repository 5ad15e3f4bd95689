/*
 * units: durations, sizes and rates as people write them.
 */
#ifndef SB_CORE_UNITS_H
#define SB_CORE_UNITS_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

/*
 * "7ns", "10us", "250ms", "1.5s", "30s", "5m", "1h", "2d": nanoseconds.  SB_ERR_INPUT: no such
 * number or unit, or not a whole number of nanoseconds.  SB_ERR_LIMIT: past 64 bits.
 */
enum sb_err units_parse_duration(const char *text, uint64_t *ret_ns) SB_MUST_USE;

/*
 * "512", "512B", "64KiB", "4MiB", "2GiB", "1TiB", "10kB", "5MB", "1GB", "1TB": bytes.  Errors as
 * above.
 */
enum sb_err units_parse_size(const char *text, uint64_t *ret_bytes) SB_MUST_USE;

/* The shortest exact form without a fraction, such as "30s" or "2GiB", in `ret`. */
enum { UNITS_TEXT_LEN = 32 };
void units_format_duration(uint64_t ns, char ret[UNITS_TEXT_LEN]);
void units_format_size(uint64_t bytes, char ret[UNITS_TEXT_LEN]);

#endif
