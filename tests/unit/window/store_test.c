#include "store.h"

#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { ITEMS_MAX = 300, CHUNKS_KEPT = 16, RANDOM_LEN = 64 };

/* The naive model: every item that is held, with the seed of its content. */
struct item {
    uint32_t position;
    size_t len;
    uint64_t seed;
};

struct model {
    struct store store;
    struct random random;
    struct item items[ITEMS_MAX];
    uint32_t count;
};

static uint8_t buffer[3 * STORE_CHUNK_BYTES];

static struct bytes content_of(const struct item *item)
{
    size_t ends = item->len < RANDOM_LEN ? item->len : RANDOM_LEN;
    struct random random;
    random_init(&random, item->seed);
    memset(buffer, (int)(item->seed & 0xff), item->len);
    random_fill(&random, buffer, ends);
    random_fill(&random, buffer + item->len - ends, ends);
    return bytes_of(buffer, item->len);
}

static void check_item(const struct model *model, const struct item *item)
{
    struct bytes expected = content_of(item);
    assert_memory_equal(store_at(&model->store, item->position), expected.at, expected.len);
}

/* The books of the chunks, recounted from the items. */
static void check_books(const struct model *model)
{
    static uint32_t living[4 * ITEMS_MAX];
    const struct store *store = &model->store;
    assert_true(store->chunk_count <= 4 * ITEMS_MAX);
    memset(living, 0, sizeof(living));
    for (uint32_t i = 0; i < model->count; i++)
        living[model->items[i].position >> STORE_CHUNK_UNITS_BITS]++;
    size_t held = 0;
    uint32_t empty = 0;
    for (uint32_t i = 0; i < store->chunk_count; i++) {
        const struct store_chunk *chunk = &store->chunks[i];
        assert_int_equal(chunk->living, living[i]);
        assert_true(chunk->used <= chunk->size);
        held += chunk->size;
        empty += chunk->bytes != NULL && chunk->living == 0 && i != store->current;
    }
    assert_int_equal(store->bytes_held, held);
    assert_int_equal(store->empty_count, empty);
    assert_true(empty <= CHUNKS_KEPT);
}

/* Mostly what spans are like; now and then up to three chunks, and the edges. */
static size_t random_len(struct random *random)
{
    static const size_t edges[] = {0,
                                   1,
                                   7,
                                   8,
                                   9,
                                   STORE_CHUNK_BYTES - 8,
                                   STORE_CHUNK_BYTES - 1,
                                   STORE_CHUNK_BYTES,
                                   STORE_CHUNK_BYTES + 1};
    uint64_t dice = random_below(random, 100);
    if (dice < 6)
        return edges[random_below(random, sizeof(edges) / sizeof(edges[0]))];
    if (dice < 9)
        return random_below(random, 3 * STORE_CHUNK_BYTES);
    return random_below(random, dice < 50 ? 600 : 20000);
}

static void append_one(struct model *model)
{
    struct item item = {.len = random_len(&model->random), .seed = random_next(&model->random)};
    size_t growth = store_growth(&model->store, item.len);
    size_t before = model->store.bytes_held;
    uint32_t empty = model->store.empty_count;
    assert_int_equal(store_append(&model->store, content_of(&item), &item.position), SB_OK);
    /* An oversize span lets empty chunks go, up to its own size. */
    size_t freed = 0;
    if (item.len > STORE_CHUNK_BYTES) {
        size_t chunks = (growth + STORE_CHUNK_BYTES - 1) / STORE_CHUNK_BYTES;
        freed = (chunks < empty ? chunks : empty) * STORE_CHUNK_BYTES;
    }
    assert_int_equal(model->store.bytes_held, before + growth - freed);
    model->items[model->count++] = item;
    check_item(model, &item);
}

static void remove_one(struct model *model)
{
    uint32_t i = (uint32_t)random_below(&model->random, model->count);
    check_item(model, &model->items[i]);
    store_remove(&model->store, model->items[i].position);
    model->items[i] = model->items[--model->count];
}

static void test_random_appends_and_removes_against_a_model(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        model = (struct model){.count = 0};
        random_init(&model.random, seed);
        store_init(&model.store);
        for (int step = 0; step < 4000; step++) {
            /* Phases that fill and phases that empty. */
            bool appends = random_chance(&model.random, step / 1000 % 2 == 0 ? 65 : 35);
            if (appends && model.count < ITEMS_MAX)
                append_one(&model);
            else if (model.count > 0)
                remove_one(&model);
            if (step % 32 == 0)
                check_books(&model);
        }
        for (uint32_t i = 0; i < model.count; i++)
            check_item(&model, &model.items[i]);
        while (model.count > 0)
            remove_one(&model);
        check_books(&model);
        store_clear(&model.store);
        assert_int_equal(model.store.bytes_held, 0);
    }
}

/* A position behind the last byte of a chunk would name the next chunk. */
static void test_an_empty_span_behind_a_full_chunk_is_told_apart(void **state)
{
    (void)state;
    struct store store;
    store_init(&store);
    uint32_t full;
    uint32_t empty;
    assert_int_equal(store_append(&store, bytes_of(buffer, STORE_CHUNK_BYTES), &full), SB_OK);
    assert_int_equal(store_append(&store, bytes_of(NULL, 0), &empty), SB_OK);
    assert_int_not_equal(full, empty);
    store_remove(&store, empty);
    store_remove(&store, full);
    store_clear(&store);
}

static void test_a_chunk_is_used_again_when_its_last_span_has_gone(void **state)
{
    (void)state;
    enum { SPAN = STORE_CHUNK_BYTES / 4, SPANS = 20 };
    struct store store;
    store_init(&store);
    uint32_t positions[SPANS];
    for (int i = 0; i < SPANS; i++)
        assert_int_equal(store_append(&store, bytes_of(buffer, SPAN), &positions[i]), SB_OK);
    assert_int_equal(store.bytes_held, SPANS / 4 * STORE_CHUNK_BYTES);
    /* One span keeps its chunk: nothing is moved. */
    for (int i = 0; i < 7; i++)
        store_remove(&store, positions[i]);
    assert_int_equal(store.empty_count, 1);
    store_remove(&store, positions[7]);
    assert_int_equal(store.empty_count, 2);
    uint64_t allocations = memory_allocations();
    for (int i = 0; i < 8; i++)
        assert_int_equal(store_append(&store, bytes_of(buffer, SPAN), &positions[i]), SB_OK);
    assert_int_equal(memory_allocations(), allocations);
    assert_int_equal(store.bytes_held, SPANS / 4 * STORE_CHUNK_BYTES);
    for (int i = 0; i < SPANS; i++)
        store_remove(&store, positions[i]);
    store_clear(&store);
}

static void test_the_chunk_being_filled_starts_over_when_it_is_empty(void **state)
{
    (void)state;
    struct store store;
    store_init(&store);
    for (int i = 0; i < 1000; i++) {
        uint32_t position;
        assert_int_equal(store_append(&store, bytes_of(buffer, 5000), &position), SB_OK);
        assert_int_equal(position, 0);
        store_remove(&store, position);
    }
    assert_int_equal(store.bytes_held, STORE_CHUNK_BYTES);
    store_clear(&store);
}

static void test_a_burst_gives_its_memory_back(void **state)
{
    (void)state;
    enum { CHUNKS = 40 };
    struct store store;
    store_init(&store);
    uint32_t positions[CHUNKS];
    for (int i = 0; i < CHUNKS; i++)
        assert_int_equal(
            store_append(&store, bytes_of(buffer, STORE_CHUNK_BYTES), &positions[i]), SB_OK);
    assert_int_equal(store.bytes_held, (size_t)CHUNKS * STORE_CHUNK_BYTES);
    for (int i = 0; i < CHUNKS; i++)
        store_remove(&store, positions[i]);
    assert_int_equal(store.bytes_held, (size_t)(CHUNKS_KEPT + 1) * STORE_CHUNK_BYTES);
    /* An oversize span never stays behind as an empty chunk. */
    uint32_t big;
    assert_int_equal(store_append(&store, bytes_of(buffer, sizeof(buffer)), &big), SB_OK);
    store_remove(&store, big);
    assert_true(store.bytes_held <= (size_t)(CHUNKS_KEPT + 1) * STORE_CHUNK_BYTES);
    store_clear(&store);
}

/* What is kept for reuse makes room for a span that needs a chunk of its own. */
static void test_an_oversize_span_takes_the_place_of_empty_chunks(void **state)
{
    (void)state;
    enum { CHUNKS = 8 };
    struct store store;
    store_init(&store);
    uint32_t positions[CHUNKS];
    for (int i = 0; i < CHUNKS; i++)
        assert_int_equal(
            store_append(&store, bytes_of(buffer, STORE_CHUNK_BYTES), &positions[i]), SB_OK);
    for (int i = 0; i < CHUNKS - 1; i++)
        store_remove(&store, positions[i]);
    size_t before = store.bytes_held;
    uint32_t big;
    size_t len = 2 * STORE_CHUNK_BYTES + 8;
    assert_int_equal(store_append(&store, bytes_of(buffer, len), &big), SB_OK);
    assert_true(store.bytes_held <= before);
    assert_int_equal(store.empty_count, CHUNKS - 1 - 3);
    store_remove(&store, big);
    store_remove(&store, positions[CHUNKS - 1]);
    store_clear(&store);
}

/* Every number of a chunk is either in use or free. */
static void check_numbers(const struct store *store)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < store->chunk_count; i++)
        known += store->chunks[i].bytes != NULL;
    for (uint32_t at = store->free_bare; at != UINT32_MAX; at = store->chunks[at].next_free)
        known++;
    assert_int_equal(known, store->chunk_count);
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    static const size_t lens[] = {100, STORE_CHUNK_BYTES, 2 * STORE_CHUNK_BYTES, 300};
    enum { LENS = sizeof(lens) / sizeof(lens[0]), TURNS = 6 };
    int failed = 0;
    for (uint64_t nth = 1; nth <= 25; nth++) {
        struct store store;
        store_init(&store);
        uint32_t positions[TURNS * LENS];
        uint32_t count = 0;
        memory_fail_at(nth);
        for (int i = 0; i < TURNS * LENS; i++) {
            size_t before = store.bytes_held;
            uint32_t position = 77;
            enum sb_err err = store_append(&store, bytes_of(buffer, lens[i % LENS]), &position);
            if (err == SB_OK) {
                positions[count++] = position;
                continue;
            }
            failed++;
            assert_int_equal(err, SB_ERR_MEMORY);
            assert_int_equal(position, 77);
            assert_int_equal(store.bytes_held, before);
            check_numbers(&store);
        }
        memory_fail_at(0);
        assert_true(count >= TURNS * LENS - 1);
        for (uint32_t i = 0; i < count; i++)
            store_remove(&store, positions[i]);
        store_clear(&store);
    }
    assert_true(failed >= 15);
}

static void test_positions_that_are_used_up_are_a_limit(void **state)
{
    (void)state;
    struct store store;
    store_init(&store);
    /* As if so many chunks were held, which would be 32 GiB. */
    store.chunk_count = (UINT32_C(1) << (32 - STORE_CHUNK_UNITS_BITS)) - 1;
    uint32_t position;
    assert_int_equal(store_append(&store, bytes_of(buffer, 8), &position), SB_ERR_LIMIT);
    assert_int_equal(store_append(&store, bytes_of(buffer, sizeof(buffer)), &position),
                     SB_ERR_LIMIT);
    store.chunk_count = 0;
    store_clear(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_appends_and_removes_against_a_model),
        cmocka_unit_test(test_an_empty_span_behind_a_full_chunk_is_told_apart),
        cmocka_unit_test(test_a_chunk_is_used_again_when_its_last_span_has_gone),
        cmocka_unit_test(test_the_chunk_being_filled_starts_over_when_it_is_empty),
        cmocka_unit_test(test_a_burst_gives_its_memory_back),
        cmocka_unit_test(test_an_oversize_span_takes_the_place_of_empty_chunks),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
        cmocka_unit_test(test_positions_that_are_used_up_are_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
