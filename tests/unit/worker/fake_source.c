#include "fake_source.h"

#include <stdlib.h>

#include "core/memory.h"
#include "support/test.h"

void fake_source_init(struct source_kafka *source)
{
    memset(source, 0, sizeof(*source));
    assert_int_equal(pthread_mutex_init(&source->lock, NULL), 0);
    for (int i = 0; i < FAKE_WORKERS; i++)
        for (int j = 0; j < FAKE_LANES; j++)
            source->published[i][j] = -1;
    for (int i = 0; i < FAKE_TOPICS; i++)
        source->tap_time_ns[i] = UINT64_MAX;
}

static void free_headers(struct fake_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(headers[i].name);
        free(headers[i].value);
    }
}

static void free_record(struct fake_record *record)
{
    free_headers(record->headers, record->header_count);
    free(record->value);
    free(record);
}

static void clear_queue(struct fake_queue *queue)
{
    while (queue->first != NULL) {
        queue->first->source->queued--;
        struct fake_record *next = queue->first->next;
        free_record(queue->first);
        queue->first = next;
    }
}

void fake_source_forget(struct source_kafka *source, uint32_t worker)
{
    clear_queue(&source->spans[worker]);
}

void fake_source_clear(struct source_kafka *source)
{
    for (int i = 0; i < FAKE_WORKERS; i++) {
        clear_queue(&source->spans[i]);
        clear_queue(&source->taps[i]);
    }
    while (source->letters != NULL) {
        struct fake_letter *next = source->letters->next;
        free_headers(source->letters->headers, source->letters->header_count);
        free(source->letters->value);
        free(source->letters);
        source->letters = next;
    }
    pthread_mutex_destroy(&source->lock);
}

static uint8_t *copy(struct bytes in)
{
    uint8_t *out = malloc(in.len + 1);
    assert_non_null(out);
    if (in.len > 0)
        memcpy(out, in.at, in.len);
    out[in.len] = '\0';
    return out;
}

struct fake_record *fake_source_push(struct source_kafka *source, uint32_t worker, bool tap,
                                     const struct record *record)
{
    struct fake_queue *queue = tap ? &source->taps[worker] : &source->spans[worker];
    struct fake_record *pushed = calloc(1, sizeof(*pushed));
    assert_non_null(pushed);
    pushed->source = source;
    pushed->record = *record;
    pushed->value = copy(record->value);
    pushed->record.value.at = pushed->value;
    pushed->record.handle = pushed;
    if (queue->first == NULL)
        queue->first = pushed;
    else
        queue->last->next = pushed;
    queue->last = pushed;
    source->queued++;
    return pushed;
}

void fake_source_add_header(struct fake_record *record, const char *name, const char *value)
{
    assert_true(record->header_count < FAKE_HEADERS);
    record->headers[record->header_count++] = (struct fake_header){
        .name = (char *)copy(bytes_text(name)), .value = (char *)copy(bytes_text(value))};
}

static size_t poll_queue(struct source_kafka *source, struct fake_queue *queue,
                         struct record *ret, size_t max)
{
    size_t count = 0;
    while (count < max && queue->first != NULL) {
        ret[count++] = queue->first->record;
        queue->first = queue->first->next;
        source->polled++;
        source->queued--;
    }
    return count;
}

size_t source_kafka_poll(struct source_kafka *source, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max)
{
    (void)wait_ms; /* time stands still: nothing can come while it waits */
    return poll_queue(source, &source->spans[worker], ret, max);
}

size_t source_kafka_poll_taps(struct source_kafka *source, uint32_t worker, struct record *ret,
                              size_t max)
{
    return poll_queue(source, &source->taps[worker], ret, max);
}

void source_record_release(struct record *record)
{
    struct fake_record *fake = record->handle;
    fake->source->polled--;
    free_record(fake);
    record->handle = NULL;
}

size_t source_record_headers(const struct record *record, struct record_header *ret, size_t max)
{
    const struct fake_record *fake = record->handle;
    for (size_t i = 0; i < fake->header_count && i < max; i++) {
        ret[i].name = bytes_text(fake->headers[i].name);
        ret[i].value = bytes_text(fake->headers[i].value);
    }
    return fake->header_count;
}

void source_kafka_wake(struct source_kafka *source, uint32_t worker)
{
    atomic_fetch_add(&source->wakes[worker], 1);
}

void source_kafka_publish(struct source_kafka *source, uint32_t worker, uint32_t lane,
                          int64_t offset)
{
    assert_true(worker < FAKE_WORKERS && lane < FAKE_LANES);
    assert_true(offset > source->published[worker][lane]);
    source->published[worker][lane] = offset;
}

uint64_t source_kafka_tap_time_ns(const struct source_kafka *source, uint32_t topic)
{
    return source->tap_time_ns[topic];
}

char *source_kafka_cluster_id(struct source_kafka *source)
{
    return memory_copy_text(source->cluster_id);
}

bool source_kafka_find_topic(const struct source_kafka *source, enum source_role role,
                             const char *name, uint32_t *ret_index)
{
    ((struct source_kafka *)(uintptr_t)source)->lookups++;
    for (uint32_t i = 0; i < FAKE_TOPICS; i++) {
        if (source->topic_names[i] == NULL || source->topic_roles[i] != role ||
            strcmp(source->topic_names[i], name) != 0)
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

static void keep_letter(struct source_kafka *source, const struct source_dead_letter *sent)
{
    struct fake_letter *letter = calloc(1, sizeof(*letter));
    assert_non_null(letter);
    letter->topic = sent->topic;
    letter->value = copy(sent->value);
    letter->value_len = sent->value.len;
    letter->ticket = sent->ticket;
    for (uint32_t i = 0; i < sent->header_count; i++)
        letter->headers[letter->header_count++] =
            (struct fake_header){.name = (char *)copy(sent->headers[i].name),
                                 .value = (char *)copy(sent->headers[i].value)};
    if (source->letters == NULL)
        source->letters = letter;
    else
        source->last_letter->next = letter;
    source->last_letter = letter;
    source->letter_count++;
}

static enum sb_err take_letter(struct source_kafka *source,
                               const struct source_dead_letter *letter)
{
    if (source->letters_full > 0) {
        source->letters_full--;
        return SB_ERR_FULL;
    }
    if (source->letter_error != SB_OK)
        return source->letter_error;
    keep_letter(source, letter);
    return SB_OK;
}

enum sb_err source_kafka_dead_letter(struct source_kafka *source,
                                     const struct source_dead_letter *letter)
{
    pthread_mutex_lock(&source->lock);
    enum sb_err err = take_letter(source, letter);
    pthread_mutex_unlock(&source->lock);
    return err;
}

const char *fake_letter_header(const struct fake_letter *letter, const char *name)
{
    for (uint32_t i = 0; i < letter->header_count; i++)
        if (strcmp(letter->headers[i].name, name) == 0)
            return letter->headers[i].value;
    return NULL;
}
