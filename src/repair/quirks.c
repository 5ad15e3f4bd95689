#include "quirks.h"

#include "core/assert.h"

/*
 * Sources: instrumentations-measured (which wins), context-propagation notes 2.1 to 2.3.
 * Versions are not told apart: what a row says was found in all that were looked at.
 */
static const struct quirk quirks[] = {
    /* Python: appends headers and reads the first. */
    {.scope = "opentelemetry.instrumentation.confluent_kafka",
     .offset = QUIRK_OFFSET_DOTTED,
     .header = QUIRK_HEADER_FIRST,
     .relation = QUIRK_RELATION_LINK},
    {.scope = "opentelemetry.instrumentation.aiokafka",
     .offset = QUIRK_OFFSET_DOTTED,
     .header = QUIRK_HEADER_FIRST},
    {.scope = "opentelemetry.instrumentation.kafka", .header = QUIRK_HEADER_FIRST},
    {.scope = "opentelemetry.instrumentation.aio_pika",
     .header = QUIRK_HEADER_FIRST,
     .comma_destination = true},
    {.scope = "opentelemetry.instrumentation.pika", .header = QUIRK_HEADER_FIRST},

    /* Go.  otelsarama moved home twice, and kept the last part of its name. */
    {.scope = "*/otelsarama",
     .offset = QUIRK_OFFSET_BARE,
     .header = QUIRK_HEADER_FIRST,
     .zero_offset_is_unknown = true},
    {.scope = "github.com/twmb/franz-go/plugin/kotel", .header = QUIRK_HEADER_FIRST},

    /* .NET */
    {.scope = "OpenTelemetry.AutoInstrumentation.Kafka",
     .header = QUIRK_HEADER_LAST,
     .relation = QUIRK_RELATION_LINK},
    {.scope = "OpenTelemetry.Instrumentation.ConfluentKafka",
     .header = QUIRK_HEADER_LAST,
     .relation = QUIRK_RELATION_LINK},

    /* Java */
    {.scope = "io.opentelemetry.kafka-clients-*", .header = QUIRK_HEADER_LAST},
    {.scope = "io.opentelemetry.spring-kafka-*", .header = QUIRK_HEADER_LAST},

    /* The checkout service of the OpenTelemetry demo writes its spans by hand, acks off. */
    {.scope = "checkout", .header = QUIRK_HEADER_LAST, .zero_offset_is_unknown = true},
};

static const struct quirk defaults = {.header = QUIRK_HEADER_LAST};

enum { QUIRK_COUNT = sizeof(quirks) / sizeof(quirks[0]) };

static bool fits(const char *pattern, struct bytes name)
{
    struct bytes text = bytes_text(pattern);
    if (text.at[0] == '*') {
        struct bytes end = bytes_of(text.at + 1, text.len - 1);
        return name.len >= end.len &&
               bytes_equal(end, bytes_of(name.at + (name.len - end.len), end.len));
    }
    if (text.at[text.len - 1] == '*')
        return name.len >= text.len - 1 &&
               bytes_equal(bytes_of(text.at, text.len - 1), bytes_of(name.at, text.len - 1));
    return bytes_equal(text, name);
}

const struct quirk *quirk_find(struct bytes scope_name)
{
    if (scope_name.len == 0)
        return &defaults;
    for (size_t i = 0; i < QUIRK_COUNT; i++)
        if (fits(quirks[i].scope, scope_name))
            return &quirks[i];
    return &defaults;
}

size_t quirk_count(void)
{
    return QUIRK_COUNT;
}

const struct quirk *quirk_at(size_t index)
{
    SB_ASSERT(index < QUIRK_COUNT);
    return &quirks[index];
}
