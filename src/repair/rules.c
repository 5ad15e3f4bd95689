#include "repair/hops.h"

#include "core/assert.h"

static const struct {
    const char *text;
    char class;
} rules[REPAIR_RULE_COUNT] = {
    [REPAIR_RULE_SAME_TRACE] = {"same_trace", 'A'},
    [REPAIR_RULE_LINK] = {"link", 'A'},
    [REPAIR_RULE_COORDINATE] = {"coordinate", 'A'},
    [REPAIR_RULE_HEADER_AT_COORDINATE] = {"header_at_coordinate", 'A'},
};

const char *repair_rule_text(enum repair_rule rule)
{
    SB_ASSERT(rule < REPAIR_RULE_COUNT);
    return rules[rule].text;
}

char repair_rule_class(enum repair_rule rule)
{
    SB_ASSERT(rule < REPAIR_RULE_COUNT);
    return rules[rule].class;
}
