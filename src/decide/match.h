/*
 * match: does a string attribute's value match one of a policy's values?
 *
 * A matcher is compiled once and then only read, by all workers; what matching writes to
 * (PCRE2's match data) is a match_scratch, one per worker.
 */
#ifndef SB_DECIDE_MATCH_H
#define SB_DECIDE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct matcher;

/* What a matcher is made of; borrowed until match_new returns. */
struct match_options {
    const char *const *values;
    uint32_t value_count; /* 0: nothing ever matches */
    bool regex;
};

/*
 * SB_ERR_CONFIG: a regular expression is wrong, `why` (of why_len bytes) says which and
 * where.  SB_ERR_MEMORY.
 */
enum sb_err match_new(const struct match_options *options, struct matcher **ret, char *why,
                      size_t why_len) SB_MUST_USE;
void match_free(struct matcher *matcher);

struct match_scratch;

enum sb_err match_scratch_new(struct match_scratch **ret) SB_MUST_USE;
void match_scratch_free(struct match_scratch *scratch);

enum match_result {
    MATCH_NO,
    MATCH_YES,
    MATCH_ERROR /* a limit of the regular expression engine was reached: nobody knows */
};

/*
 * Exact: the value is one of the listed ones, byte by byte.  Regular expressions: one of
 * them is found somewhere in the value.  Bytes that are not UTF-8 match no part of an
 * expression, but what is valid around them still does.
 */
enum match_result match_value(const struct matcher *matcher, struct match_scratch *scratch,
                              struct bytes value);

#endif
