#include "backoff.h"

void backoff_init(struct backoff *backoff, const struct retry *retry,
                  const struct clock_source *clock)
{
    *backoff = (struct backoff){.retry = *retry, .clock = clock};
}

void backoff_begin(struct backoff *backoff)
{
    if (backoff->until_ns > 0)
        return;
    backoff->failures++;
    backoff->until_ns =
        clock_monotonic_ns(backoff->clock) + retry_wait_ns(&backoff->retry, backoff->failures);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}

bool backoff_is_open(struct backoff *backoff)
{
    if (backoff->until_ns > 0 && backoff->until_ns <= clock_monotonic_ns(backoff->clock))
        backoff->until_ns = 0;
    return backoff->until_ns == 0;
}

uint64_t backoff_left_ns(const struct backoff *backoff)
{
    if (backoff->until_ns == 0)
        return UINT64_MAX;
    uint64_t now_ns = clock_monotonic_ns(backoff->clock);
    return backoff->until_ns > now_ns ? backoff->until_ns - now_ns : 0;
}
