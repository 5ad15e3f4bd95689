/*
 * metrics: the page for Prometheus, from figures that others have taken.
 *
 * Text exposition format 0.0.4.  Names and labels are a contract with dashboards and alerts:
 * docs/admin.md lists them.  Every class of the accounting is there, so that it can be checked
 * from one page alone: spans received = delivered + dropped + head + filtered + elided + dead
 * lettered + rejected + lost + returned + replayed + observed + held.
 */
#ifndef SB_ADMIN_METRICS_H
#define SB_ADMIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "sink/sink.h"
#include "source/source.h"
#include "worker/counters.h"

#define ADMIN_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct admin_topic {
    const char *name;    /* of the topic file */
    bool spans;          /* else messages */
    bool failed;         /* it has stopped, since an error is not tolerated */
    uint64_t unreadable; /* records that were rejected at the broker, unread */
};

struct admin_sink {
    const char *name;
    struct sink_counters counters;
    enum sink_state state;
    size_t queued_bytes;
    size_t queue_bytes_max;
};

/* All borrowed. */
struct admin_snapshot {
    const char *version;
    const char *librdkafka;
    const struct worker_account *account;
    const struct worker_topic_counters *topic_counters; /* of the same moment as the account */
    const struct admin_topic *topics;
    uint32_t topic_count;
    const char *const *policies; /* names, in the order of the counters */
    uint32_t policy_count;
    const struct admin_sink *sinks;
    uint32_t sink_count;
    const struct source_lag *lags;
    size_t lag_count;
};

void admin_write_metrics(const struct admin_snapshot *snapshot, struct text *out);

#endif
