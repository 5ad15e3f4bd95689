/* checks: topic files. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "broker_url.h"
#include "checks.h"

/* Rules of Apache Kafka (org.apache.kafka.common.internals.Topic). */
bool checks_is_topic_name(const char *name)
{
    size_t len = strlen(name);
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-";
    return len > 0 && len <= 249 && strspn(name, plain) == len && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static void tell_topic_name(struct loader *loader, struct place at, const char *what,
                            const char *name)
{
    report_error(loader->report, at, "\"%s\" can not be the name of %s", quote(name).text,
                 what);
    if (strpbrk(name, "*?[]()|+\\$") != NULL)
        report_help(loader->report, "a regular expression begins with ^: \"^orders\\\\..*\"");
    else
        report_help(loader->report, "up to 249 letters, digits, '.', '_' and '-'");
}

void checks_topic_name(struct loader *loader, const char *name, const char *what,
                       struct place at)
{
    if (!checks_is_topic_name(name))
        tell_topic_name(loader, at, what, name);
}

/* librdkafka matches topics with POSIX extended expressions, too. */
static bool compile(const char *pattern, regex_t *ret, char *why, size_t room)
{
    int result = regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB);
    if (result == 0)
        return true;
    regerror(result, ret, why, room);
    return false;
}

static void check_pattern(struct loader *loader, struct place at, const char *what,
                          const char *pattern)
{
    if (pattern[0] != '^') {
        checks_topic_name(loader, pattern, what, at);
        return;
    }
    regex_t regex;
    char why[128];
    if (compile(pattern, &regex, why, sizeof(why)))
        regfree(&regex);
    else
        report_error(loader->report, at, "\"%s\" is no regular expression: %s",
                     quote(pattern).text, why);
}

/* True if `name` is the pattern or, behind ^, matches it. */
static bool covers(const char *pattern, const char *name)
{
    regex_t regex;
    if (pattern[0] != '^')
        return strcmp(pattern, name) == 0;
    if (!compile(pattern, &regex, NULL, 0))
        return false;
    bool found = regexec(&regex, name, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

bool checks_topic_reads(const struct settings_topic *topic, const char *name)
{
    if (topic->topic == NULL || !covers(topic->topic, name))
        return false;
    for (uint32_t i = 0; i < topic->exclude_count; i++) {
        if (covers(topic->exclude[i], name))
            return false;
    }
    return true;
}

void checks_topic(struct loader *loader, const struct settings_topic *topic, struct place at)
{
    if (topic->topic != NULL)
        check_pattern(loader, origin_place(loader, &topic->topic, at), "a topic", topic->topic);
    struct place exclude = origin_place(loader, &topic->exclude, at);
    for (uint32_t i = 0; i < topic->exclude_count; i++)
        check_pattern(loader, exclude, "a topic", topic->exclude[i]);
    if (topic->exclude_count > 0 && topic->topic != NULL && topic->topic[0] != '^') {
        report_warning(loader->report, exclude, "exclude has no effect on a single topic");
        report_help(loader->report, "a regular expression begins with ^");
    }
    if (topic->source == SETTINGS_SOURCE_RABBITMQ)
        checks_queue(loader, topic, at);
    checks_letters(loader, &topic->errors, at);
    const struct origin *tolerance = origin_find(loader->private, &topic->errors.tolerance);
    if (topic->role == SETTINGS_ROLE_SPANS && tolerance != NULL &&
        topic->errors.tolerance == SETTINGS_TOLERANCE_ALL &&
        topic->errors.deadletterqueue == NULL && topic->errors.deadletterexchange == NULL) {
        report_warning(loader->report, origin_place(loader, &topic->errors.tolerance, at),
                       "records that can not be decoded are discarded");
        report_help(loader->report,
                    "errors.deadletterqueue or errors.deadletterexchange keeps them");
    }
    checks_properties(loader, topic->properties, topic->property_count);
}

/* Two files with one queue, or with one file of positions. */
static void check_queue_pair(struct loader *loader, const struct settings_topic *a,
                             const struct settings_topic *b, struct place at)
{
    const struct settings_queue *first = &a->rabbitmq;
    const struct settings_queue *second = &b->rabbitmq;
    if (first->offsets != NULL && second->offsets != NULL &&
        strcmp(first->offsets, second->offsets) == 0) {
        report_error(loader->report, origin_place(loader, &second->offsets, at),
                     "offsets of two topic files are one file");
        report_help(loader->report, "the first one is %s", quote(a->file).text);
    }
    if (first->queue == NULL || second->queue == NULL || first->broker.url == NULL ||
        second->broker.url == NULL || strcmp(first->queue, second->queue) != 0 ||
        !broker_url_same(first->broker.url, second->broker.url))
        return;
    report_error(loader->report, origin_place(loader, &second->queue_configured, at),
                 "queue \"%s\" is read by two topic files", quote(second->queue).text);
    report_help(loader->report, "the first one is %s", quote(a->file).text);
}

static void check_pair(struct loader *loader, const struct settings_topic *a,
                       const struct settings_topic *b, const struct place *places)
{
    struct place b_at = places[b - loader->settings->topics];
    if (a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0) {
        report_error(loader->report, origin_place(loader, &b->name, b_at),
                     "two topic files are called \"%s\"", quote(b->name).text);
        report_help(loader->report, "the first one is %s", quote(a->file).text);
        return;
    }
    check_queue_pair(loader, a, b, b_at);
    if (a->topic == NULL || b->topic == NULL)
        return;
    const struct settings_topic *plain = b->topic[0] != '^' ? b : a;
    const struct settings_topic *other = plain == b ? a : b;
    bool same = strcmp(a->topic, b->topic) == 0;
    if (same || (plain->topic[0] != '^' && checks_topic_reads(other, plain->topic))) {
        report_error(loader->report, origin_place(loader, &b->topic, b_at),
                     "topic \"%s\" is read by two topic files", quote(plain->topic).text);
        if (same)
            report_help(loader->report, "the first one is %s", quote(a->file).text);
        else
            report_help(loader->report, "put it into exclude of %s", quote(other->file).text);
    }
}

/* Kafka is what topic files are of unless they say otherwise. */
static bool uses_kafka(const struct loader *loader)
{
    const struct settings *settings = loader->settings;
    bool uses = settings->topic_count == 0;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        bool letters =
            topic->role == SETTINGS_ROLE_SPANS && topic->errors.deadletterqueue != NULL;
        const struct origin *source = origin_find(loader->private, &topic->source);
        bool known = source == NULL || !source->failed;
        uses = uses || (known && topic->source == SETTINGS_SOURCE_KAFKA) || letters;
    }
    for (uint32_t i = 0; i < settings->sink_count; i++) {
        const struct settings_sink *sink = &settings->sinks[i];
        uses = uses || (sink->type == SETTINGS_SINK_KAFKA && sink->kafka.bootstrap == NULL);
    }
    return uses;
}

void checks_cluster(struct loader *loader, struct place at)
{
    const struct settings *settings = loader->settings;
    if (origin_find(loader->private, &settings->kafka.bootstrap) != NULL || !uses_kafka(loader))
        return;
    report_error(loader->report, at, "kafka.bootstrap is missing");
    report_help(loader->report, "Brokers to start from, as host:port,host:port.");
}

void checks_topics(struct loader *loader, const struct place *places, bool whole,
                   struct place at)
{
    const struct settings *settings = loader->settings;
    bool spans = false;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        spans = spans || topic->role == SETTINGS_ROLE_SPANS;
        checks_loops_letters(loader, topic, places[i]);
        for (uint32_t j = 0; j < i; j++)
            check_pair(loader, &settings->topics[j], topic, places);
    }
    for (uint32_t i = 0; i < settings->sink_count; i++)
        checks_loops_sink(loader, &settings->sinks[i], at);
    if (spans || !whole)
        return;
    report_error(loader->report, at,
                 settings->topic_count == 0 ? "there is no topic file"
                                            : "no topic file has role = \"spans\"");
    report_help(loader->report,
                settings->topic_count == 0
                    ? "name topic files after the worker file, or set topics_dir"
                    : "there is nothing to repair or to export without spans");
}
