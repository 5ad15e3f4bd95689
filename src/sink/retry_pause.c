#include "retry_pause.h"

void retry_pause_init(struct retry_pause *pause, const struct retry *retry,
                      const struct clock_source *clock)
{
    *pause = (struct retry_pause){.retry = *retry, .clock = clock};
}

void retry_pause_begin(struct retry_pause *pause)
{
    if (pause->until_ns > 0)
        return;
    pause->failures++;
    pause->until_ns =
        clock_monotonic_ns(pause->clock) + retry_wait_ns(&pause->retry, pause->failures);
}

void retry_pause_reset(struct retry_pause *pause)
{
    pause->failures = 0;
}

bool retry_pause_is_open(struct retry_pause *pause)
{
    if (pause->until_ns > 0 && pause->until_ns <= clock_monotonic_ns(pause->clock))
        pause->until_ns = 0;
    return pause->until_ns == 0;
}

uint64_t retry_pause_left_ns(const struct retry_pause *pause)
{
    if (pause->until_ns == 0)
        return UINT64_MAX;
    uint64_t now_ns = clock_monotonic_ns(pause->clock);
    return pause->until_ns > now_ns ? pause->until_ns - now_ns : 0;
}
