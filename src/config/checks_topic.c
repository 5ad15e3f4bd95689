/* checks: topic files. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

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
        if (!checks_is_topic_name(pattern))
            tell_topic_name(loader, at, what, pattern);
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

static bool reads(const struct settings_topic *topic, const char *name)
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
    const char *dlq = topic->errors.deadletterqueue;
    bool own = origin_find(loader->private, &topic->errors.deadletterqueue) != NULL;
    if (own && dlq != NULL && !checks_is_topic_name(dlq))
        tell_topic_name(loader, origin_place(loader, &topic->errors.deadletterqueue, at),
                        "a dead-letter topic", dlq);
    const struct origin *tolerance = origin_find(loader->private, &topic->errors.tolerance);
    if (topic->role == SETTINGS_ROLE_SPANS && tolerance != NULL &&
        topic->errors.tolerance == SETTINGS_TOLERANCE_ALL && dlq == NULL) {
        report_warning(loader->report, origin_place(loader, &topic->errors.tolerance, at),
                       "records that can not be decoded are discarded");
        report_help(loader->report, "errors.deadletterqueue keeps them");
    }
    checks_properties(loader, topic->properties, topic->property_count);
}

/* A dead letter that comes back as input would go round for ever. */
static void check_loop(struct loader *loader, const struct settings_topic *topic,
                       struct place at)
{
    const struct settings *settings = loader->settings;
    const char *dlq = topic->errors.deadletterqueue;
    for (uint32_t i = 0; i < settings->topic_count && dlq != NULL; i++) {
        const struct settings_topic *input = &settings->topics[i];
        if (input->role != SETTINGS_ROLE_SPANS || !reads(input, dlq))
            continue;
        struct place worker = origin_place(loader, &settings->errors.deadletterqueue, at);
        report_error(loader->report,
                     origin_place(loader, &topic->errors.deadletterqueue, worker),
                     "the dead-letter topic \"%s\" is an input of topic file %s",
                     quote(dlq).text, quote(input->file).text);
        report_help(loader->report, "dead letters would come back as records: %s",
                    input->topic[0] == '^' ? "put it into exclude" : "name another topic");
        return;
    }
}

/* So would kept spans, and be kept again. */
static void check_sink_loop(struct loader *loader, const struct settings_sink *sink,
                            struct place at)
{
    const struct settings *settings = loader->settings;
    const char *cluster = sink->kafka.bootstrap;
    bool ours = cluster == NULL || (settings->kafka.bootstrap != NULL &&
                                    strcmp(cluster, settings->kafka.bootstrap) == 0);
    if (sink->type != SETTINGS_SINK_KAFKA || sink->topic == NULL || !ours)
        return;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *input = &settings->topics[i];
        if (input->role != SETTINGS_ROLE_SPANS || !reads(input, sink->topic))
            continue;
        report_error(loader->report, origin_place(loader, &sink->topic, at),
                     "a sink's topic \"%s\" is an input of topic file %s",
                     quote(sink->topic).text, quote(input->file).text);
        report_help(loader->report, "kept spans would come back as records: %s",
                    input->topic[0] == '^' ? "put it into exclude" : "name another topic");
        return;
    }
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
    if (a->topic == NULL || b->topic == NULL)
        return;
    const struct settings_topic *plain = b->topic[0] != '^' ? b : a;
    const struct settings_topic *other = plain == b ? a : b;
    bool same = strcmp(a->topic, b->topic) == 0;
    if (same || (plain->topic[0] != '^' && reads(other, plain->topic))) {
        report_error(loader->report, origin_place(loader, &b->topic, b_at),
                     "topic \"%s\" is read by two topic files", quote(plain->topic).text);
        if (same)
            report_help(loader->report, "the first one is %s", quote(a->file).text);
        else
            report_help(loader->report, "put it into exclude of %s", quote(other->file).text);
    }
}

/* Kafka is what topic files are of unless they say otherwise. */
static bool uses_kafka(const struct settings *settings)
{
    bool uses = settings->topic_count == 0;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        uses = uses || topic->source == SETTINGS_SOURCE_KAFKA ||
               topic->errors.deadletterqueue != NULL;
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
    if (origin_find(loader->private, &settings->kafka.bootstrap) != NULL ||
        !uses_kafka(settings))
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
        if (topic->role == SETTINGS_ROLE_SPANS)
            check_loop(loader, topic, places[i]);
        for (uint32_t j = 0; j < i; j++)
            check_pair(loader, &settings->topics[j], topic, places);
    }
    for (uint32_t i = 0; i < settings->sink_count; i++)
        check_sink_loop(loader, &settings->sinks[i], at);
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
