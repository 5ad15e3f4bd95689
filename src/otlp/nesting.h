/*
 * nesting: checks one encoded KeyValue of any depth against the limits.
 *
 * Iterative, with a fixed stack of end positions: input can nest as it likes, the walk stops
 * at the first level too many.  Time is linear in the length of the KeyValue.
 */
#ifndef SB_OTLP_NESTING_H
#define SB_OTLP_NESTING_H

#include "core/bytes.h"
#include "otlp/scan.h"
#include "otlp/value.h"

/*
 * NONE, MALFORMED, TOO_DEEP, KEY_TOO_LONG or VALUE_TOO_LONG.  On NONE *ret holds the outer
 * key and value: of several the last, and an empty value does not replace a filled one.
 * limits->depth_max is at most OTLP_DEPTH_MAX.
 */
enum otlp_fault nesting_check(struct bytes key_value, const struct otlp_limits *limits,
                              struct otlp_attribute *ret);

#endif
