/*
 * destinations: a small cache over the list of topics.
 */
#include "destinations.h"

enum { REMEMBERED_MAX = 4096 }; /* names come from outside: no more than this many are kept */

enum sb_err destinations_init(struct destinations *destinations,
                              const struct worker_options *options)
{
    destinations->options = options;
    return table_init(&destinations->by_name, 64);
}

void destinations_clear(struct destinations *destinations)
{
    table_clear(&destinations->by_name);
}

static uint16_t match_topics(const struct worker_options *options, struct bytes name)
{
    char text[256];
    if (name.len < sizeof(text)) {
        memcpy(text, name.at, name.len);
        text[name.len] = '\0';
        uint32_t index;
        if (sources_find_topic(options->sources, SOURCE_MESSAGES, text, &index))
            return (uint16_t)index;
    }
    return (uint16_t)options->topic_count;
}

uint16_t destinations_find(struct destinations *destinations, struct bytes name, uint64_t hash)
{
    if (name.len == 0)
        return (uint16_t)destinations->options->topic_count;
    /* Names are told apart by 48 bits of their hash: the table's own, and those kept here. */
    uint32_t check = (uint32_t)(hash & UINT16_MAX) << 16;
    struct table_cursor at = table_find(&destinations->by_name, hash);
    uint32_t known;
    while (table_next(&destinations->by_name, &at, &known)) {
        if ((known & ~(uint32_t)UINT16_MAX) == check)
            return (uint16_t)(known & UINT16_MAX);
    }
    uint16_t settings = match_topics(destinations->options, name);
    if (destinations->by_name.used < REMEMBERED_MAX &&
        table_insert(&destinations->by_name, hash, check | settings) != SB_OK)
        return settings; /* not remembered: matched again next time */
    return settings;
}

const struct worker_repair *destinations_repair(const struct destinations *destinations,
                                                uint16_t settings)
{
    const struct worker_options *options = destinations->options;
    return settings < options->topic_count ? &options->topics[settings].repair
                                           : &options->default_repair;
}

bool destinations_tapped(const struct destinations *destinations, uint16_t settings)
{
    const struct worker_options *options = destinations->options;
    return settings < options->topic_count && options->topics[settings].role == WORKER_MESSAGES;
}
