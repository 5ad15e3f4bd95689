#include "repair/hops.h"

#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { JOINS_MAX = 5000, SEED = 5, MODEL_MAX = 4000, PLENTY = 1 << 20 };

struct joins {
    struct repair_join at[JOINS_MAX];
    uint32_t count;
};

static void note_join(void *arg, const struct repair_join *join)
{
    struct joins *joins = arg;
    assert_true(joins->count < JOINS_MAX);
    joins->at[joins->count++] = *join;
}

static struct repair_hops *make(size_t bytes_max, uint64_t ttl_ns, struct joins *joins)
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

static struct repair_key key_of(uint64_t number)
{
    return (struct repair_key){.word = {number * UINT64_C(0x9E3779B97F4A7C15), number}};
}

static struct repair_context context_of(uint8_t number)
{
    return (struct repair_context){
        .trace_id = {{0x10, number}}, .span_id = {{0x20, number}}, .flags = number};
}

static void add_consumer(struct repair_hops *hops, uint64_t key, uint8_t number,
                         uint64_t now_ns)
{
    struct repair_consumer_side side = {
        .trace_id = {{0x30, number}}, .span_id = {{0x40, number}}, .topic = number};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(key), &side, now_ns), SB_OK);
}

static void add_producer(struct repair_hops *hops, uint64_t key, uint8_t number,
                         uint64_t now_ns)
{
    struct repair_context context = context_of(number);
    struct repair_producer_side side = {
        .trace_id = context.trace_id, .span_id = context.span_id, .end_ns = 1000U + number};
    assert_int_equal(repair_hops_add_producer(hops, key_of(key), &side, now_ns), SB_OK);
}

/* number 0: a record without a context. */
static void add_message(struct repair_hops *hops, uint64_t key, uint8_t number,
                        uint64_t time_ns, uint64_t now_ns)
{
    struct repair_message_side side = {.has_context = number != 0, .time_ns = time_ns};
    if (number != 0)
        side.context = context_of(number);
    assert_int_equal(repair_hops_add_message(hops, key_of(key), &side, now_ns), SB_OK);
}

static void check_join(const struct repair_join *join, enum repair_rule rule, uint8_t consumer,
                       uint8_t producer, uint64_t queued_ns)
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

static void test_two_sides_meet_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        if (order == 0)
            add_consumer(hops, 1, 7, 1);
        add_producer(hops, 1, 8, 2);
        if (order == 1)
            add_consumer(hops, 1, 7, 3);
        assert_int_equal(joins.count, 1);
        check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 8, 1008);
        assert_true(joins.at[0].key.word[1] == 1);
        assert_int_equal(joins.at[0].producer.flags, 0);
        repair_hops_free(hops);
    }
}

static void test_headers_join_too(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        if (order == 0)
            add_consumer(hops, 1, 7, 1);
        add_message(hops, 1, 8, 555, 2);
        if (order == 1)
            add_consumer(hops, 1, 7, 3);
        assert_int_equal(joins.count, 1);
        check_join(&joins.at[0], REPAIR_RULE_HEADER_AT_COORDINATE, 7, 8, 555);
        assert_int_equal(joins.at[0].producer.flags, 8);
        repair_hops_free(hops);
    }
}

/* The stronger evidence is reported again, the weaker one after it is not. */
static void test_stronger_evidence_is_reported_again(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 8, 555, 2);
    add_producer(hops, 1, 9, 3);
    assert_int_equal(joins.count, 2);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 7, 9, 555); /* the record's time */
    add_message(hops, 1, 8, 555, 4);
    add_producer(hops, 1, 9, 4);
    assert_int_equal(joins.count, 2);
    repair_hops_free(hops);

    hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 9, 1);
    add_consumer(hops, 1, 7, 2);
    add_message(hops, 1, 8, 555, 3);
    assert_int_equal(joins.count, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 9, 1009);
    assert_int_equal(repair_hops_counters(hops)->joined, 1);
    repair_hops_free(hops);
}

/* A record without a context, or of unknown time, is only what it is. */
static void test_records_that_say_little(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 0, 555, 1);
    assert_int_equal(joins.count, 0);
    add_producer(hops, 1, 8, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 7, 8, 555);
    add_message(hops, 2, 9, 0, 1);
    add_producer(hops, 2, 8, 1);
    add_consumer(hops, 2, 7, 1);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 7, 8, 1008);
    assert_int_equal(joins.count, 2);
    repair_hops_free(hops);
}

static void test_every_consumer_of_a_coordinate_joins(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 1, 1);
    add_consumer(hops, 1, 2, 1);
    add_consumer(hops, 1, 1, 1); /* known already */
    add_producer(hops, 1, 8, 1);
    assert_int_equal(joins.count, 2);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 1, 8, 1008);
    check_join(&joins.at[1], REPAIR_RULE_COORDINATE, 2, 8, 1008);
    add_consumer(hops, 1, 3, 1);
    add_consumer(hops, 1, 3, 1);
    assert_int_equal(joins.count, 3);
    check_join(&joins.at[2], REPAIR_RULE_COORDINATE, 3, 8, 1008);
    add_consumer(hops, 2, 4, 1); /* another coordinate */
    assert_int_equal(joins.count, 3);
    assert_int_equal(repair_hops_counters(hops)->sides, 5);
    repair_hops_free(hops);
}

static void test_consumers_differ_by_trace_and_by_span(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 8, 1);
    for (uint8_t i = 0; i < 4; i++) {
        struct repair_consumer_side side = {.trace_id = {{(uint8_t)(1 + i / 2)}},
                                            .span_id = {{(uint8_t)(1 + i % 2)}}};
        assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &side, 1), SB_OK);
        assert_int_equal(joins.count, i + 1);
    }
    repair_hops_free(hops);
}

static void test_two_producers_are_ambiguous(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_producer(hops, 1, 8, 1);
    add_producer(hops, 1, 8, 1); /* the same twice is one */
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 0);
    add_producer(hops, 1, 9, 1);
    add_producer(hops, 1, 10, 1);
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 1); /* one coordinate */
    add_consumer(hops, 1, 7, 1);
    add_message(hops, 1, 8, 555, 1);
    add_consumer(hops, 1, 6, 1);
    assert_int_equal(joins.count, 0);
    repair_hops_free(hops);
}

static void test_two_records_are_ambiguous(void **state)
{
    (void)state;
    static const uint8_t others[] = {9, 0};
    for (size_t i = 0; i < sizeof(others); i++) {
        static struct joins joins;
        struct repair_hops *hops = make(PLENTY, 100, &joins);
        add_message(hops, 1, 8, 555, 1);
        add_message(hops, 1, 8, 556, 1); /* read again */
        assert_int_equal(repair_hops_counters(hops)->ambiguous, 0);
        add_message(hops, 1, others[i], 555, 1);
        assert_int_equal(repair_hops_counters(hops)->ambiguous, 1);
        add_consumer(hops, 1, 7, 1);
        add_producer(hops, 1, 8, 1);
        assert_int_equal(joins.count, 0);
        repair_hops_free(hops);
    }
}

static void test_nobody_joins_itself(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    struct repair_context self = context_of(3);
    struct repair_consumer_side consumer = {.trace_id = self.trace_id, .span_id = self.span_id};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &consumer, 1), SB_OK);
    add_producer(hops, 1, 3, 1);
    assert_int_equal(joins.count, 0);
    add_consumer(hops, 1, 7, 1);
    assert_int_equal(joins.count, 1);
    repair_hops_free(hops);
}

static void test_sides_expire(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    add_consumer(hops, 1, 7, 1000);
    add_consumer(hops, 2, 7, 1001);
    add_consumer(hops, 2, 8, 1050);
    repair_hops_expire(hops, 1100, 10); /* not older than ttl */
    assert_int_equal(repair_hops_counters(hops)->expired, 0);
    repair_hops_expire(hops, 1140, 1); /* the budget */
    assert_int_equal(repair_hops_counters(hops)->expired, 1);
    add_producer(hops, 1, 9, 1140);
    assert_int_equal(joins.count, 0);
    repair_hops_expire(hops, 1140, 10);
    assert_int_equal(repair_hops_counters(hops)->expired, 2);
    add_producer(hops, 2, 9, 1141);
    assert_int_equal(joins.count, 1);
    check_join(&joins.at[0], REPAIR_RULE_COORDINATE, 8, 9, 1009);
    repair_hops_expire(hops, 10, 10); /* a clock that went back */
    assert_int_equal(repair_hops_counters(hops)->expired, 2);
    repair_hops_expire(hops, 100000, 10);
    assert_int_equal(repair_hops_counters(hops)->expired, 5);
    repair_hops_expire(hops, 100000, 10);
    repair_hops_free(hops);
    repair_hops_free(NULL);
}

/* A coordinate that many producers claim stays ambiguous for as long as they do. */
static void test_poisoned_coordinates_stay_poisoned(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    for (uint8_t i = 0; i < 100; i++) {
        uint64_t now_ns = 1000 + i * 60U;
        repair_hops_expire(hops, now_ns, 10);
        add_producer(hops, 1, i, now_ns);
        if (i > 0)
            add_consumer(hops, 1, i, now_ns);
    }
    assert_int_equal(joins.count, 0);
    assert_int_equal(repair_hops_counters(hops)->ambiguous, 1);
    repair_hops_expire(hops, 100000, 1000);
    add_producer(hops, 1, 1, 100000);
    add_consumer(hops, 1, 2, 100000);
    assert_int_equal(joins.count, 1);
    repair_hops_free(hops);
}

static void test_consumers_of_one_coordinate_are_bounded(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    for (uint8_t i = 0; i < 200; i++)
        add_consumer(hops, 1, i, 1);
    assert_int_equal(repair_hops_counters(hops)->sides, 64);
    assert_int_equal(repair_hops_counters(hops)->crowded, 136);
    add_producer(hops, 1, 8, 1);
    assert_int_equal(joins.count, 64);
    repair_hops_free(hops);
}

/* How many sides fit, of keys that are all different. */
static uint32_t find_room(size_t bytes_max)
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

static void test_the_oldest_make_room(void **state)
{
    (void)state;
    static struct joins joins;
    size_t bytes_max = 50000;
    uint32_t room = find_room(bytes_max);
    struct repair_hops *hops = make(bytes_max, 100, &joins);
    for (uint32_t i = 0; i < room + 10; i++)
        add_consumer(hops, i, 1, 1);
    assert_int_equal(repair_hops_counters(hops)->evicted, 10);
    for (uint32_t i = room + 10; i-- > 0;) {
        uint32_t before = joins.count;
        add_producer(hops, i, 8, 1); /* pushes out one more each time, from the old end */
        if (i >= room + 5)
            assert_int_equal(joins.count, before + 1);
        if (i < 10)
            assert_int_equal(joins.count, before);
    }
    repair_hops_free(hops);
}

/* The bound of the design: 96 bytes a side, whether each has a key of its own or not. */
static void test_bytes_a_side(void **state)
{
    (void)state;
    static const uint32_t counts[] = {50000, 100000, 115000, 200000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (uint32_t shared = 1; shared <= 2; shared++) {
            static struct joins joins;
            struct repair_hops *hops = make((size_t)1 << 30, 100, &joins);
            for (uint32_t n = 0; n < counts[i]; n++)
                add_consumer(hops, n / shared, (uint8_t)(n % shared), 1);
            double each = (double)repair_hops_bytes(hops) / counts[i];
            print_message("%u sides, %u a key: %.1f bytes each\n", counts[i], shared, each);
            assert_true(each <= 96.0);
            repair_hops_free(hops);
        }
    }
    size_t bytes_max = 4U << 20;
    assert_true((double)bytes_max / find_room(bytes_max) <= 120.0); /* and it is used */
}

static void test_too_small_is_no_table(void **state)
{
    (void)state;
    static struct joins joins;
    struct repair_hops *hops = make(100, 100, &joins);
    struct repair_consumer_side side = {.topic = 1};
    assert_int_equal(repair_hops_add_consumer(hops, key_of(1), &side, 1), SB_ERR_MEMORY);
    repair_hops_expire(hops, 1, 1);
    repair_hops_free(hops);
}

/* A naive model: a list in the order of age, walked for everything. */
enum model_kind { MODEL_CONSUMER, MODEL_PRODUCER, MODEL_MESSAGE };

struct model_side {
    enum model_kind kind;
    uint64_t key;
    uint8_t number;
    uint64_t seen_ns;
    uint64_t time_ns;
    uint64_t conflict_ns;
    bool ambiguous;
    int reported; /* 0 nothing, 1 header, 2 coordinate */
};

struct model {
    struct model_side sides[MODEL_MAX];
    uint32_t count;
    uint32_t room;
    uint64_t ttl_ns;
    struct joins *joins;
};

static void model_remove_oldest(struct model *model)
{
    model->count--;
    memmove(model->sides, model->sides + 1, model->count * sizeof(model->sides[0]));
}

static void model_expire(struct model *model, uint64_t now_ns)
{
    while (model->count > 0 && now_ns - model->sides[0].seen_ns > model->ttl_ns) {
        struct model_side oldest = model->sides[0];
        model_remove_oldest(model);
        if (oldest.ambiguous && now_ns - oldest.conflict_ns <= model->ttl_ns) {
            oldest.seen_ns = oldest.conflict_ns;
            model->sides[model->count++] = oldest;
        }
    }
}

static void model_report(struct model *model, uint64_t key)
{
    const struct model_side *producer = NULL;
    const struct model_side *message = NULL;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_side *side = &model->sides[i];
        if (side->key != key || side->kind == MODEL_CONSUMER)
            continue;
        if (side->ambiguous)
            return;
        *(side->kind == MODEL_PRODUCER ? &producer : &message) = side;
    }
    bool header = message != NULL && message->number != 0;
    if (producer == NULL && !header)
        return;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_side *side = &model->sides[i];
        int strength = producer != NULL ? 2 : 1;
        if (side->key != key || side->kind != MODEL_CONSUMER || side->reported >= strength)
            continue;
        side->reported = strength;
        struct repair_join *join = &model->joins->at[model->joins->count++];
        *join = (struct repair_join){
            .rule =
                producer != NULL ? REPAIR_RULE_COORDINATE : REPAIR_RULE_HEADER_AT_COORDINATE,
            .consumer = {.topic = side->number},
            .producer = context_of(producer != NULL ? producer->number : message->number),
            .queued_ns = message != NULL && message->time_ns != 0 ? message->time_ns
                         : producer != NULL                       ? producer->time_ns
                                                                  : 0};
    }
}

static void model_add(struct model *model, const struct model_side *added)
{
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_side *side = &model->sides[i];
        if (side->key != added->key || side->kind != added->kind)
            continue;
        if (side->kind == MODEL_CONSUMER) {
            if (side->number == added->number)
                return;
            continue;
        }
        if (side->ambiguous || side->number != added->number) {
            side->ambiguous = true;
            side->conflict_ns = added->seen_ns;
        }
        return;
    }
    if (model->count == model->room)
        model_remove_oldest(model);
    model->sides[model->count++] = *added;
    model_report(model, added->key);
}

static void add_both(struct repair_hops *hops, struct model *model, struct random *random,
                     uint64_t now_ns)
{
    struct model_side side = {.kind = (enum model_kind)random_below(random, 3),
                              .key = random_below(random, 60),
                              .number = (uint8_t)(1 + random_below(random, 3)),
                              .seen_ns = now_ns};
    switch (side.kind) {
    case MODEL_CONSUMER:
        side.number = (uint8_t)random_below(random, 6);
        add_consumer(hops, side.key, side.number, now_ns);
        break;
    case MODEL_PRODUCER:
        if (random_chance(random, 90))
            side.number = (uint8_t)(1 + side.key % 200); /* mostly the right one */
        side.time_ns = 1000U + side.number;
        add_producer(hops, side.key, side.number, now_ns);
        break;
    case MODEL_MESSAGE:
        if (random_chance(random, 90))
            side.number = (uint8_t)(side.key % 7);
        side.time_ns = random_chance(random, 50) ? 0 : side.key + 5;
        add_message(hops, side.key, side.number, side.time_ns, now_ns);
        break;
    }
    model_add(model, &side);
}

static void test_random_sides_against_a_model(void **state)
{
    (void)state;
    static const size_t sizes[] = {10000, 30000, PLENTY};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        static struct joins joins;
        static struct joins expected;
        static struct model model;
        struct random random;
        random_init(&random, 6 + i);
        struct repair_hops *hops = make(sizes[i], 500, &joins);
        model = (struct model){.ttl_ns = 500,
                               .room = sizes[i] == PLENTY ? MODEL_MAX : find_room(sizes[i]),
                               .joins = &expected};
        uint64_t now_ns = 1000;
        for (int step = 0; step < 20000; step++) {
            joins.count = 0;
            expected.count = 0;
            now_ns += random_below(&random, 4);
            if (random_chance(&random, 10)) {
                repair_hops_expire(hops, now_ns, UINT32_MAX);
                model_expire(&model, now_ns);
            }
            add_both(hops, &model, &random, now_ns);
            assert_int_equal(joins.count, expected.count);
            for (uint32_t n = 0; n < joins.count; n++)
                check_join(&joins.at[n], expected.at[n].rule,
                           (uint8_t)expected.at[n].consumer.topic,
                           expected.at[n].producer.span_id.byte[1], expected.at[n].queued_ns);
        }
        assert_true(repair_hops_counters(hops)->joined > 300);
        repair_hops_free(hops);
    }
}

/* Whatever allocation fails: that side is refused, and nothing else is lost or broken. */
static void test_memory_shortage_refuses_one_side(void **state)
{
    (void)state;
    static struct joins joins;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct repair_hops_options options = {.bytes_max = PLENTY, .on_join = note_join};
        struct repair_hops *hops = NULL;
        memory_fail_at(nth);
        assert_int_equal(repair_hops_new(&options, &hops), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_null(hops);
    }
    struct repair_hops *hops = make(PLENTY, 100, &joins);
    uint32_t refused = 0;
    bool is_known[1000] = {false};
    for (uint32_t i = 0; i < 1000; i++) {
        struct repair_consumer_side side = {.span_id = {{1}}, .topic = i};
        memory_fail_at(1);
        enum sb_err err = repair_hops_add_consumer(hops, key_of(i), &side, 1);
        memory_fail_at(0);
        if (err != SB_OK) {
            assert_int_equal(err, SB_ERR_MEMORY);
            refused++;
            memory_fail_at(2); /* the pool may grow, the table not, or the other way round */
            is_known[i] = repair_hops_add_consumer(hops, key_of(i), &side, 1) == SB_OK;
            memory_fail_at(0);
        } else {
            is_known[i] = true;
        }
    }
    assert_true(refused > 10);
    uint32_t known = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        add_producer(hops, i, 8, 1);
        known += is_known[i] ? 1 : 0;
        assert_int_equal(joins.count, known);
    }
    assert_int_equal(repair_hops_counters(hops)->sides, known + 1000);
    repair_hops_free(hops);
}

/* A side that was refused takes no room away from others. */
static void test_refused_sides_take_no_room(void **state)
{
    (void)state;
    static struct joins joins;
    size_t bytes_max = 50000;
    uint32_t room = find_room(bytes_max);
    struct repair_hops *hops = make(bytes_max, 100, &joins);
    for (uint32_t i = 0; i < room; i++) {
        struct repair_consumer_side side = {.span_id = {{1}}};
        memory_fail_at(1);
        enum sb_err err = repair_hops_add_consumer(hops, key_of(i), &side, 1);
        memory_fail_at(0);
        if (err != SB_OK)
            assert_int_equal(repair_hops_add_consumer(hops, key_of(i), &side, 1), SB_OK);
    }
    assert_int_equal(repair_hops_counters(hops)->sides, room);
    assert_int_equal(repair_hops_counters(hops)->evicted, 0);
    repair_hops_free(hops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sides_meet_in_any_order),
        cmocka_unit_test(test_headers_join_too),
        cmocka_unit_test(test_stronger_evidence_is_reported_again),
        cmocka_unit_test(test_records_that_say_little),
        cmocka_unit_test(test_every_consumer_of_a_coordinate_joins),
        cmocka_unit_test(test_consumers_differ_by_trace_and_by_span),
        cmocka_unit_test(test_two_producers_are_ambiguous),
        cmocka_unit_test(test_two_records_are_ambiguous),
        cmocka_unit_test(test_nobody_joins_itself),
        cmocka_unit_test(test_sides_expire),
        cmocka_unit_test(test_poisoned_coordinates_stay_poisoned),
        cmocka_unit_test(test_consumers_of_one_coordinate_are_bounded),
        cmocka_unit_test(test_the_oldest_make_room),
        cmocka_unit_test(test_bytes_a_side),
        cmocka_unit_test(test_too_small_is_no_table),
        cmocka_unit_test(test_random_sides_against_a_model),
        cmocka_unit_test(test_refused_sides_take_no_room),
        cmocka_unit_test(test_memory_shortage_refuses_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
