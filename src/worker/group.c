/*
 * group: all workers together, as the control thread sees them.
 */
#include <errno.h>
#include <time.h>

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"
#include "observe.h"
#include "otlp/write.h"

enum { ALIAS_BYTES = 48, HOLD_RETRY_MS = 250, TEXT_BYTES_MAX = 1 << 30 };

static enum sb_err map_aliases(struct worker_group *group)
{
    const struct otlp_keys *keys = group->options.keys;
    uint16_t count = otlp_keys_count(keys);
    group->alias_of_key = memory_alloc(((size_t)count + 1) * sizeof(uint16_t));
    if (group->alias_of_key == NULL)
        return SB_ERR_MEMORY;
    for (uint16_t i = 0; i < count; i++)
        group->alias_of_key[i] = OTLP_KEY_NONE;
    for (size_t i = 0; i < repair_alias_count(); i++) {
        uint16_t key = otlp_keys_find(keys, bytes_text(repair_alias_key(i)));
        if (key != OTLP_KEY_NONE)
            group->alias_of_key[key] = (uint16_t)i;
    }
    return SB_OK;
}

static enum sb_err init_stages(struct worker *worker)
{
    const struct worker_options *options = worker->options;
    uint64_t seed = worker->group->hash_seed;
    struct window_options window = {
        .bytes_max = options->window_bytes_max,
        .data_size = sizeof(struct trace_state),
        .wait_ns = options->wait_ns,
        .after_root_ns = options->after_root_ns,
        .idle_ns = options->idle_ns,
        .hold_retry_ns = HOLD_RETRY_MS * NS_PER_MS,
        .hash_seed = seed,
        .spans_per_trace_max = options->spans_per_trace_max,
        .bytes_per_trace_max = options->bytes_per_trace_max,
    };
    struct repair_hops_options hops = {
        .ttl_ns = options->repair_ttl_ns,
        .bytes_max = options->hop_bytes_max,
        .hash_seed = seed,
        .on_join = gather_on_join,
        .on_join_arg = worker,
    };
    enum sb_err err = otlp_scan_new(&options->limits, options->keys, &worker->scan);
    if (err == SB_OK)
        err = decide_worker_new(options->decide, &worker->decide);
    if (err == SB_OK)
        err = envelopes_init(&worker->envelopes, options->keys, worker->decide, seed);
    worker->envelopes.tenant_key = options->tenant_key;
    if (err == SB_OK)
        err = window_new(&window, &worker->window);
    if (err == SB_OK)
        err = decide_memory_new(options->verdict_bytes_max, seed, &worker->verdicts);
    if (err == SB_OK)
        err =
            aliases_init(&worker->aliases,
                         (uint32_t)(options->verdict_bytes_max / 4 / ALIAS_BYTES) + 256, seed);
    if (err == SB_OK)
        err = repair_hops_new(&hops, &worker->hops);
    if (err == SB_OK)
        err = repair_scratch_new(&worker->plans.scratch);
    if (err == SB_OK)
        err = destinations_init(&worker->destinations, options);
    if (err == SB_OK)
        err = ledger_new(&worker->ledger);
    if (err == SB_OK)
        err = egress_init(&worker->egress, options, &worker->envelopes, worker);
    if (err == SB_OK)
        err = exchange_init(&worker->exchange, &worker->group->net, worker->number);
    return err;
}

/* The resource that queue spans belong to: the broker's. */
static enum sb_err intern_queue_envelope(struct worker *worker, const char *system,
                                         uint32_t *ret)
{
    struct text resource;
    struct text fields;
    text_init(&resource, 256);
    text_init(&fields, 256);
    otlp_write_string_attribute(&resource, 1, BYTES_LITERAL("service.name"),
                                bytes_text(system));
    otlp_write_bytes_field(&fields, 1, text_bytes(&resource));
    const struct otlp_envelope content = {.resource_fields = text_bytes(&fields)};
    enum sb_err err = resource.error;
    if (err == SB_OK)
        err = fields.error;
    if (err == SB_OK)
        err = envelopes_intern(&worker->envelopes, &content, ret);
    if (err == SB_OK)
        envelopes_hold(&worker->envelopes, *ret);
    text_clear(&resource);
    text_clear(&fields);
    return err;
}

static enum sb_err init_counters(struct worker *worker)
{
    uint32_t topics = worker->options->topic_count;
    worker->topic_counters = memory_zalloc((size_t)topics + 1, sizeof(*worker->topic_counters));
    worker->topics_shared = memory_zalloc((size_t)topics + 1, sizeof(*worker->topics_shared));
    return worker->topic_counters == NULL || worker->topics_shared == NULL ? SB_ERR_MEMORY
                                                                           : SB_OK;
}

static enum sb_err init_worker(struct worker_group *group, uint32_t number)
{
    struct worker *worker = &group->workers[number];
    worker->number = number;
    worker->group = group;
    worker->options = &group->options;
    worker->alias_of_key = group->alias_of_key;
    worker->now_ns = clock_monotonic_ns(group->options.clock);
    mailbox_init(&worker->commands);
    sem_init(&worker->unparked, 0, 0);
    mailbox_init(&worker->letters_done);
    pthread_mutex_init(&worker->shared_lock, NULL);
    text_init(&worker->json, TEXT_BYTES_MAX);
    text_init(&worker->patch, TEXT_BYTES_MAX);
    text_init(&worker->rewritten, TEXT_BYTES_MAX);
    text_init(&worker->original_links, TEXT_BYTES_MAX);
    text_init(&worker->queue_span, TEXT_BYTES_MAX);
    text_init(&worker->letter, TEXT_BYTES_MAX);
    worker->outgoing = memory_zalloc(group->count, sizeof(*worker->outgoing));
    if (worker->outgoing == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < group->count; i++) {
        text_init(&worker->outgoing[i].front, TEXT_BYTES_MAX);
        text_init(&worker->outgoing[i].spans, TEXT_BYTES_MAX);
    }
    enum sb_err err = init_counters(worker);
    if (err == SB_OK)
        err = init_stages(worker);
    if (err == SB_OK && group->options.observe)
        err = observe_new(worker, &worker->observe);
    if (err != SB_OK)
        return err;
    traces_init(&worker->traces, worker->window);
    err = intern_queue_envelope(worker, "kafka", &worker->queue_envelopes[0]);
    if (err == SB_OK)
        err = intern_queue_envelope(worker, "rabbitmq", &worker->queue_envelopes[1]);
    return err;
}

static void clear_lanes(struct lane_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        memory_free(list->at[i].topic_name);
    memory_free(list->at);
}

static void clear_worker(struct worker *worker)
{
    traces_clear(&worker->traces);
    letters_clear(worker);
    egress_clear(&worker->egress);
    exchange_clear(&worker->exchange);
    for (uint32_t i = 0; worker->outgoing != NULL && i < worker->group->count; i++) {
        text_clear(&worker->outgoing[i].front);
        text_clear(&worker->outgoing[i].spans);
    }
    memory_free(worker->outgoing);
    clear_lanes(&worker->lanes);
    clear_lanes(&worker->taps);
    ledger_free(worker->ledger);
    destinations_clear(&worker->destinations);
    memory_free(worker->cluster_id);
    plans_clear(&worker->plans);
    observe_free(worker->observe);
    repair_hops_free(worker->hops);
    aliases_clear(&worker->aliases);
    decide_memory_free(worker->verdicts);
    window_free(worker->window);
    envelopes_clear(&worker->envelopes);
    decide_worker_free(worker->decide);
    otlp_scan_free(worker->scan);
    memory_free(worker->envelope_numbers);
    memory_free(worker->hashes);
    text_clear(&worker->json);
    text_clear(&worker->patch);
    text_clear(&worker->rewritten);
    text_clear(&worker->original_links);
    text_clear(&worker->queue_span);
    text_clear(&worker->letter);
    memory_free(worker->topic_counters);
    memory_free(worker->topics_shared);
    pthread_mutex_destroy(&worker->shared_lock);
    sem_destroy(&worker->unparked);
}

enum sb_err worker_group_new(const struct worker_options *options, struct worker_group **ret)
{
    SB_ASSERT(options->worker_count >= 1 && options->worker_count <= WORKERS_MAX);
    struct worker_group *group = memory_zalloc(1, sizeof(*group));
    if (group == NULL)
        return SB_ERR_MEMORY;
    group->options = *options;
    group->phase = options->taps_first ? WORKER_TAPS : WORKER_RUN;
    group->hash_seed = options->hash_seed == 0 ? hash_random_seed() : options->hash_seed;
    group->workers = memory_zalloc(options->worker_count, sizeof(*group->workers));
    group->stopped = memory_zalloc(options->topic_count, sizeof(*group->stopped));
    enum sb_err err =
        group->workers == NULL || group->stopped == NULL ? SB_ERR_MEMORY : map_aliases(group);
    if (err == SB_OK)
        err = exchange_net_init(&group->net, options->worker_count);
    for (uint32_t i = 0; err == SB_OK && i < options->worker_count; i++) {
        group->count = options->worker_count;
        err = init_worker(group, i);
    }
    if (err != SB_OK) {
        worker_group_free(group);
        return err;
    }
    *ret = group;
    return SB_OK;
}

void worker_group_stop(struct worker_group *group)
{
    if (!group->started)
        return;
    worker_group_set_phase(group, WORKER_STOP);
    for (uint32_t i = 0; i < group->count; i++)
        pthread_join(group->workers[i].thread, NULL);
    group->started = false;
}

/* Messages that were under way at the end may own memory. */
static void on_discarded(void *arg, enum message_type type, struct bytes body)
{
    (void)arg;
    if (type == MESSAGE_BOXED)
        arrival_discard_boxed(body);
    else if (type == MESSAGE_REFUSED)
        letters_discard_refused(body);
}

static void discard_messages(struct worker_group *group)
{
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; group->workers != NULL && i < group->count; i++) {
            struct exchange *exchange = &group->workers[i].exchange;
            if (exchange->outboxes == NULL)
                continue;
            exchange_flush(exchange);
            exchange_receive(exchange, UINT32_MAX, on_discarded, NULL);
            more |= exchange_is_blocked(exchange);
        }
    }
}

void worker_group_free(struct worker_group *group)
{
    if (group == NULL)
        return;
    worker_group_stop(group);
    discard_messages(group);
    for (uint32_t i = 0; group->workers != NULL && i < group->count; i++)
        if (group->workers[i].group != NULL)
            clear_worker(&group->workers[i]);
    exchange_net_clear(&group->net);
    memory_free(group->alias_of_key);
    memory_free(group->stopped);
    memory_free(group->workers);
    memory_free(group);
}

void worker_group_attach(struct worker_group *group, struct sources *sources)
{
    group->options.sources = sources;
}

enum sb_err worker_group_start(struct worker_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        struct worker *worker = &group->workers[i];
        if (pthread_create(&worker->thread, NULL, worker_run, worker) != 0) {
            atomic_store(&group->phase, WORKER_STOP);
            while (i-- > 0)
                pthread_join(group->workers[i].thread, NULL);
            return SB_ERR_INTERNAL;
        }
    }
    group->started = true;
    return SB_OK;
}

static void wake_all(struct worker_group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        sources_wake(group->options.sources, i);
}

void worker_group_set_phase(struct worker_group *group, enum worker_phase phase)
{
    SB_ASSERT((int)phase >= atomic_load(&group->phase));
    atomic_store_explicit(&group->phase, (int)phase, memory_order_release);
    wake_all(group);
}

void worker_group_await_sources(struct worker_group *group, uint64_t until_ns)
{
    atomic_store_explicit(&group->sources_awaited_until_ns, until_ns, memory_order_relaxed);
}

static void command_worker(struct worker_group *group, uint32_t number, struct command *command)
{
    if (!group->started)
        return;
    sem_init(&command->done, 0, 0);
    mailbox_post(&group->workers[number].commands, &command->item);
    sources_wake(group->options.sources, number);
    while (sem_wait(&command->done) != 0)
        SB_ASSERT(errno == EINTR);
    sem_destroy(&command->done);
}

void worker_group_open_lane(struct worker_group *group, const struct source_lane *lane)
{
    struct command command = {.type = COMMAND_OPEN_LANE, .lanes = lane, .lane_count = 1};
    command_worker(group, lane->worker, &command);
}

static void command_all(struct worker_group *group, const struct command *command)
{
    for (uint32_t i = 0; i < group->count; i++) {
        struct command own = *command;
        command_worker(group, i, &own);
    }
}

/* A record's spans may be with any worker: all are flushed, and then stand still. */
void worker_group_close_lanes(struct worker_group *group, const struct source_lane *lanes,
                              size_t count, uint64_t budget_ns)
{
    struct command command = {
        .type = COMMAND_FLUSH,
        .lanes = lanes,
        .lane_count = count,
        .deadline_ns = clock_monotonic_ns(group->options.clock) + budget_ns,
    };
    command_all(group, &command);
    for (uint32_t i = 0; i < group->count; i++) {
        struct command park = {.type = COMMAND_PARK};
        if (i != GATHERING_WORKER)
            command_worker(group, i, &park);
    }
    command.type = COMMAND_CLOSE_LANES;
    command_worker(group, GATHERING_WORKER, &command);
    for (uint32_t i = 0; i < group->count; i++) {
        if (i != GATHERING_WORKER && group->started)
            sem_post(&group->workers[i].unparked);
    }
}

void worker_group_publish(struct worker_group *group)
{
    const struct command command = {.type = COMMAND_PUBLISH};
    command_all(group, &command);
}

void worker_group_dead_letter_done(struct worker_group *group, void *ticket, enum sb_err result)
{
    struct letter *letter = ticket;
    letter->result = result;
    uint32_t owner = letter->worker;
    mailbox_post(&group->workers[owner].letters_done, &letter->item);
    sources_wake(group->options.sources, owner);
}

void worker_group_batch_done(void *arg, struct sink_batch *batch)
{
    struct worker_group *group = arg;
    struct worker *worker = batch->owner;
    uint32_t number = worker->number; /* the batch may be gone once it is posted */
    if (mailbox_post(&worker->egress.returned, &batch->item))
        sources_wake(group->options.sources, number);
}

/* Have all workers seen the phase, with nothing left to do in it? */
static bool all_settled(struct worker_group *group)
{
    int phase = atomic_load(&group->phase);
    for (uint32_t i = 0; i < group->count; i++) {
        struct worker *worker = &group->workers[i];
        if (atomic_load_explicit(&worker->phase_seen, memory_order_acquire) != phase ||
            !atomic_load_explicit(&worker->settled, memory_order_acquire))
            return false;
    }
    return true;
}

/*
 * Received is summed before sent: a message that is sent in between makes the sums differ,
 * so equal sums with everybody settled before and after mean that none is under way.
 */
bool worker_group_is_quiet(struct worker_group *group)
{
    if (!all_settled(group))
        return false;
    uint64_t sent = 0;
    uint64_t received = 0;
    for (uint32_t i = 0; i < group->count; i++)
        received +=
            atomic_load_explicit(&group->workers[i].exchange.received, memory_order_acquire);
    for (uint32_t i = 0; i < group->count; i++)
        sent += atomic_load_explicit(&group->workers[i].exchange.sent, memory_order_acquire);
    return sent == received && all_settled(group);
}

bool worker_group_is_idle(struct worker_group *group)
{
    if (!worker_group_is_quiet(group))
        return false;
    for (uint32_t i = 0; i < group->count; i++) {
        struct worker *worker = &group->workers[i];
        if (atomic_load(&worker->letters_out) > 0 || atomic_load(&worker->egress_out) > 0)
            return false;
    }
    return true;
}

bool worker_group_topic_has_failed(struct worker_group *group, uint32_t topic)
{
    SB_ASSERT(topic < group->options.topic_count);
    return topic_has_stopped(group, topic);
}

const char *worker_group_failed_topic(struct worker_group *group)
{
    for (uint32_t i = 0; i < group->options.topic_count; i++) {
        if (worker_group_topic_has_failed(group, i))
            return group->options.topics[i].name;
    }
    return NULL;
}
