/*
 * hops_fixture: sides by small numbers, and a note of every join that is reported.
 */
#ifndef SB_TEST_REPAIR_HOPS_FIXTURE_H
#define SB_TEST_REPAIR_HOPS_FIXTURE_H

#include <string.h>

#include "repair/hops.h"
#include "support/test.h"

enum { JOINS_MAX = 5000, SEED = 5, PLENTY = 1 << 20 };

struct joins {
    struct repair_join at[JOINS_MAX];
    uint32_t count;
};

static inline void note_join(void *arg, const struct repair_join *join)
{
    struct joins *joins = arg;
    assert_true(joins->count < JOINS_MAX);
    joins->at[joins->count++] = *join;
}

static inline struct repair_hops *make(size_t bytes_max, uint64_t ttl_ns, struct joins *joins)
{
    struct repair_hops_options options = {.ttl_ns = ttl_ns,
                                          .bytes_max = bytes_max,
                                          .hash_seed = SEED,
                                          .on_join = note_join,
                                          .on_join_arg = joins};
    struct repair_hops *hops = NULL;
    joins->count = 0;
    assert_int_equal(repair_hops_new(&options, &hops), SB_OK);
    return hops;
}

static inline struct repair_key key_of(uint64_t number)
{
    return (struct repair_key){.word = {number * UINT64_C(0x9E3779B97F4A7C15), number}};
}

static inline struct repair_context context_of(uint8_t number)
{
    return (struct repair_context){
        .trace_id = {{0x10, number}}, .span_id = {{0x20, number}}, .flags = number};
}

static inline void add_consumer(struct repair_hops *hops, uint64_t key, uint8_t number,
                                uint64_t now_ns)
{
    struct repair_consumer_side side = {
        .trace_id = {{0x30, number}}, .span_id = {{0x40, number}}, .topic = number};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(key), &side, now_ns), SB_OK);
}

static inline void add_producer(struct repair_hops *hops, uint64_t key, uint8_t number,
                                uint64_t now_ns)
{
    struct repair_context context = context_of(number);
    struct repair_producer_side side = {
        .trace_id = context.trace_id, .span_id = context.span_id, .end_ns = 1000U + number};
    assert_int_equal(repair_hops_add_producer(hops, key_of(key), &side, now_ns), SB_OK);
}

/* number 0: a record without a context. */
static inline void add_message(struct repair_hops *hops, uint64_t key, uint8_t number,
                               uint64_t time_ns, uint64_t now_ns)
{
    struct repair_message_side side = {.has_context = number != 0, .time_ns = time_ns};
    if (number != 0)
        side.context = context_of(number);
    assert_int_equal(repair_hops_add_message(hops, key_of(key), &side, now_ns), SB_OK);
}

static inline void check_join(const struct repair_join *join, enum repair_rule rule,
                              uint8_t consumer, uint8_t producer, uint64_t queued_ns)
{
    struct repair_context context = context_of(producer);
    assert_int_equal(join->rule, rule);
    assert_int_equal(join->consumer.topic, consumer);
    assert_int_equal(join->consumer.trace_id.byte[1], consumer);
    assert_int_equal(join->consumer.span_id.byte[1], consumer);
    assert_true(trace_id_equal(join->producer.trace_id, context.trace_id));
    assert_true(span_id_equal(join->producer.span_id, context.span_id));
    assert_int_equal(join->queued_ns, queued_ns);
}

/* How many sides fit, of keys that are all different. */
static inline uint32_t find_room(size_t bytes_max)
{
    static struct joins joins;
    struct repair_hops *hops = make(bytes_max, 100, &joins);
    uint32_t count = 0;
    while (repair_hops_counters(hops)->evicted == 0) {
        add_consumer(hops, ++count, 1, 1);
        assert_true(repair_hops_bytes(hops) <= bytes_max);
    }
    repair_hops_free(hops);
    return count - 1;
}

#endif
