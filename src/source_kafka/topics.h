/*
 * topics: which of the configured topics a real topic belongs to, and the real topics of a
 * reader.
 *
 * A pattern that starts with ^ is a regular expression (PCRE2), anchored there only; any other
 * is a name.  A name wins over patterns, and a topic that any entry names is not taken by the
 * patterns of others.  Names that start with two underscores are the broker's own: no pattern
 * takes them.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_TOPICS_H
#define SB_SOURCE_KAFKA_TOPICS_H

#include "state.h"

/* SB_ERR_CONFIG: a pattern is malformed (logged); SB_ERR_MEMORY. */
enum sb_err matchers_new(const struct source_kafka_options *options,
                         struct matchers **ret) SB_MUST_USE;
void matchers_free(struct matchers *matchers);

/* Is it a topic of Kafka, of that role? */
static inline bool topics_is_read(const struct source_topic *topic, enum source_role role)
{
    return topic->kind == SOURCE_KAFKA && topic->role == role;
}

static inline bool topics_is_pattern(const char *pattern)
{
    return pattern[0] == '^';
}

/* Any thread: the index of the options' topic of that role which `name` belongs to; false: none. */
bool matchers_find(const struct matchers *matchers, enum source_role role, const char *name,
                   uint32_t *ret_index);

/* The reader's topic of that name, or NULL. */
struct topic *topics_find(const struct reader *reader, const char *name);

/* The lane of a list's element, or NULL: none of ours, or never assigned. */
struct lane *topics_lane(const struct reader *reader,
                         const rd_kafka_topic_partition_t *partition);

/*
 * Adds a topic that matchers_find placed.  It must come before anything else makes the library
 * know the topic, or its messages could not be told apart.  SB_ERR_MEMORY, SB_ERR_INTERNAL.
 */
enum sb_err topics_add(struct reader *reader, uint32_t index, const char *name,
                       struct topic **ret) SB_MUST_USE;

/* Frees all topics and lanes of a reader; no worker may poll any more. */
void topics_clear(struct reader *reader);

#endif
