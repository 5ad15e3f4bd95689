#include "fake_source.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/memory.h"
#include "support/test.h"

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

void fake_source_forget(struct fake_source *source, uint32_t worker)
{
    clear_queue(&source->spans[worker]);
}

void fake_source_clear(struct fake_source *source)
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
    sources_free(source->sources, false);
    close(source->event_fd);
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

struct fake_record *fake_source_push(struct fake_source *source, uint32_t worker, bool tap,
                                     const struct record *record)
{
    struct fake_queue *queue = tap ? &source->taps[worker] : &source->spans[worker];
    struct fake_record *pushed = calloc(1, sizeof(*pushed));
    assert_non_null(pushed);
    pushed->source = source;
    pushed->record = *record;
    pushed->value = copy(record->value);
    pushed->record.value.at = pushed->value;
    pushed->record.source = &source->base;
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

static size_t poll_queue(struct fake_source *source, struct fake_queue *queue,
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

static struct fake_source *fake_of(struct source *source)
{
    return (struct fake_source *)source;
}

static const struct fake_source *fake_of_const(const struct source *source)
{
    return (const struct fake_source *)source;
}

static size_t poll_spans(struct source *base, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max)
{
    struct fake_source *source = fake_of(base);
    (void)wait_ms; /* time stands still: nothing can come while it waits */
    return poll_queue(source, &source->spans[worker], ret, max);
}

static size_t poll_taps(struct source *base, uint32_t worker, struct record *ret, size_t max)
{
    struct fake_source *source = fake_of(base);
    return poll_queue(source, &source->taps[worker], ret, max);
}

static void release_record(struct record *record)
{
    struct fake_record *fake = record->handle;
    fake->source->polled--;
    free_record(fake);
    record->handle = NULL;
}

static size_t read_headers(const struct record *record, struct record_header *ret, size_t max)
{
    const struct fake_record *fake = record->handle;
    for (size_t i = 0; i < fake->header_count && i < max; i++) {
        ret[i].name = bytes_text(fake->headers[i].name);
        ret[i].value = bytes_text(fake->headers[i].value);
    }
    return fake->header_count;
}

static void wake(struct source *source, uint32_t worker)
{
    atomic_fetch_add(&fake_of(source)->wakes[worker], 1);
}

static void publish(struct source *base, uint32_t worker, uint32_t lane, int64_t offset)
{
    struct fake_source *source = fake_of(base);
    assert_true(worker < FAKE_WORKERS && lane < FAKE_LANES);
    assert_true(offset > source->published[worker][lane]);
    source->published[worker][lane] = offset;
}

static uint64_t tap_time_ns(const struct source *source, uint32_t topic)
{
    return fake_of_const(source)->tap_time_ns[topic];
}

static enum source_share share(const struct source *source)
{
    return fake_of_const(source)->share;
}

static char *cluster_id(struct source *source)
{
    return memory_copy_text(fake_of(source)->cluster_id);
}

static bool find_topic(const struct source *base, enum source_role role, const char *name,
                       uint32_t *ret_index)
{
    const struct fake_source *source = fake_of_const(base);
    ((struct fake_source *)(uintptr_t)source)->lookups++;
    for (uint32_t i = 0; i < FAKE_TOPICS; i++) {
        if (source->topic_names[i] == NULL || source->topic_roles[i] != role ||
            strcmp(source->topic_names[i], name) != 0)
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

static void keep_letter(struct fake_source *source, const struct source_dead_letter *sent)
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

static enum sb_err take_letter(struct fake_source *source,
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

static enum sb_err dead_letter(struct source *base, const struct source_dead_letter *letter)
{
    struct fake_source *source = fake_of(base);
    pthread_mutex_lock(&source->lock);
    enum sb_err err = take_letter(source, letter);
    pthread_mutex_unlock(&source->lock);
    return err;
}

static int event_fd(const struct source *source)
{
    return fake_of_const(source)->event_fd;
}

static bool has_all(const struct source *source, uint32_t topic)
{
    (void)source;
    (void)topic;
    return true;
}

static void free_nothing(struct source *source, bool commit)
{
    (void)source;
    (void)commit;
}

static const struct source_ops fake_ops = {
    .event_fd = event_fd,
    .poll = poll_spans,
    .poll_taps = poll_taps,
    .wake = wake,
    .release = release_record,
    .headers = read_headers,
    .publish = publish,
    .reads = has_all,
    .takes_letters = has_all,
    .find_topic = find_topic,
    .dead_letter = dead_letter,
    .tap_time_ns = tap_time_ns,
    .cluster_id = cluster_id,
    .share = share,
    .free = free_nothing,
};

void fake_source_init(struct fake_source *source)
{
    memset(source, 0, sizeof(*source));
    assert_int_equal(pthread_mutex_init(&source->lock, NULL), 0);
    for (int i = 0; i < FAKE_WORKERS; i++)
        for (int j = 0; j < FAKE_LANES; j++)
            source->published[i][j] = -1;
    for (int i = 0; i < FAKE_TOPICS; i++)
        source->tap_time_ns[i] = UINT64_MAX;
    source->base.ops = &fake_ops;
    source->event_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(source->event_fd >= 0);
    assert_int_equal(sources_new(FAKE_WORKERS, FAKE_TOPICS, &source->sources), SB_OK);
    assert_int_equal(sources_add(source->sources, &source->base), SB_OK);
}

const char *fake_letter_header(const struct fake_letter *letter, const char *name)
{
    for (uint32_t i = 0; i < letter->header_count; i++)
        if (strcmp(letter->headers[i].name, name) == 0)
            return letter->headers[i].value;
    return NULL;
}
