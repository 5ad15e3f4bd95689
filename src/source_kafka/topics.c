#define PCRE2_CODE_UNIT_WIDTH 8
#include "topics.h"

#include <pcre2.h>
#include <string.h>

#include "core/memory.h"

/* A topic's name has at most 249 characters: a pattern that needs more than this is broken. */
enum { MATCH_LIMIT = 100000, ERROR_TEXT_LEN = 160, FIRST_ROOM = 16 };

struct matcher {
    const char *text;
    pcre2_code *code; /* NULL: a name */
};

struct entry {
    struct matcher pattern;
    struct matcher *exclude;
    uint32_t exclude_count;
};

struct matchers {
    const struct source_topic *topics;
    struct entry *entries;
    uint32_t count;
    pcre2_match_context *limits;
};

static enum sb_err compile(const struct source_kafka_options *options, const char *pattern,
                           struct matcher *ret)
{
    ret->text = pattern;
    if (!topics_is_pattern(pattern))
        return SB_OK;
    int code;
    PCRE2_SIZE at;
    ret->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                              PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (ret->code != NULL)
        return SB_OK;
    char text[ERROR_TEXT_LEN];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof(text));
    log_event(options->log, LOG_ERROR, "source", "topic_pattern_refused",
              LOG_TEXT("pattern", pattern), LOG_NUMBER("at", at), LOG_TEXT("reason", text));
    return SB_ERR_CONFIG;
}

static enum sb_err compile_entry(const struct source_kafka_options *options,
                                 const struct source_topic *topic, struct entry *ret)
{
    if (topic->exclude_count > 0) {
        ret->exclude = memory_zalloc(topic->exclude_count, sizeof(*ret->exclude));
        if (ret->exclude == NULL)
            return SB_ERR_MEMORY;
        ret->exclude_count = topic->exclude_count;
    }
    enum sb_err err = compile(options, topic->pattern, &ret->pattern);
    for (uint32_t i = 0; i < topic->exclude_count && err == SB_OK; i++)
        err = compile(options, topic->exclude[i], &ret->exclude[i]);
    return err;
}

enum sb_err matchers_new(const struct source_kafka_options *options, struct matchers **ret)
{
    struct matchers *matchers = memory_zalloc(1, sizeof(*matchers));
    if (matchers == NULL)
        return SB_ERR_MEMORY;
    enum sb_err err = SB_ERR_MEMORY;
    matchers->topics = options->topics;
    matchers->limits = pcre2_match_context_create(NULL);
    matchers->entries = memory_zalloc(options->topic_count, sizeof(*matchers->entries));
    if (matchers->limits == NULL || matchers->entries == NULL)
        goto out;
    pcre2_set_match_limit(matchers->limits, MATCH_LIMIT);
    matchers->count = options->topic_count;
    err = SB_OK;
    for (uint32_t i = 0; i < options->topic_count && err == SB_OK; i++)
        if (options->topics[i].kind == SOURCE_KAFKA)
            err = compile_entry(options, &options->topics[i], &matchers->entries[i]);
out:
    if (err != SB_OK)
        matchers_free(matchers);
    else
        *ret = matchers;
    return err;
}

void matchers_free(struct matchers *matchers)
{
    if (matchers == NULL)
        return;
    for (uint32_t i = 0; matchers->entries != NULL && i < matchers->count; i++) {
        struct entry *entry = &matchers->entries[i];
        pcre2_code_free(entry->pattern.code);
        for (uint32_t k = 0; k < entry->exclude_count; k++)
            pcre2_code_free(entry->exclude[k].code);
        memory_free(entry->exclude);
    }
    memory_free(matchers->entries);
    pcre2_match_context_free(matchers->limits);
    memory_free(matchers);
}

static bool matches(const struct matchers *matchers, const struct matcher *matcher,
                    const char *name)
{
    if (matcher->code == NULL)
        return strcmp(matcher->text, name) == 0;
    /* Match data of its own: workers ask about names as well, each now and then. */
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    bool matched =
        match != NULL && pcre2_match(matcher->code, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0,
                                     0, match, matchers->limits) >= 0;
    pcre2_match_data_free(match);
    return matched;
}

static bool is_excluded(const struct matchers *matchers, const struct entry *entry,
                        const char *name)
{
    for (uint32_t i = 0; i < entry->exclude_count; i++)
        if (matches(matchers, &entry->exclude[i], name))
            return true;
    return false;
}

bool matchers_find(const struct matchers *matchers, enum source_role role, const char *name,
                   uint32_t *ret_index)
{
    bool named = false;
    for (uint32_t i = 0; i < matchers->count; i++) {
        const struct matcher *pattern = &matchers->entries[i].pattern;
        if (pattern->text == NULL || pattern->code != NULL || strcmp(pattern->text, name) != 0)
            continue;
        named = true;
        if (matchers->topics[i].role == role) {
            *ret_index = i;
            return true;
        }
    }
    if (named || strncmp(name, "__", 2) == 0)
        return false;
    for (uint32_t i = 0; i < matchers->count; i++) {
        const struct entry *entry = &matchers->entries[i];
        if (entry->pattern.code != NULL && matchers->topics[i].role == role &&
            matches(matchers, &entry->pattern, name) && !is_excluded(matchers, entry, name)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

struct topic *topics_find(const struct reader *reader, const char *name)
{
    for (uint32_t i = 0; i < reader->topic_count; i++)
        if (strcmp(reader->topics[i]->name, name) == 0)
            return reader->topics[i];
    return NULL;
}

struct lane *topics_lane(const struct reader *reader,
                         const rd_kafka_topic_partition_t *partition)
{
    struct topic *topic = topics_find(reader, partition->topic);
    if (topic == NULL || partition->partition < 0)
        return NULL;
    return slots_get(&topic->lanes, (uint32_t)partition->partition);
}

static void free_topic(struct topic *topic)
{
    if (topic->handle != NULL)
        rd_kafka_topic_destroy(topic->handle);
    slots_clear(&topic->lanes);
    memory_free(topic->name);
    memory_free(topic);
}

static enum sb_err make_topic(struct reader *reader, uint32_t index, const char *name,
                              struct topic **ret)
{
    struct topic *topic = memory_zalloc(1, sizeof(*topic));
    if (topic == NULL)
        return SB_ERR_MEMORY;
    topic->reader = reader;
    topic->index = index;
    topic->present = true;
    slots_init(&topic->lanes);
    atomic_init(&topic->troubled, false);
    topic->name = memory_copy_text(name);
    if (topic->name == NULL) {
        free_topic(topic);
        return SB_ERR_MEMORY;
    }
    /* A copy of the handle's own defaults: a fresh one would lose the user's topic properties. */
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(reader->rk);
    rd_kafka_topic_conf_set_opaque(conf, topic);
    topic->handle = rd_kafka_topic_new(reader->rk, name, conf); /* takes conf */
    if (topic->handle == NULL || rd_kafka_topic_opaque(topic->handle) != topic) {
        free_topic(topic);
        return SB_ERR_INTERNAL;
    }
    *ret = topic;
    return SB_OK;
}

enum sb_err topics_add(struct reader *reader, uint32_t index, const char *name,
                       struct topic **ret)
{
    if (reader->topic_count == reader->topic_room) {
        uint32_t room = reader->topic_room == 0 ? FIRST_ROOM : reader->topic_room * 2;
        struct topic **topics = memory_realloc(reader->topics, room, sizeof(struct topic *));
        if (topics == NULL)
            return SB_ERR_MEMORY;
        reader->topics = topics;
        reader->topic_room = room;
    }
    struct topic *topic;
    enum sb_err err = make_topic(reader, index, name, &topic);
    if (err != SB_OK)
        return err;
    reader->topics[reader->topic_count++] = topic;
    *ret = topic;
    return SB_OK;
}

void topics_clear(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        if (reader->lanes[i]->queue != NULL)
            rd_kafka_queue_destroy(reader->lanes[i]->queue);
        memory_free(reader->lanes[i]);
    }
    memory_free(reader->lanes);
    reader->lanes = NULL;
    reader->lane_count = reader->lane_room = 0;
    for (uint32_t i = 0; i < reader->topic_count; i++)
        free_topic(reader->topics[i]);
    memory_free(reader->topics);
    reader->topics = NULL;
    reader->topic_count = reader->topic_room = 0;
}
