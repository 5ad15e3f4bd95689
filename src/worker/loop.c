/*
 * loop: the worker's thread.
 *
 * A turn takes in what others sent, decides what is due, and reads new records if nothing
 * stands in the way; it sleeps only inside sources_poll, and is woken from there.
 */
#include <errno.h>
#include <time.h>

#include "core/assert.h"
#include "core/memory.h"
#include "observe.h"

enum {
    MESSAGES_POLLED = 256,
    MESSAGES_PER_TURN = 256,
    VERDICTS_PER_TURN = 1024,
    HOPS_PER_TURN = 64,
    IDLE_WAIT_MS = 10,
    BLOCKED_WAIT_MS = 1
};
#define LANE_ANY            UINT32_MAX
#define PUBLISH_INTERVAL_NS (5 * NS_PER_MS)

/* Intake keeps this much of the window free, so that a record once begun finds room. */
#define WINDOW_RESERVE_PART 16

static void pause_briefly(void)
{
    const struct timespec moment = {.tv_nsec = (long)NS_PER_MS};
    nanosleep(&moment, NULL);
}

void worker_wait_for_sinks(struct worker *worker)
{
    worker->now_ns = clock_monotonic_ns(worker->options->clock);
    egress_flush(&worker->egress, UINT64_MAX);
    if (!egress_collect(&worker->egress, worker_span_finished, worker))
        pause_briefly();
}

static void on_message(void *arg, enum message_type type, struct bytes body)
{
    struct worker *worker = arg;
    switch (type) {
    case MESSAGE_SPANS:
        arrival_receive(worker, body);
        break;
    case MESSAGE_BOXED:
        arrival_receive_boxed(worker, body);
        break;
    case MESSAGE_RELEASE: {
        uint32_t release[2];
        memcpy(release, body.at, sizeof(release));
        ledger_release(worker->ledger, release[0], release[1]);
        break;
    }
    case MESSAGE_REFUSED:
        letters_receive_refused(worker, body);
        break;
    case MESSAGE_LOOK:
        observe_receive_look(worker, body);
        break;
    case MESSAGE_HOP:
    case MESSAGE_JOIN:
    case MESSAGE_PULL:
    case MESSAGE_FORWARDED:
        gather_receive(worker, type, body);
        break;
    }
}

/* True when there may be more. */
static bool receive(struct worker *worker, uint32_t budget)
{
    bool more = false;
    do
        more |= exchange_receive(&worker->exchange, budget, on_message, worker);
    while (gather_flush(worker));
    return more;
}

static void wake_readers(struct worker *worker)
{
    for (uint32_t to = 0; to < worker->options->worker_count; to++) {
        if (!worker->exchange.wake[to])
            continue;
        worker->exchange.wake[to] = false;
        sources_wake(worker->options->sources, to);
    }
}

static void publish(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->lanes.count; i++) {
        struct lane *lane = &worker->lanes.at[i];
        if (!lane->open)
            continue;
        int64_t watermark = ledger_watermark(worker->ledger, lane->ledger);
        if (watermark == LEDGER_NO_OFFSET || watermark == lane->published)
            continue;
        lane->published = watermark;
        lane->source->ops->publish(lane->source, worker->number, i, watermark);
    }
}

static bool grow_lanes(struct lane_list *list, uint32_t number)
{
    if (number < list->count)
        return true;
    uint32_t count = number + 8;
    struct lane *lanes = memory_realloc(list->at, count, sizeof(*lanes));
    if (lanes == NULL)
        return false;
    memset(lanes + list->count, 0, (count - list->count) * sizeof(*lanes));
    list->at = lanes;
    list->count = count;
    return true;
}

static void open_lane(struct worker *worker, const struct source_lane *opened)
{
    struct lane_list *list = opened->tap ? &worker->taps : &worker->lanes;
    if (!grow_lanes(list, opened->lane))
        return; /* its records find no open lane, and are read again later */
    struct lane *lane = &list->at[opened->lane];
    SB_ASSERT(!lane->open);
    *lane = (struct lane){
        .source = opened->source,
        .tap = opened->tap,
        .coordinates = opened->coordinates,
        .topic = opened->topic,
        .partition = opened->partition,
        .published = LEDGER_NO_OFFSET,
        .topic_name = memory_copy_text(opened->topic_name),
    };
    lane->open = lane->topic_name != NULL &&
                 (opened->tap || ledger_open_partition(worker->ledger, &lane->ledger) == SB_OK);
    if (lane->open && !lane->tap && worker->observe != NULL)
        observe_open_lane(worker);
    if (!lane->open) {
        memory_free(lane->topic_name);
        *lane = (struct lane){.open = false};
    }
}

/* Lets go of polled records: those of one lane, or of all with LANE_ANY. */
static void forget_polled(struct worker *worker, uint32_t lane)
{
    struct polled *polled = &worker->polled;
    uint32_t kept = polled->at;
    for (uint32_t i = polled->at; i < polled->count; i++) {
        if (lane == LANE_ANY || polled->records[i].lane == lane)
            source_record_release(&polled->records[i]);
        else
            polled->records[kept++] = polled->records[i];
    }
    polled->count = kept;
}

static void flush(struct worker *worker, const struct command *command)
{
    egress_flush(&worker->egress, UINT64_MAX);
    while (egress_held(&worker->egress) > 0 && worker->now_ns < command->deadline_ns)
        worker_wait_for_sinks(worker);
    exchange_flush(&worker->exchange);
}

void worker_take_in(struct worker *worker)
{
    worker->now_ns = clock_monotonic_ns(worker->options->clock);
    egress_collect(&worker->egress, worker_span_finished, worker);
    letters_collect(worker);
    exchange_flush(&worker->exchange);
    receive(worker, UINT32_MAX);
}

bool worker_close_lanes(struct worker *worker, const struct source_lane *lanes, size_t count)
{
    bool returned = false;
    publish(worker);
    for (size_t i = 0; i < count; i++) {
        const struct source_lane *closed = &lanes[i];
        struct lane_list *list = closed->tap ? &worker->taps : &worker->lanes;
        if (closed->worker != worker->number || closed->lane >= list->count ||
            !list->at[closed->lane].open)
            continue;
        struct lane *lane = &list->at[closed->lane];
        if (!closed->tap) {
            forget_polled(worker, closed->lane); /* the number may be used again */
            if (closed->gone)
                ledger_close_partition(worker->ledger, lane->ledger);
            else
                ledger_return_partition(worker->ledger, lane->ledger);
            returned |= !closed->gone;
        }
        memory_free(lane->topic_name);
        *lane = (struct lane){.open = false};
    }
    return returned;
}

static void park(struct worker *worker)
{
    while (sem_wait(&worker->unparked) != 0)
        SB_ASSERT(errno == EINTR);
}

static void obey(struct worker *worker)
{
    struct mailbox_item *item = mailbox_take_all(&worker->commands);
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        struct command *command = (struct command *)item;
        bool parks = command->type == COMMAND_PARK;
        if (command->type == COMMAND_OPEN_LANE)
            open_lane(worker, command->lanes);
        else if (command->type == COMMAND_FLUSH)
            flush(worker, command);
        else if (command->type == COMMAND_CLOSE_LANES)
            returns_close_lanes(worker->group, command->lanes, command->lane_count);
        else if (command->type == COMMAND_PUBLISH)
            publish(worker);
        sem_post(&command->done); /* the command is gone from here on */
        if (parks)
            park(worker);
        item = next;
    }
}

static bool intake_blocked(const struct worker *worker)
{
    return exchange_is_blocked(&worker->exchange) || !egress_has_room(&worker->egress) ||
           worker->letters_waiting != NULL ||
           window_is_full(worker->window,
                          worker->options->window_bytes_max / WINDOW_RESERVE_PART);
}

/* True when there may be more. */
static bool read_taps(struct worker *worker)
{
    struct record records[MESSAGES_POLLED];
    size_t count =
        sources_poll_taps(worker->options->sources, worker->number, records, MESSAGES_POLLED);
    for (size_t i = 0; i < count; i++) {
        intake_message(worker, &records[i]);
        source_record_release(&records[i]);
    }
    return count > 0;
}

/* Takes polled records until something stands in the way: the rest waits for a later turn. */
static void take_polled(struct worker *worker)
{
    struct polled *polled = &worker->polled;
    while (polled->at < polled->count && !intake_blocked(worker)) {
        struct record *record = &polled->records[polled->at++];
        intake_record(worker, record);
        source_record_release(record);
    }
}

static void read_spans(struct worker *worker, uint32_t wait_ms)
{
    struct polled *polled = &worker->polled;
    if (polled->at == polled->count) {
        polled->at = 0;
        polled->count = (uint32_t)sources_poll(worker->options->sources, worker->number,
                                               wait_ms, polled->records, RECORDS_POLLED);
        if (wait_ms > 0)
            worker->now_ns = clock_monotonic_ns(worker->options->clock);
    }
    take_polled(worker);
}

/*
 * What a full window does while the sinks have room: the oldest trace is decided.  It does not
 * wait for what was decided before: that has left the window already, and a batch may linger.
 */
static bool relieve(struct worker *worker)
{
    bool full =
        window_is_full(worker->window, worker->options->window_bytes_max / WINDOW_RESERVE_PART);
    if (!full || !egress_has_room(&worker->egress))
        return false;
    verdict_make_room(worker);
    return true;
}

static void upkeep(struct worker *worker)
{
    repair_hops_expire(worker->hops, worker->now_ns, HOPS_PER_TURN);
    envelopes_sweep(&worker->envelopes);
    if (worker->now_ns >= worker->publish_due_ns) {
        publish(worker);
        worker->publish_due_ns = worker->now_ns + PUBLISH_INTERVAL_NS;
    }
}

/* Takes in what others sent; true when there was any of it, or may be more. */
static bool take_in(struct worker *worker)
{
    obey(worker);
    bool any = receive(worker, MESSAGES_PER_TURN);
    any |= egress_collect(&worker->egress, worker_span_finished, worker);
    letters_collect(worker);
    exchange_flush(&worker->exchange);
    return any;
}

static void turn_taps(struct worker *worker)
{
    bool busy = take_in(worker);
    busy |= read_taps(worker);
    upkeep(worker);
    if (!busy)
        pause_briefly();
}

static void turn_run(struct worker *worker)
{
    bool busy = take_in(worker);
    verdict_run(worker, VERDICTS_PER_TURN);
    egress_flush(&worker->egress, worker->now_ns);
    read_taps(worker);
    bool more = window_due(worker->window, worker->now_ns) != WINDOW_NONE &&
                egress_has_room(&worker->egress);
    if (intake_blocked(worker)) {
        bool relieved = relieve(worker);
        if (!busy && !more && !relieved)
            pause_briefly();
    } else {
        bool idle = !busy && !more && exchange_sleep(&worker->exchange);
        read_spans(worker, idle ? IDLE_WAIT_MS : 0);
    }
    wake_readers(worker);
    upkeep(worker);
}

/*
 * Reads no more than was polled before.  True when there is nothing left to do but wait for
 * others.
 */
static bool turn_settle(struct worker *worker, enum worker_phase phase)
{
    bool busy = take_in(worker);
    take_polled(worker);
    if (worker->polled.at < worker->polled.count)
        busy |= relieve(worker);
    if (phase == WORKER_DECIDE)
        verdict_close_all(worker);
    receive(worker, MESSAGES_PER_TURN);
    egress_flush(&worker->egress, UINT64_MAX);
    exchange_flush(&worker->exchange);
    wake_readers(worker);
    upkeep(worker);
    bool idle = !busy && !exchange_is_blocked(&worker->exchange) &&
                worker->polled.at == worker->polled.count &&
                (phase != WORKER_DECIDE || window_any(worker->window) == WINDOW_NONE);
    if (!busy)
        pause_briefly();
    return idle;
}

bool worker_turn(struct worker *worker)
{
    enum worker_phase phase =
        (enum worker_phase)atomic_load_explicit(&worker->group->phase, memory_order_acquire);
    worker->now_ns = clock_monotonic_ns(worker->options->clock);
    if (phase == WORKER_STOP)
        return false;
    bool settled = false;
    if (phase == WORKER_TAPS)
        turn_taps(worker);
    else if (phase == WORKER_RUN)
        turn_run(worker);
    else
        settled = turn_settle(worker, phase);
    worker_share_counters(worker);
    atomic_store_explicit(&worker->settled, settled, memory_order_release);
    atomic_store_explicit(&worker->phase_seen, (int)phase, memory_order_release);
    return true;
}

void *worker_run(void *arg)
{
    struct worker *worker = arg;
    while (worker_turn(worker))
        continue;
    obey(worker); /* whoever still waits for an answer */
    forget_polled(worker, LANE_ANY);
    egress_collect(&worker->egress, worker_span_finished, worker);
    worker_share_counters(worker);
    return NULL;
}
