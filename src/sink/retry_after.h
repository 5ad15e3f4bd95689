/*
 * retry_after: the two forms of the Retry-After header.  Source: RFC 9110, sections 10.2.3
 * and 5.6.7 (all three date formats).
 */
#ifndef SB_SINK_RETRY_AFTER_H
#define SB_SINK_RETRY_AFTER_H

#include <stdint.h>

/* No backend may silence a sink for longer. */
#define RETRY_AFTER_MAX_NS UINT64_C(300000000000)

/*
 * The wait that `value` asks for, capped; 0 when it is no valid form, or asks for none:
 * then our own backoff applies.  wall_now_ns: since 1970, for the date form.
 */
uint64_t retry_after_ns(const char *value, uint64_t wall_now_ns);

#endif
