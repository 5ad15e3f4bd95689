#include "json_bound.h"

#include "json_schema.h"

/* The place of the quote that ends the string which starts at `at`, or beyond the end. */
static size_t string_end(struct bytes json, size_t at)
{
    while (at < json.len && json.at[at] != '"')
        at += json.at[at] == '\\' ? 2 : 1;
    return at;
}

enum otlp_fault json_bound_check(struct bytes json)
{
    uint64_t budget = (uint64_t)json.len * JSON_BOUND_TIMES + JSON_BOUND_FREE_BYTES;
    uint64_t cost = 0;
    uint32_t depth = 0;
    for (size_t at = 0; at < json.len; at++) {
        switch (json.at[at]) {
        case '"':
            at = string_end(json, at + 1);
            break;
        case '{':
        case '[':
            cost += JSON_BOUND_CONTAINER_BYTES + JSON_BOUND_ITEM_BYTES;
            if (++depth > SCHEMA_JSON_DEPTH_MAX)
                return OTLP_FAULT_TOO_DEEP;
            break;
        case '}':
        case ']':
            /* The parser refuses what closes too often; here it must only not wrap. */
            depth -= depth > 0;
            break;
        case ',':
            cost += JSON_BOUND_ITEM_BYTES;
            break;
        default:
            break;
        }
    }
    return cost > budget ? OTLP_FAULT_RECORD_TOO_LARGE : OTLP_FAULT_NONE;
}
