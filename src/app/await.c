#include "await.h"

uint64_t await_until_ns(struct await *await, bool begins, uint64_t now_ns)
{
    /* With nothing read there is nothing that could be decided too early. */
    if (!begins || await->lanes == 0) {
        await->since_ns = 0;
        return 0;
    }
    if (await->since_ns == 0)
        await->since_ns = now_ns;
    return now_ns - await->since_ns < await->hold_ns ? now_ns + await->wait_ns : 0;
}
