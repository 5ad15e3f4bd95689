/* The table against a naive model: a list in the order of age, walked for everything. */
#include "hops_fixture.h"
#include "support/random.h"

enum { MODEL_MAX = 4000 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_sides_against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
