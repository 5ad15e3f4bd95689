#include "repair/hops.h"

#include <string.h>

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/pool.h"
#include "core/table.h"

/*
 * Every side is an item of a pool.  All items stand in one queue, oldest first; those of one
 * key in a chain, also oldest first, whose first item the table finds.  Items leave only at
 * the front of the queue, and the oldest item of all is the oldest of its key: so removal
 * takes constant time and no back pointers.
 *
 * A chain holds one producer, one message and CONSUMERS_MAX consumers at most: what else is
 * said about the coordinate makes it ambiguous, or is counted.
 */
enum kind { KIND_CONSUMER, KIND_PRODUCER, KIND_MESSAGE };

enum { CONSUMERS_MAX = 64, CHUNK_BITS = 7, SLOT_BYTES = 8, SLOTS_MIN = 8 };

/* The pool's array of chunks: this long at first, then doubled. */
enum { POINTERS_MIN = 8 };

struct side {
    struct repair_key key;
    struct trace_id trace_id;
    struct span_id span_id;
    uint64_t seen_ns;
    uint64_t time_ns; /* producer: its end; message: of the record; ambiguous: last seen so */
    uint32_t newer;   /* in the queue */
    uint32_t next;    /* in the chain */
    uint32_t last;    /* of the chain; kept in its first item */
    uint32_t topic : 27;
    uint32_t kind : 2; /* enum kind */
    uint32_t bits : 3; /* see below */
};

/* The largest topic number a side can hold. */
enum { TOPIC_MAX = (1 << 27) - 1 };

/* Of consumers: the strongest evidence that was reported; or nothing is to be reported. */
enum { BIT_HEADER = 1, BIT_COORDINATE = 2, BITS_WITHDRAWN = 3 };
/* Of messages: there is a context. */
enum { BIT_CONTEXT = 1 };
/* Of producers and messages: another one said something else. */
enum { BIT_AMBIGUOUS = 4 };

_Static_assert(sizeof(struct side) <= 72, "with its slot in the table at most 96 bytes");

struct repair_hops {
    struct pool pool;
    struct table table;
    uint64_t hash_seed;
    uint64_t ttl_ns;
    uint32_t items_max;
    uint32_t oldest;
    uint32_t newest;
    bool reporting;
    struct repair_hop_counters counters;
    repair_join_fn on_join;
    void *on_join_arg;
};

/* What is known under one key, from one walk along its chain. */
struct chain {
    struct repair_key key;
    uint64_t hash;
    uint32_t first; /* POOL_NONE: nothing */
    uint32_t producer;
    uint32_t message;
    uint32_t same; /* the consumer that is looked for */
    uint32_t consumers;
    bool ambiguous;
};

static struct side *side_at(const struct repair_hops *hops, uint32_t index)
{
    return pool_at(&hops->pool, index);
}

static bool key_equal(struct repair_key a, struct repair_key b)
{
    return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

/*
 * How many items fit in `bytes`, with a table that is never more than 7/8 full, and the pool
 * in whole chunks.  The table's sizes are powers of two: the best of them is taken.
 */
static uint32_t items_for(size_t bytes)
{
    uint64_t best = 0;
    const size_t fixed = sizeof(struct repair_hops) + POINTERS_MIN * sizeof(void *);
    bytes = bytes > fixed ? bytes - fixed : 0;
    for (uint64_t slots = SLOTS_MIN; slots * SLOT_BYTES < bytes; slots *= 2) {
        uint64_t chunk = (sizeof(struct side) << CHUNK_BITS) + sizeof(void *) * 2;
        uint64_t items = (bytes - slots * SLOT_BYTES) / chunk << CHUNK_BITS;
        if (items > slots - slots / 8)
            items = slots - slots / 8;
        if (items > best)
            best = items;
    }
    return best > INT32_MAX ? INT32_MAX : (uint32_t)best;
}

enum sb_err repair_hops_new(const struct repair_hops_options *options, struct repair_hops **ret)
{
    struct repair_hops *hops = memory_zalloc(1, sizeof(*hops));
    if (hops == NULL)
        return SB_ERR_MEMORY;
    hops->hash_seed = options->hash_seed;
    hops->ttl_ns = options->ttl_ns;
    hops->on_join = options->on_join;
    hops->on_join_arg = options->on_join_arg;
    hops->items_max = items_for(options->bytes_max);
    hops->oldest = POOL_NONE;
    hops->newest = POOL_NONE;
    pool_init(&hops->pool, sizeof(struct side), CHUNK_BITS);
    if (table_init(&hops->table, 0) != SB_OK) {
        memory_free(hops);
        return SB_ERR_MEMORY;
    }
    *ret = hops;
    return SB_OK;
}

void repair_hops_free(struct repair_hops *hops)
{
    if (hops == NULL)
        return;
    table_clear(&hops->table);
    pool_clear(&hops->pool);
    memory_free(hops);
}

static uint64_t hash_key(const struct repair_hops *hops, struct repair_key key)
{
    return hash_bytes(bytes_of(key.word, sizeof(key.word)), hops->hash_seed);
}

static uint32_t find_first(const struct repair_hops *hops, uint64_t hash, struct repair_key key)
{
    struct table_cursor at = table_find(&hops->table, hash);
    uint32_t index;
    while (table_next(&hops->table, &at, &index))
        if (key_equal(side_at(hops, index)->key, key))
            return index;
    return POOL_NONE;
}

void repair_hops_prefetch(const struct repair_hops *hops, struct repair_key key)
{
    table_prefetch(&hops->table, hash_key(hops, key));
}

void repair_hops_prefetch_side(const struct repair_hops *hops, struct repair_key key)
{
    struct table_cursor at = table_find(&hops->table, hash_key(hops, key));
    uint32_t index;
    if (!table_next(&hops->table, &at, &index))
        return;
    const char *side = pool_at(&hops->pool, index);
    __builtin_prefetch(side, 1);
    __builtin_prefetch(side + sizeof(struct side) - 1, 1);
}

/* `consumer` may be NULL: then nobody is looked for. */
static struct chain read_chain(const struct repair_hops *hops, struct repair_key key,
                               const struct repair_consumer_side *consumer)
{
    uint64_t hash = hash_key(hops, key);
    struct chain chain = {.key = key,
                          .hash = hash,
                          .first = find_first(hops, hash, key),
                          .producer = POOL_NONE,
                          .message = POOL_NONE,
                          .same = POOL_NONE};
    for (uint32_t at = chain.first; at != POOL_NONE;) {
        const struct side *side = side_at(hops, at);
        if (side->kind != KIND_CONSUMER) {
            *(side->kind == KIND_PRODUCER ? &chain.producer : &chain.message) = at;
            chain.ambiguous = chain.ambiguous || (side->bits & BIT_AMBIGUOUS) != 0;
        } else {
            chain.consumers++;
            if (consumer != NULL && span_id_equal(side->span_id, consumer->span_id) &&
                trace_id_equal(side->trace_id, consumer->trace_id))
                chain.same = at;
        }
        at = side->next;
    }
    return chain;
}

/* Puts an item at the end of the queue and of its chain.  Only a new chain can fail. */
static enum sb_err append(struct repair_hops *hops, uint64_t hash, uint32_t first,
                          uint32_t index)
{
    struct side *side = side_at(hops, index);
    side->newer = POOL_NONE;
    side->next = POOL_NONE;
    side->last = index;
    if (first == POOL_NONE) {
        enum sb_err err = table_insert(&hops->table, hash, index);
        if (err != SB_OK)
            return err;
    } else {
        side_at(hops, side_at(hops, first)->last)->next = index;
        side_at(hops, first)->last = index;
    }
    if (hops->newest == POOL_NONE)
        hops->oldest = index;
    else
        side_at(hops, hops->newest)->newer = index;
    hops->newest = index;
    return SB_OK;
}

/* Takes the oldest item out of the queue and its chain; it is the caller's then. */
static uint32_t detach_oldest(struct repair_hops *hops)
{
    uint32_t index = hops->oldest;
    const struct side *side = side_at(hops, index);
    hops->oldest = side->newer;
    if (hops->oldest == POOL_NONE)
        hops->newest = POOL_NONE;
    uint64_t hash = hash_key(hops, side->key);
    bool found;
    if (side->next == POOL_NONE) {
        found = table_remove(&hops->table, hash, index);
    } else {
        side_at(hops, side->next)->last = side->last;
        found = table_replace(&hops->table, hash, index, side->next);
    }
    SB_ASSERT(found);
    return index;
}

/* Makes room for one more item; the chain may lose its first ones. */
static void evict_oldest(struct repair_hops *hops, struct chain *chain)
{
    pool_give(&hops->pool, detach_oldest(hops));
    hops->counters.evicted++;
    *chain = read_chain(hops, chain->key, NULL);
}

/* Adds a side behind the chain, which knows it then. */
static enum sb_err add_side(struct repair_hops *hops, struct chain *chain,
                            const struct side *from)
{
    if (hops->items_max == 0)
        return SB_ERR_MEMORY;
    if (hops->pool.used >= hops->items_max)
        evict_oldest(hops, chain);
    uint32_t index = pool_take(&hops->pool);
    if (index == POOL_NONE)
        return SB_ERR_MEMORY;
    *side_at(hops, index) = *from;
    enum sb_err err = append(hops, chain->hash, chain->first, index);
    if (err != SB_OK) {
        pool_give(&hops->pool, index);
        return err;
    }
    if (chain->first == POOL_NONE)
        chain->first = index;
    if (from->kind == KIND_PRODUCER)
        chain->producer = index;
    else if (from->kind == KIND_MESSAGE)
        chain->message = index;
    hops->counters.sides++;
    return SB_OK;
}

static bool says_the_same(const struct side *side, struct trace_id trace_id,
                          struct span_id span_id)
{
    return trace_id_equal(side->trace_id, trace_id) && span_id_equal(side->span_id, span_id);
}

/* Another producer, or other headers, at one coordinate: nobody knows who is right. */
static void mark_ambiguous(struct repair_hops *hops, struct side *side, uint64_t now_ns)
{
    if ((side->bits & BIT_AMBIGUOUS) == 0)
        hops->counters.ambiguous++;
    side->bits |= BIT_AMBIGUOUS;
    side->time_ns = now_ns;
}

static void report(struct repair_hops *hops, const struct repair_join *join)
{
    /* The callback must not come back here: the chain is being walked. */
    SB_ASSERT(!hops->reporting);
    hops->reporting = true;
    hops->counters.joined++;
    hops->on_join(hops->on_join_arg, join);
    hops->reporting = false;
}

/* The strongest evidence in the chain; BIT_COORDINATE, BIT_HEADER or 0 for none. */
static uint32_t find_evidence(const struct repair_hops *hops, const struct chain *chain,
                              struct repair_join *ret)
{
    const struct side *message =
        chain->message == POOL_NONE ? NULL : side_at(hops, chain->message);
    if (chain->ambiguous)
        return 0;
    if (chain->producer != POOL_NONE) {
        const struct side *producer = side_at(hops, chain->producer);
        ret->rule = REPAIR_RULE_COORDINATE;
        ret->producer = (struct repair_context){.trace_id = producer->trace_id,
                                                .span_id = producer->span_id};
        ret->queued_ns =
            message != NULL && message->time_ns != 0 ? message->time_ns : producer->time_ns;
        return BIT_COORDINATE;
    }
    if (message == NULL || (message->bits & BIT_CONTEXT) == 0)
        return 0;
    ret->rule = REPAIR_RULE_HEADER_AT_COORDINATE;
    ret->producer = (struct repair_context){.trace_id = message->trace_id,
                                            .span_id = message->span_id,
                                            .flags = (uint8_t)message->topic};
    ret->queued_ns = message->time_ns;
    return BIT_HEADER;
}

static bool is_itself(const struct repair_consumer_side *consumer,
                      const struct repair_context *producer)
{
    return span_id_equal(consumer->span_id, producer->span_id) &&
           trace_id_equal(consumer->trace_id, producer->trace_id);
}

/* Reports the chain's evidence to those of its consumers that know only weaker one. */
static void report_chain(struct repair_hops *hops, const struct chain *chain)
{
    struct repair_join join = {.key = chain->key};
    uint32_t evidence = find_evidence(hops, chain, &join);
    if (evidence == 0)
        return;
    for (uint32_t at = chain->first; at != POOL_NONE; at = side_at(hops, at)->next) {
        struct side *side = side_at(hops, at);
        if (side->kind != KIND_CONSUMER || side->bits >= evidence)
            continue;
        join.consumer = (struct repair_consumer_side){
            .trace_id = side->trace_id, .span_id = side->span_id, .topic = side->topic};
        if (is_itself(&join.consumer, &join.producer))
            continue;
        side->bits = evidence & 3U;
        report(hops, &join);
    }
}

enum sb_err repair_hops_add_consumer(struct repair_hops *hops, struct repair_key key,
                                     const struct repair_consumer_side *consumer,
                                     uint64_t now_ns)
{
    SB_ASSERT(consumer->topic <= TOPIC_MAX);
    struct chain chain = read_chain(hops, key, consumer);
    if (chain.same != POOL_NONE) {
        if (side_at(hops, chain.same)->bits != BITS_WITHDRAWN)
            return SB_OK; /* known, and its joins were reported */
        side_at(hops, chain.same)->bits = 0;
        report_chain(hops, &chain);
        return SB_OK;
    }
    if (chain.consumers >= CONSUMERS_MAX) {
        hops->counters.crowded++;
        return SB_OK;
    }
    struct side side = {.key = key,
                        .trace_id = consumer->trace_id,
                        .span_id = consumer->span_id,
                        .seen_ns = now_ns,
                        .topic = consumer->topic & TOPIC_MAX,
                        .kind = KIND_CONSUMER};
    enum sb_err err = add_side(hops, &chain, &side);
    if (err == SB_OK)
        report_chain(hops, &chain);
    return err;
}

void repair_hops_withdraw_consumer(struct repair_hops *hops, struct repair_key key,
                                   const struct repair_consumer_side *consumer)
{
    struct chain chain = read_chain(hops, key, consumer);
    if (chain.same != POOL_NONE)
        side_at(hops, chain.same)->bits = BITS_WITHDRAWN;
}

enum sb_err repair_hops_add_producer(struct repair_hops *hops, struct repair_key key,
                                     const struct repair_producer_side *producer,
                                     uint64_t now_ns)
{
    struct chain chain = read_chain(hops, key, NULL);
    if (chain.producer != POOL_NONE) {
        struct side *known = side_at(hops, chain.producer);
        if ((known->bits & BIT_AMBIGUOUS) != 0 ||
            !says_the_same(known, producer->trace_id, producer->span_id))
            mark_ambiguous(hops, known, now_ns);
        return SB_OK;
    }
    struct side side = {.key = key,
                        .trace_id = producer->trace_id,
                        .span_id = producer->span_id,
                        .seen_ns = now_ns,
                        .time_ns = producer->end_ns,
                        .kind = KIND_PRODUCER};
    enum sb_err err = add_side(hops, &chain, &side);
    if (err == SB_OK)
        report_chain(hops, &chain);
    return err;
}

enum sb_err repair_hops_add_message(struct repair_hops *hops, struct repair_key key,
                                    const struct repair_message_side *message, uint64_t now_ns)
{
    struct chain chain = read_chain(hops, key, NULL);
    struct side side = {
        .key = key, .seen_ns = now_ns, .time_ns = message->time_ns, .kind = KIND_MESSAGE};
    if (message->has_context) {
        side.trace_id = message->context.trace_id;
        side.span_id = message->context.span_id;
        side.topic = message->context.flags;
        side.bits = BIT_CONTEXT;
    }
    if (chain.message != POOL_NONE) {
        struct side *known = side_at(hops, chain.message);
        if ((known->bits & BIT_AMBIGUOUS) != 0 ||
            !says_the_same(known, side.trace_id, side.span_id))
            mark_ambiguous(hops, known, now_ns);
        return SB_OK;
    }
    enum sb_err err = add_side(hops, &chain, &side);
    if (err == SB_OK)
        report_chain(hops, &chain);
    return err;
}

enum repair_sight repair_hops_look(const struct repair_hops *hops, struct repair_key key,
                                   struct repair_context *ret)
{
    struct chain chain = read_chain(hops, key, NULL);
    struct repair_join join;
    if (chain.ambiguous)
        return REPAIR_SIGHT_AMBIGUOUS;
    if (find_evidence(hops, &chain, &join) != 0) {
        *ret = join.producer;
        return REPAIR_SIGHT_CLEAR;
    }
    return chain.message == POOL_NONE ? REPAIR_SIGHT_NOTHING : REPAIR_SIGHT_BARE;
}

static bool is_older(uint64_t seen_ns, uint64_t now_ns, uint64_t ttl_ns)
{
    return now_ns > seen_ns && now_ns - seen_ns > ttl_ns;
}

/*
 * The oldest side goes, unless it tells of an ambiguity that was seen again since: then it
 * goes to the end, so that what is poisoned stays so for as long as anybody poisons it.
 */
static void expire_oldest(struct repair_hops *hops, uint64_t now_ns)
{
    uint32_t index = detach_oldest(hops);
    struct side *side = side_at(hops, index);
    if ((side->bits & BIT_AMBIGUOUS) != 0 && !is_older(side->time_ns, now_ns, hops->ttl_ns)) {
        uint64_t hash = hash_key(hops, side->key);
        side->seen_ns = side->time_ns;
        if (append(hops, hash, find_first(hops, hash, side->key), index) == SB_OK)
            return;
    }
    pool_give(&hops->pool, index);
    hops->counters.expired++;
}

void repair_hops_expire(struct repair_hops *hops, uint64_t now_ns, uint32_t budget)
{
    while (budget > 0 && hops->oldest != POOL_NONE &&
           is_older(side_at(hops, hops->oldest)->seen_ns, now_ns, hops->ttl_ns)) {
        expire_oldest(hops, now_ns);
        budget--;
    }
}

size_t repair_hops_bytes(const struct repair_hops *hops)
{
    return sizeof(*hops) + pool_bytes(&hops->pool) + table_bytes(&hops->table) +
           hops->pool.chunk_room * sizeof(void *);
}

const struct repair_hop_counters *repair_hops_counters(const struct repair_hops *hops)
{
    return &hops->counters;
}
