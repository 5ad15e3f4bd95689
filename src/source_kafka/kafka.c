/* kafka: the life of the three handles, and what the control thread does in each turn. */
#include "source_kafka/kafka.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "claim.h"
#include "commit.h"
#include "core/memory.h"
#include "dead_letter.h"
#include "drain.h"
#include "lanes.h"
#include "offsets.h"
#include "peek.h"
#include "reader.h"
#include "rebalance.h"
#include "scout.h"
#include "share.h"
#include "state.h"
#include "tap.h"
#include "topics.h"
#include "trouble.h"

enum {
    LETTERS_WAIT_MS = 5000,
    COMMIT_WAIT_MS = 5000,
    UNEASY_INTERVAL_MS = 1000,
};

/* Any thread: makes the event fd readable. */
static void notify(struct source_kafka *source)
{
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = write(source->event_fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    /* EAGAIN: it is as readable as can be. */
}

struct note *source_note_new(enum note_kind kind, struct lane *lane)
{
    struct note *note = memory_zalloc(1, sizeof(*note));
    if (note == NULL)
        return NULL;
    note->kind = kind;
    note->lane = lane;
    return note;
}

void source_note_drop(struct note *note)
{
    scout_report_free(note->report);
    memory_free(note);
}

void source_note_post(struct source_kafka *source, struct note *note)
{
    if (mailbox_post(&source->notes, &note->item))
        notify(source);
}

static void drop_notes(struct source_kafka *source)
{
    struct mailbox_item *item = mailbox_take_all(&source->notes);
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        source_note_drop((struct note *)item);
        item = next;
    }
}

static enum sb_err make_producer(struct source_kafka *source)
{
    if (source->options.looks_only || !dead_letter_is_wanted(&source->options))
        return SB_OK;
    enum sb_err err = reader_make_handle(source, PROPERTIES_PRODUCER, &source->producer);
    if (err != SB_OK)
        return err;
    source->producer_events = rd_kafka_queue_get_main(source->producer);
    reader_watch(source, source->producer_events);
    return SB_OK;
}

static enum sb_err make_parts(struct source_kafka *source)
{
    const struct source_kafka_options *options = &source->options;
    source->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (source->event_fd < 0)
        return SB_ERR_IO;
    source->tap_times_ns = memory_zalloc(options->topic_count, sizeof(*source->tap_times_ns));
    source->workers = memory_zalloc(options->workers, sizeof(*source->workers));
    if (source->tap_times_ns == NULL || source->workers == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < options->workers; i++) {
        slots_init(&source->workers[i].lanes);
        source->workers[i].idle_fd = -1;
    }
    for (uint32_t i = 0; i < options->workers; i++) {
        source->workers[i].idle_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (source->workers[i].idle_fd < 0)
            return SB_ERR_IO;
    }
    enum sb_err err = troubles_new(&source->troubles);
    if (err == SB_OK)
        err = commits_new(source, &source->commits);
    if (err == SB_OK)
        err = tap_new(options, &source->tap);
    if (err == SB_OK)
        err = matchers_new(options, &source->matchers);
    if (err == SB_OK)
        err = reader_make(source, SOURCE_SPANS);
    if (err == SB_OK)
        err = reader_make(source, SOURCE_MESSAGES);
    if (err == SB_OK)
        err = make_producer(source);
    return err;
}

enum sb_err source_kafka_new(const struct source_kafka_options *options, struct source **ret)
{
    SB_ASSERT(options->workers > 0 && options->topic_count > 0 && options->numbers != NULL);
    struct source_kafka *source = memory_zalloc(1, sizeof(*source));
    if (source == NULL)
        return SB_ERR_MEMORY;
    source->base.ops = &kafka_ops;
    source->options = *options;
    source->event_fd = -1;
    source->committing = true;
    mailbox_init(&source->notes);
    pthread_mutex_init(&source->handles, NULL);
    enum sb_err err = make_parts(source);
    if (err != SB_OK) {
        source_kafka_free(source, false);
        return err;
    }
    tap_service(source); /* the clocks of topics without taps */
    drain_refresh(source);
    share_refresh(source);
    *ret = &source->base;
    return SB_OK;
}

enum sb_err source_kafka_start(struct source_kafka *source)
{
    SB_ASSERT(!source->started);
    enum sb_err err = scout_start(source, &source->scout);
    if (err != SB_OK)
        return err;
    source->started = true;
    /* Patterns alone wait for the first look. */
    if (source_reader(source, SOURCE_SPANS)->topic_count > 0)
        rebalance_subscribe(source);
    return SB_OK;
}

int source_kafka_event_fd(const struct source_kafka *source)
{
    return source->event_fd;
}

/* Rebalances and errors are callbacks in here; what comes out belongs to no worker. */
static void serve_reader(struct source_kafka *source, struct reader *reader)
{
    rd_kafka_message_t *message;
    while (reader->rk != NULL && (message = rd_kafka_consumer_poll(reader->rk, 0)) != NULL) {
        struct lane *lane = lanes_of_message(message);
        rd_kafka_resp_err_t err = message->err;
        bool of_topic = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                        err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        if (lane != NULL && err != RD_KAFKA_RESP_ERR_NO_ERROR)
            trouble_of_lane(source, lane, err, rd_kafka_message_errstr(message));
        else if (err != RD_KAFKA_RESP_ERR_NO_ERROR && !of_topic) /* the scout tells of topics */
            trouble_of_handle(source, reader->rk, err, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
}

static void take_note(struct source_kafka *source, struct note *note)
{
    switch (note->kind) {
    case NOTE_TROUBLE:
        trouble_of_lane(source, note->lane, note->err, note->text);
        break;
    case NOTE_RECOVERED:
        trouble_clear(source, note->lane->topic->name);
        break;
    case NOTE_REWOUND:
        rebalance_reopen(source, note->lane, note->offset);
        break;
    case NOTE_GAP:
        source->options.events.on_gap(source->options.events.arg, note->text);
        break;
    case NOTE_SCOUT:
        if (source->scout != NULL)
            scout_apply(source, note->report);
        break;
    }
}

static void take_notes(struct source_kafka *source)
{
    struct mailbox_item *item = mailbox_take_all(&source->notes);
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        take_note(source, (struct note *)item);
        source_note_drop((struct note *)item);
        item = next;
    }
}

void source_kafka_service(struct source_kafka *source)
{
    uint64_t events;
    ssize_t got = read(source->event_fd, &events, sizeof(events));
    (void)got; /* EAGAIN: called by the timer */
    struct reader *spans = source_reader(source, SOURCE_SPANS);
    struct reader *messages = source_reader(source, SOURCE_MESSAGES);
    serve_reader(source, spans);
    serve_reader(source, messages);
    if (source->producer != NULL)
        rd_kafka_poll(source->producer, 0);
    take_notes(source);
    offsets_take_answers(source, spans, 0);
    offsets_take_answers(source, messages, 0);
    peek_service(source);
    offsets_ask_ends(spans);
    tap_service(source);
    drain_refresh(source);
    share_refresh(source);
    commit_when_due(source);
    claim_service(source);
    if (source->scout != NULL && trouble_is_active(source, TROUBLE_CLUSTER))
        scout_set_interval(source->scout, UNEASY_INTERVAL_MS);
}

void source_kafka_stop_intake(struct source_kafka *source)
{
    atomic_store(&source->intake_stopped, true);
    for (uint32_t i = 0; i < source->options.workers; i++)
        source_kafka_wake(source, i);
}

char *source_kafka_cluster_id(struct source_kafka *source)
{
    pthread_mutex_lock(&source->handles); /* a worker asks */
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    if (reader->rk == NULL)
        reader = source_reader(source, SOURCE_MESSAGES);
    char *id = reader->rk == NULL ? NULL : rd_kafka_clusterid(reader->rk, 0);
    char *copy = memory_copy_text(id);
    if (id != NULL)
        rd_kafka_mem_free(reader->rk, id);
    pthread_mutex_unlock(&source->handles);
    return copy;
}

static void free_producer(struct source_kafka *source)
{
    if (source->producer == NULL)
        return;
    dead_letter_finish(source, LETTERS_WAIT_MS);
    if (source->producer_events != NULL) {
        rd_kafka_queue_io_event_enable(source->producer_events, -1, NULL, 0);
        rd_kafka_queue_destroy(source->producer_events);
    }
    rd_kafka_destroy(source->producer);
}

void source_kafka_free(struct source_kafka *source, bool commit)
{
    if (source == NULL)
        return;
    source->leaving = true;
    source->committing = commit;
    atomic_store(&source->intake_stopped, true);
    scout_stop(source->scout);
    source->scout = NULL;
    if (commit && source->started && source_reader(source, SOURCE_SPANS)->rk != NULL)
        (void)commit_now(source, LANE_OPEN, COMMIT_WAIT_MS);
    free_producer(source);
    reader_clear(source_reader(source, SOURCE_MESSAGES));
    reader_clear(source_reader(source, SOURCE_SPANS));
    drop_notes(source);
    mailbox_clear(&source->notes);
    for (uint32_t i = 0; source->workers != NULL && i < source->options.workers; i++) {
        slots_clear(&source->workers[i].lanes);
        if (source->workers[i].idle_fd >= 0)
            close(source->workers[i].idle_fd);
    }
    pthread_mutex_destroy(&source->handles);
    memory_free(source->workers);
    matchers_free(source->matchers);
    tap_free(source->tap);
    commits_free(source->commits);
    troubles_free(source->troubles);
    memory_free(source->closing);
    memory_free(source->tap_times_ns);
    if (source->event_fd >= 0)
        close(source->event_fd);
    memory_free(source);
}
