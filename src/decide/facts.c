#include "decide/decide.h"

void decide_facts_init(struct decide_facts *facts)
{
    *facts = (struct decide_facts){.earliest_start_ns = UINT64_MAX};
}

void decide_facts_merge(struct decide_facts *facts, const struct decide_facts *other)
{
    if (other->earliest_start_ns < facts->earliest_start_ns)
        facts->earliest_start_ns = other->earliest_start_ns;
    if (other->latest_end_ns > facts->latest_end_ns)
        facts->latest_end_ns = other->latest_end_ns;
    facts->matches |= other->matches;
    facts->bytes += other->bytes;
    facts->spans += other->spans;
    facts->statuses |= other->statuses;
    facts->flags |= other->flags;
}
