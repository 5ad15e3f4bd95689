/*
 * decide: one complete trace in, one verdict out, by named policies.
 *
 * Most of a verdict is folded in while spans are scanned: the matching of attributes sets
 * bits, times and statuses are folded, so that a verdict is a few comparisons.  The policies
 * are read-only after decide_new and shared by all workers; what a worker needs of its own
 * (match contexts) is in struct decide_worker.
 *
 * Source: sampling.md.
 */
#ifndef SB_DECIDE_DECIDE_H
#define SB_DECIDE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ids.h"
#include "otlp/keys.h"
#include "otlp/scan.h"

enum decide_type {
    DECIDE_ALWAYS_SAMPLE,
    DECIDE_STATUS_CODE,
    DECIDE_LATENCY,
    DECIDE_STRING_ATTRIBUTE,
    DECIDE_PROBABILISTIC
};

/* Strings are borrowed until decide_new returns. */
struct decide_policy {
    const char *name;
    enum decide_type type;
    uint8_t statuses;            /* STATUS_CODE: bits 1 << enum otlp_status */
    uint64_t threshold_ns;       /* LATENCY */
    uint64_t upper_threshold_ns; /* LATENCY; 0: none */
    const char *key;             /* STRING_ATTRIBUTE */
    const char *const *values;
    uint32_t value_count; /* 0: nothing matches */
    bool regex;
    bool invert;           /* keep when no span and no resource of the trace matches */
    double percentage;     /* PROBABILISTIC */
    const char *hash_salt; /* NULL: "default-hash-seed" */
};

enum { DECIDE_POLICIES_MAX = 64 };
#define DECIDE_NO_POLICY UINT16_MAX

struct decide_options {
    const struct decide_policy *policies;
    uint32_t policy_count;
    bool first_match;
};

struct decide;

/*
 * Compiles the policies and adds the attribute keys they look at to `keys`.  SB_ERR_CONFIG:
 * a policy makes no sense (a regular expression is wrong, no status, no key, an upper
 * threshold below the lower one, a percentage that is no number), or there are none or too
 * many; *ret_policy is its index, `why` the text.  SB_ERR_LIMIT from `keys`, SB_ERR_MEMORY.
 */
enum { DECIDE_WHY_LEN = 256 };
enum sb_err decide_new(const struct decide_options *options, struct otlp_keys *keys,
                       struct decide **ret, uint32_t *ret_policy,
                       char why[DECIDE_WHY_LEN]) SB_MUST_USE;
void decide_free(struct decide *decide);

const char *decide_policy_name(const struct decide *decide, uint16_t policy);

/* A worker's own part: match data of regular expressions.  Outlived by `decide`. */
struct decide_worker;
enum sb_err decide_worker_new(const struct decide *decide,
                              struct decide_worker **ret) SB_MUST_USE;
void decide_worker_free(struct decide_worker *worker);
/*
 * How often a regular expression reached a limit; that value then made no policy keep.  For
 * tests, which tell a match that gave up from one that found nothing.
 */
uint64_t decide_worker_match_errors(const struct decide_worker *worker);

/*
 * The policies' bits that these attributes set.  Resource attributes are matched once per
 * envelope, span attributes once per span; both kinds of bits are or-ed into the facts.
 *
 * A bit says that a string matched, before `invert`: whether a trace is kept by an inverted
 * policy is known only when all of its spans were seen, so decide_verdict inverts.  That is
 * a plain yes or no over the whole trace: keep when nothing in it matched, so also when
 * nothing in it has the key.  Values of another type than string, and empty values of spans,
 * never match; an empty value of a resource does when it is listed (or the expression finds
 * it).  The bit of policy i is 1 << i.
 */
uint64_t decide_match(struct decide_worker *worker, const struct otlp_hit *hits, uint32_t count,
                      bool of_resource);

/* What verdicts need of a trace; folded span by span, or trace by trace after a merge. */
struct decide_facts {
    uint64_t earliest_start_ns; /* UINT64_MAX: no span had a start */
    uint64_t latest_end_ns;     /* 0: no span had an end */
    uint64_t matches;
    uint64_t bytes;
    uint32_t spans;
    uint8_t statuses; /* bits 1 << enum otlp_status */
    uint8_t flags;    /* all spans' lowest flag bits, or-ed */
};

void decide_facts_init(struct decide_facts *facts);

/* A time of 0 does not count; an end before its start counts as the start. */
static inline void decide_facts_add_span(struct decide_facts *facts,
                                         const struct otlp_span *span, uint64_t matches)
{
    uint64_t end_ns = span->end_ns < span->start_ns ? span->start_ns : span->end_ns;
    if (span->start_ns != 0 && span->start_ns < facts->earliest_start_ns)
        facts->earliest_start_ns = span->start_ns;
    if (end_ns > facts->latest_end_ns)
        facts->latest_end_ns = end_ns;
    facts->matches |= matches;
    facts->bytes += span->raw.len;
    facts->spans++;
    facts->statuses |= (uint8_t)(1U << (span->status & 3U));
    facts->flags |= (uint8_t)span->flags;
}

void decide_facts_merge(struct decide_facts *facts, const struct decide_facts *other);

struct decide_verdict {
    bool keep;
    uint16_t policy; /* the first keeping one in file order, or DECIDE_NO_POLICY */
};

/*
 * Votes: any keep keeps, else the trace is dropped by no policy.  Policies are asked in file
 * order up to the first that keeps; that answers `first_match` and its absence alike, as no
 * type of this version votes to drop or has a state.
 */
struct decide_verdict decide_verdict(struct decide_worker *worker, struct trace_id trace_id,
                                     const struct decide_facts *facts);

#endif
