#include "poster.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/memory.h"
#include "letters.h"

enum {
    CHANNEL = 1,
    UNDER_WAY_MAX = 256,
    LETTERS_MAX = 4096,
    FAILURES_MAX = 10, /* about three minutes of waits */
    WAIT_MS = 1000,
    NUMBER_LEN = 24,
    PATIENCE_S = 8
};
#define LETTER_BYTES_MAX (UINT64_C(64) << 20)
#define GOOD_BYE_NS      (2 * NS_PER_S)
#define END_WAIT_NS      (5 * NS_PER_S) /* for confirms, at the end */

struct poster {
    struct source_rabbitmq *source;
    struct source_rabbitmq_broker broker;
    struct amqp_link *link;
    pthread_t thread;
    bool started;
    int wake_fd;
    struct mailbox inbox;
    struct mailbox done;
    _Atomic uint32_t letters; /* taken, and not told yet */
    _Atomic uint64_t bytes;
    _Atomic bool ending;
    pthread_mutex_t lock; /* of the two below */
    char trouble[FEED_TEXT_LEN];
    bool trouble_changed;
    /* The thread's. */
    struct letter_list waiting;
    struct letter_list under_way;
    uint64_t number; /* of the last letter published on this channel */
    bool channel_open;
    bool returning; /* the header of a returned letter is next */
    struct retry retry;
    uint32_t failures; /* in a row */
    uint64_t retry_at_ns;
};

static uint64_t now_of(const struct poster *poster)
{
    return rabbitmq_now_ns(poster->source);
}

static void set_trouble(struct poster *poster, const char *text)
{
    (void)pthread_mutex_lock(&poster->lock);
    if (strcmp(poster->trouble, text) != 0) {
        (void)snprintf(poster->trouble, sizeof(poster->trouble), "%s", text);
        poster->trouble_changed = true;
    }
    (void)pthread_mutex_unlock(&poster->lock);
    rabbitmq_notify(poster->source);
}

static void wake(struct poster *poster)
{
    const uint64_t one = 1;
    (void)!write(poster->wake_fd, &one, sizeof(one));
}

static void give_result(struct poster *poster, struct letter *letter, enum sb_err result)
{
    letter->result = result;
    letter->item.next = NULL;
    mailbox_post(&poster->done, &letter->item);
    rabbitmq_notify(poster->source);
}

/* Nothing is sent for a while. */
static void pause_posting(struct poster *poster, const char *why)
{
    poster->retry_at_ns = now_of(poster) + retry_wait_ns(&poster->retry, ++poster->failures);
    set_trouble(poster, why);
}

/* The broker did not take a letter: it waits for another try, if it has one left. */
static void fail_letter(struct poster *poster, struct letter *letter, const char *why)
{
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "dead letters to exchange \"%.*s\": %s",
                   (int)letter->message.exchange.len, (const char *)letter->message.exchange.at,
                   why);
    pause_posting(poster, text);
    letter->number = 0;
    letter->returned = false;
    if (++letter->failures >= FAILURES_MAX)
        give_result(poster, letter, SB_ERR_UNAVAILABLE);
    else
        letters_append(&poster->waiting, letter);
}

static void lose_channel(struct poster *poster)
{
    poster->channel_open = false;
    poster->returning = false;
    letters_put_back(&poster->waiting, &poster->under_way);
}

static void lose_link(struct poster *poster)
{
    char why[FEED_TEXT_LEN];
    (void)snprintf(why, sizeof(why), "dead letters wait: %s", amqp_link_why(poster->link));
    lose_channel(poster);
    amqp_link_close(poster->link, GOOD_BYE_NS);
    pause_posting(poster, why);
}

/* True when there is a channel to publish on. */
static bool connect_poster(struct poster *poster)
{
    if (poster->channel_open)
        return true;
    if (poster->waiting.first == NULL || now_of(poster) < poster->retry_at_ns)
        return false;
    enum sb_err err = amqp_link_is_open(poster->link) ? SB_OK : amqp_link_open(poster->link);
    if (err == SB_OK)
        err = amqp_link_open_channel(poster->link, CHANNEL);
    if (err == SB_OK)
        err = amqp_link_select_confirms(poster->link, CHANNEL);
    if (err != SB_OK) {
        lose_link(poster);
        return false;
    }
    poster->number = 0;
    poster->channel_open = true;
    return true;
}

static enum sb_err publish(struct poster *poster, struct letter *letter)
{
    char number[NUMBER_LEN];
    struct amqp_message message = letter->message;
    (void)snprintf(number, sizeof(number), "%" PRIu64, poster->number + 1);
    message.message_id = bytes_text(number); /* by it a returned letter is known */
    return amqp_link_publish(poster->link, CHANNEL, &message);
}

/* False: the link is lost. */
static bool send_waiting(struct poster *poster)
{
    while (poster->waiting.first != NULL && poster->under_way.count < UNDER_WAY_MAX &&
           !amqp_link_is_blocked(poster->link) && now_of(poster) >= poster->retry_at_ns) {
        enum sb_err err = publish(poster, poster->waiting.first);
        if (err == SB_ERR_MEMORY)
            return true;
        if (err != SB_OK && err != SB_ERR_LIMIT)
            return false;
        struct letter *letter = letters_take_first(&poster->waiting);
        if (err == SB_ERR_LIMIT) {
            give_result(poster, letter, SB_ERR_LIMIT);
            continue;
        }
        letter->number = ++poster->number;
        letters_append(&poster->under_way, letter);
    }
    return true;
}

static void take_returned(struct poster *poster, const amqp_basic_properties_t *properties)
{
    char text[NUMBER_LEN] = "";
    poster->returning = false;
    if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) == 0 ||
        properties->message_id.len >= sizeof(text))
        return;
    memcpy(text, properties->message_id.bytes, properties->message_id.len);
    uint64_t number = strtoull(text, NULL, 10);
    for (struct letter *at = poster->under_way.first; at != NULL;
         at = (struct letter *)at->item.next)
        at->returned |= at->number == number;
}

static void end_letter(struct poster *poster, struct letter *letter, bool taken)
{
    if (letter->returned) {
        fail_letter(poster, letter, "no queue is bound there for this routing key");
    } else if (!taken) {
        fail_letter(poster, letter, "the broker could not store them");
    } else {
        poster->failures = 0;
        set_trouble(poster, "");
        give_result(poster, letter, SB_OK);
    }
}

static void take_confirm(struct poster *poster, const struct amqp_event *event)
{
    struct letter_list all = poster->under_way;
    poster->under_way = (struct letter_list){.count = 0};
    for (struct letter *letter = letters_take_first(&all); letter != NULL;
         letter = letters_take_first(&all)) {
        bool meant =
            event->multiple ? letter->number <= event->tag : letter->number == event->tag;
        if (meant)
            end_letter(poster, letter, event->kind == AMQP_ACK);
        else
            letters_append(&poster->under_way, letter);
    }
}

/* Such as an exchange that is not there: which letter it was for is not said. */
static void take_closed(struct poster *poster)
{
    char why[FEED_TEXT_LEN];
    (void)snprintf(why, sizeof(why), "%s", amqp_link_why(poster->link));
    struct letter_list all = poster->under_way;
    poster->under_way = (struct letter_list){.count = 0};
    lose_channel(poster);
    for (struct letter *letter = letters_take_first(&all); letter != NULL;
         letter = letters_take_first(&all))
        fail_letter(poster, letter, why);
}

static void take(struct poster *poster, const struct amqp_event *event)
{
    switch (event->kind) {
    case AMQP_RETURN:
        poster->returning = true;
        break;
    case AMQP_HEADER:
        if (poster->returning)
            take_returned(poster, event->properties);
        break;
    case AMQP_ACK:
    case AMQP_NACK:
        take_confirm(poster, event);
        break;
    case AMQP_CHANNEL_CLOSED:
        take_closed(poster);
        break;
    case AMQP_BLOCKED:
        set_trouble(poster, "dead letters wait: the broker is short of memory or disk");
        break;
    case AMQP_UNBLOCKED:
        set_trouble(poster, "");
        break;
    default:
        break;
    }
}

/* False: the link is lost. */
static bool read_all(struct poster *poster)
{
    struct amqp_event event = {.kind = AMQP_OTHER};
    while (event.kind != AMQP_NOTHING) {
        if (amqp_link_next(poster->link, 0, &event) != SB_OK)
            return false;
        take(poster, &event);
        if (!amqp_link_is_open(poster->link))
            return false;
    }
    return amqp_link_keep_alive(poster->link) == SB_OK;
}

static void take_inbox(struct poster *poster)
{
    struct mailbox_item *item = mailbox_take_all(&poster->inbox);
    while (item != NULL) {
        struct letter *letter = (struct letter *)item;
        item = item->next;
        letters_append(&poster->waiting, letter);
    }
}

static void wait_for_work(struct poster *poster)
{
    struct pollfd fds[2] = {{.fd = poster->wake_fd, .events = POLLIN},
                            {.fd = amqp_link_fd(poster->link), .events = POLLIN}};
    uint64_t count;
    uint64_t now_ns = now_of(poster);
    int wait_ms = WAIT_MS;
    if (poster->waiting.first != NULL && poster->retry_at_ns > now_ns &&
        poster->retry_at_ns - now_ns < WAIT_MS * NS_PER_MS)
        wait_ms = (int)((poster->retry_at_ns - now_ns) / NS_PER_MS) + 1;
    if (poll(fds, 2, wait_ms) > 0 && (fds[0].revents & POLLIN) != 0)
        (void)!read(poster->wake_fd, &count, sizeof(count));
}

static bool is_over(const struct poster *poster, uint64_t *end_at_ns)
{
    if (!atomic_load(&poster->ending))
        return false;
    if (*end_at_ns == 0)
        *end_at_ns = now_of(poster) + END_WAIT_NS;
    bool idle = poster->waiting.first == NULL && poster->under_way.first == NULL;
    return idle || now_of(poster) >= *end_at_ns;
}

static void *run(void *arg)
{
    struct poster *poster = arg;
    uint64_t end_at_ns = 0;
    for (;;) {
        take_inbox(poster);
        if (is_over(poster, &end_at_ns))
            break;
        bool good = true;
        if (connect_poster(poster))
            good = send_waiting(poster);
        if (good && amqp_link_is_open(poster->link))
            good = read_all(poster);
        if (!good)
            lose_link(poster);
        wait_for_work(poster);
    }
    amqp_link_close(poster->link, GOOD_BYE_NS);
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool poster_is_for(const struct poster *poster, const struct source_rabbitmq_broker *broker)
{
    return same_text(poster->broker.url, broker->url) &&
           same_text(poster->broker.ca_file, broker->ca_file) &&
           same_text(poster->broker.certificate_file, broker->certificate_file) &&
           same_text(poster->broker.key_file, broker->key_file) &&
           poster->broker.insecure == broker->insecure;
}

enum sb_err poster_new(struct source_rabbitmq *source,
                       const struct source_rabbitmq_broker *broker, struct poster **ret)
{
    struct poster *poster = memory_zalloc(1, sizeof(*poster));
    if (poster == NULL)
        return SB_ERR_MEMORY;
    poster->source = source;
    poster->broker = *broker;
    retry_init(&poster->retry, RETRY_FIRST_NS, RETRY_MOST_NS, rabbitmq_now_ns(source));
    mailbox_init(&poster->inbox);
    mailbox_init(&poster->done);
    (void)pthread_mutex_init(&poster->lock, NULL);
    poster->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum sb_err err = poster->wake_fd < 0 ? SB_ERR_INTERNAL : SB_OK;
    if (err == SB_OK)
        err = rabbitmq_new_link(source, broker, "letters", &poster->link);
    if (err != SB_OK) {
        poster_free(poster);
        return err;
    }
    *ret = poster;
    return SB_OK;
}

enum sb_err poster_start(struct poster *poster)
{
    enum sb_err err = amqp_thread_start(&poster->thread, "rmq-letters", run, poster);
    poster->started = err == SB_OK;
    return err;
}

enum sb_err poster_take(struct poster *poster, const struct source_dead_letter *from)
{
    if (atomic_load(&poster->letters) >= LETTERS_MAX ||
        atomic_load(&poster->bytes) >= LETTER_BYTES_MAX)
        return SB_ERR_FULL;
    struct letter *letter = letter_new(&poster->source->options.topics[from->topic], from);
    if (letter == NULL)
        return SB_ERR_FULL; /* and later there may be memory */
    atomic_fetch_add(&poster->letters, 1);
    atomic_fetch_add(&poster->bytes, letter->bytes);
    if (mailbox_post(&poster->inbox, &letter->item))
        wake(poster);
    return SB_OK;
}

static void tell_result(struct poster *poster, struct letter *letter)
{
    const struct source_events *events = &poster->source->options.events;
    atomic_fetch_sub(&poster->letters, 1);
    atomic_fetch_sub(&poster->bytes, letter->bytes);
    events->on_dead_letter(events->arg, letter->ticket, letter->result);
    memory_free(letter);
}

static void tell_results(struct poster *poster)
{
    struct mailbox_item *item = mailbox_take_all(&poster->done);
    while (item != NULL) {
        struct letter *letter = (struct letter *)item;
        item = item->next;
        tell_result(poster, letter);
    }
}

/* All posters share the name "rabbitmq" in health and log: the first trouble stands for all. */
static void tell_troubles(struct source_rabbitmq *source)
{
    const struct source_events *events = &source->options.events;
    char text[FEED_TEXT_LEN] = "";
    bool changed = false;
    for (uint32_t i = 0; i < source->poster_count; i++) {
        struct poster *poster = source->posters[i];
        (void)pthread_mutex_lock(&poster->lock);
        changed |= poster->trouble_changed;
        poster->trouble_changed = false;
        if (text[0] == '\0')
            (void)snprintf(text, sizeof(text), "%s", poster->trouble);
        (void)pthread_mutex_unlock(&poster->lock);
    }
    if (!changed || (text[0] == '\0' && !source->letters_troubled))
        return;
    source->letters_troubled = text[0] != '\0';
    events->on_trouble(events->arg, "rabbitmq", text[0] == '\0' ? NULL : text, false);
}

void posters_serve(struct source_rabbitmq *source)
{
    for (uint32_t i = 0; i < source->poster_count; i++)
        tell_results(source->posters[i]);
    tell_troubles(source);
}

static void fail_all(struct poster *poster, struct letter_list *list)
{
    for (struct letter *letter = letters_take_first(list); letter != NULL;
         letter = letters_take_first(list)) {
        letter->result = SB_ERR_UNAVAILABLE;
        tell_result(poster, letter);
    }
}

void poster_free(struct poster *poster)
{
    if (poster == NULL)
        return;
    atomic_store(&poster->ending, true);
    if (poster->started) {
        wake(poster);
        rabbitmq_join(poster->thread, poster->link, PATIENCE_S);
    }
    take_inbox(poster);
    tell_results(poster);
    fail_all(poster, &poster->under_way);
    fail_all(poster, &poster->waiting);
    amqp_link_free(poster->link);
    if (poster->wake_fd >= 0)
        (void)close(poster->wake_fd);
    mailbox_clear(&poster->inbox);
    mailbox_clear(&poster->done);
    (void)pthread_mutex_destroy(&poster->lock);
    memory_free(poster);
}
