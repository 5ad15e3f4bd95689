/* notes: what `check` tells of a configuration that is right. */
#include "checks.h"

/* The line of prefetch, else that of the queue, else the file. */
static struct place place_of(const struct settings *settings,
                             const struct settings_topic *topic)
{
    const struct settings_queue *queue = &topic->rabbitmq;
    const struct origin *origin = origin_find_sorted(settings->private, &queue->prefetch);
    if (origin == NULL)
        origin = origin_find_sorted(settings->private, &queue->queue_configured);
    if (origin == NULL)
        return (struct place){.file = topic->file};
    return (struct place){.file = origin->file, .order = origin->order, .line = origin->line};
}

static void note_rate(const struct settings *settings, const struct settings_topic *topic,
                      struct config_report *report)
{
    struct queue_rate rate = checks_queue_rate(settings, topic);
    if (!rate.low) /* else a warning has said it */
        report_note(report, place_of(settings, topic), "\"%s\": %s", quote(topic->name).text,
                    rate.text);
}

/* Only messages of streams have a coordinate that a span may name. */
static void note_tap(const struct settings *settings, const struct settings_topic *topic,
                     struct config_report *report)
{
    if (topic->rabbitmq.queue_type != SETTINGS_QUEUE_STREAM)
        report_note(report, place_of(settings, topic),
                    "\"%s\": its messages are counted, and mend no trace in this version: of "
                    "RabbitMQ only those of streams do",
                    quote(topic->name).text);
}

void config_notes(const struct settings *settings, struct config_report *report)
{
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        if (topic->source != SETTINGS_SOURCE_RABBITMQ)
            continue;
        if (topic->role == SETTINGS_ROLE_SPANS)
            note_rate(settings, topic, report);
        else
            note_tap(settings, topic, report);
    }
    report_sort(report);
}
