/* kafka: the life of the three handles, and what the control thread does in each turn. */
#include "source_kafka/kafka.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "commit.h"
#include "core/memory.h"
#include "dead_letter.h"
#include "drain.h"
#include "lanes.h"
#include "offsets.h"
#include "peek.h"
#include "properties.h"
#include "rebalance.h"
#include "scout.h"
#include "share.h"
#include "state.h"
#include "tap.h"
#include "topics.h"
#include "trouble.h"

enum {
    ERROR_TEXT_LEN = 512,
    CLOSE_WAIT_MS = 10000,
    LETTERS_WAIT_MS = 5000,
    COMMIT_WAIT_MS = 5000,
    CLOSE_NAP_MS = 20,
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

/* A handle of the library, made of the options; its events make the event fd readable. */
static enum sb_err make_handle(struct source_kafka *source, enum properties_for handle,
                               rd_kafka_t **ret)
{
    rd_kafka_conf_t *conf;
    enum sb_err err = properties_build(&source->options, handle, &conf);
    if (err != SB_OK)
        return err;
    rd_kafka_conf_set_opaque(conf, source);
    rd_kafka_conf_set_error_cb(conf, trouble_on_error);
    rd_kafka_conf_set_log_cb(conf, trouble_on_log);
    if (handle == PROPERTIES_GROUP)
        rd_kafka_conf_set_rebalance_cb(conf, rebalance_on_event);
    if (handle == PROPERTIES_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, dead_letter_on_report);
    char text[ERROR_TEXT_LEN];
    rd_kafka_t *rk =
        rd_kafka_new(handle == PROPERTIES_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER,
                     conf, text, sizeof(text));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        log_event(source->options.log, LOG_ERROR, "source", "kafka_configuration_refused",
                  LOG_TEXT("reason", text));
        return SB_ERR_CONFIG;
    }
    *ret = rk;
    return SB_OK;
}

static void watch(struct source_kafka *source, rd_kafka_queue_t *queue)
{
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, source->event_fd, &one, sizeof(one));
}

static enum sb_err add_named_topics(struct reader *reader)
{
    const struct source_kafka_options *options = &reader->source->options;
    for (uint32_t i = 0; i < options->topic_count; i++) {
        const struct source_topic *configured = &options->topics[i];
        if (!topics_is_read(configured, reader->role) ||
            topics_is_pattern(configured->pattern) ||
            topics_find(reader, configured->pattern) != NULL)
            continue;
        struct topic *topic;
        enum sb_err err = topics_add(reader, i, configured->pattern, &topic);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

static enum sb_err make_reader(struct source_kafka *source, enum source_role role)
{
    struct reader *reader = source_reader(source, role);
    reader->source = source;
    reader->role = role;
    bool wanted = false;
    for (uint32_t i = 0; i < source->options.topic_count; i++)
        wanted = wanted || topics_is_read(&source->options.topics[i], role);
    if (!wanted)
        return SB_OK;
    enum sb_err err = make_handle(
        source, role == SOURCE_SPANS ? PROPERTIES_GROUP : PROPERTIES_TAP, &reader->rk);
    if (err != SB_OK)
        return err;
    if (rd_kafka_poll_set_consumer(reader->rk) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return SB_ERR_INTERNAL;
    reader->events = rd_kafka_queue_get_consumer(reader->rk);
    reader->answers = rd_kafka_queue_new(reader->rk);
    watch(source, reader->events);
    watch(source, reader->answers);
    for (uint32_t i = 0; i < source->options.workers; i++) {
        struct worker *worker = &source->workers[i];
        worker->queues[role] = rd_kafka_queue_new(reader->rk);
        if (worker->idle == NULL) {
            worker->idle = rd_kafka_queue_new(reader->rk);
            worker->idle_of = reader;
        }
    }
    return add_named_topics(reader);
}

static enum sb_err make_producer(struct source_kafka *source)
{
    if (source->options.looks_only || !dead_letter_is_wanted(&source->options))
        return SB_OK;
    enum sb_err err = make_handle(source, PROPERTIES_PRODUCER, &source->producer);
    if (err != SB_OK)
        return err;
    source->producer_events = rd_kafka_queue_get_main(source->producer);
    watch(source, source->producer_events);
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
    for (uint32_t i = 0; i < options->workers; i++)
        slots_init(&source->workers[i].lanes);
    enum sb_err err = troubles_new(&source->troubles);
    if (err == SB_OK)
        err = commits_new(source, &source->commits);
    if (err == SB_OK)
        err = tap_new(options, &source->tap);
    if (err == SB_OK)
        err = matchers_new(options, &source->matchers);
    if (err == SB_OK)
        err = make_reader(source, SOURCE_SPANS);
    if (err == SB_OK)
        err = make_reader(source, SOURCE_MESSAGES);
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
    if (source->scout != NULL && trouble_is_active(source, TROUBLE_CLUSTER))
        scout_set_interval(source->scout, UNEASY_INTERVAL_MS);
}

void source_kafka_stop_intake(struct source_kafka *source)
{
    atomic_store(&source->intake_stopped, true);
    for (uint32_t i = 0; i < source->options.workers; i++)
        source_kafka_wake(source, i);
}

/* Leaves the group.  A broker that does not answer is not waited for much longer. */
static void close_consumer(const struct reader *reader)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(reader->rk, queue);
    bool closing = error == NULL;
    rd_kafka_error_destroy(error);
    const struct clock_source *clock = clock_system();
    uint64_t until_ns = clock_monotonic_ns(clock) + CLOSE_WAIT_MS * NS_PER_MS;
    while (closing && !rd_kafka_consumer_closed(reader->rk) &&
           clock_monotonic_ns(clock) < until_ns)
        rd_kafka_queue_poll_callback(queue, CLOSE_NAP_MS);
    rd_kafka_queue_destroy(queue);
}

/* Messages and queues first: each holds on to the handle. */
static void empty_queue(rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *message;
    while (queue != NULL && rd_kafka_consume_batch_queue(queue, 0, &message, 1) == 1)
        rd_kafka_message_destroy(message);
}

static void free_reader(struct source_kafka *source, struct reader *reader)
{
    if (reader->rk == NULL)
        return;
    close_consumer(reader);
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (lane->queue != NULL)
            rd_kafka_queue_forward(lane->queue, NULL);
    }
    for (uint32_t i = 0; i < source->options.workers; i++) {
        struct worker *worker = &source->workers[i];
        empty_queue(worker->queues[reader->role]);
        if (worker->queues[reader->role] != NULL)
            rd_kafka_queue_destroy(worker->queues[reader->role]);
        if (worker->idle != NULL && worker->idle_of == reader) {
            rd_kafka_queue_destroy(worker->idle);
            worker->idle = NULL;
        }
    }
    topics_clear(reader);
    rd_kafka_queue_t *queues[] = {reader->events, reader->answers};
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        if (queues[i] == NULL)
            continue;
        rd_kafka_queue_io_event_enable(queues[i], -1, NULL, 0);
        rd_kafka_queue_destroy(queues[i]);
    }
    rd_kafka_destroy_flags(reader->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

char *source_kafka_cluster_id(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    if (reader->rk == NULL)
        reader = source_reader(source, SOURCE_MESSAGES);
    char *id = reader->rk == NULL ? NULL : rd_kafka_clusterid(reader->rk, 0);
    char *copy = memory_copy_text(id);
    if (id != NULL)
        rd_kafka_mem_free(reader->rk, id);
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
    free_reader(source, source_reader(source, SOURCE_MESSAGES));
    free_reader(source, source_reader(source, SOURCE_SPANS));
    drop_notes(source);
    mailbox_clear(&source->notes);
    for (uint32_t i = 0; source->workers != NULL && i < source->options.workers; i++)
        slots_clear(&source->workers[i].lanes);
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
