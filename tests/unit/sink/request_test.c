#include "request.h"

#include "core/memory.h"
#include "otlp_rig.h"
#include "support/random.h"
#include "support/test.h"

struct fixture {
    struct otlp_rig rig;
    struct encoder encoder;
    struct request request;
};

static void open_fixture(struct fixture *fixture)
{
    otlp_rig_init(&fixture->rig, "http://unused");
    assert_int_equal(encoder_init(&fixture->encoder, SINK_OTLP_HTTP, SINK_COMPRESSION_NONE),
                     SB_OK);
    request_init(&fixture->request);
}

static void close_fixture(struct fixture *fixture)
{
    request_clear(&fixture->request);
    encoder_clear(&fixture->encoder);
    otlp_rig_clear(&fixture->rig);
}

static void test_one_range_settles_all(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    struct sink_batch *batch = rig_fill(&fixture.rig.base, 1, 10, 0);
    assert_int_equal(request_load(&fixture.request, &fixture.encoder, batch), SB_OK);
    assert_int_equal(request_span_count(&fixture.request), 10);
    assert_true(request_settle(&fixture.request, SINK_EXPORTED, 3));
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 7);
    assert_int_equal(rig_count(batch, SINK_REJECTED), 3);
    assert_ptr_equal(request_unload(&fixture.request), batch);
    assert_null(fixture.request.batch);
    sink_batch_free(batch);
    close_fixture(&fixture);
}

/* Any spans may be the poison, of any number: exactly they are rejected. */
static void test_bisecting_finds_the_poison(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    struct fixture fixture;
    open_fixture(&fixture);
    struct request *request = &fixture.request;
    for (int round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)random_between(&random, 1, 200);
        struct sink_batch *batch = rig_fill(&fixture.rig.base, 1, count, 0);
        unsigned percent = (unsigned)random_below(&random, 101);
        uint32_t poison_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            batch->spans[i].synthetic = random_chance(&random, percent);
            poison_count += batch->spans[i].synthetic;
        }
        assert_int_equal(request_load(request, &fixture.encoder, batch), SB_OK);
        bool done = false;
        uint32_t sent = 0;
        while (!done) {
            const struct request_range *top = &request->ranges[request->range_count - 1];
            bool poisoned = false;
            for (uint32_t i = 0; i < top->count; i++)
                poisoned = batch->spans[request->order[top->first + i]].synthetic || poisoned;
            sent++;
            if (poisoned && top->count > 1)
                request_bisect(request);
            else
                done = request_settle(request, poisoned ? SINK_REJECTED : SINK_EXPORTED, 0);
        }
        assert_true(sent <= 2 * count);
        for (uint32_t i = 0; i < count; i++) {
            bool rejected = batch->spans[i].outcome == SINK_REJECTED;
            assert_int_equal(rejected, batch->spans[i].synthetic);
        }
        assert_int_equal(rig_count(batch, SINK_EXPORTED), count - poison_count);
        sink_batch_free(request_unload(request));
    }
    close_fixture(&fixture);
}

static void test_half_done_is_half_pending(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    struct sink_batch *batch = rig_fill(&fixture.rig.base, 1, 10, 0);
    assert_int_equal(request_load(&fixture.request, &fixture.encoder, batch), SB_OK);
    request_bisect(&fixture.request);
    assert_false(request_settle(&fixture.request, SINK_EXPORTED, 0));
    assert_ptr_equal(request_unload(&fixture.request), batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 5);
    assert_int_equal(rig_count(batch, SINK_PENDING), 5);
    sink_batch_free(batch);
    close_fixture(&fixture);
}

/* The deepest stack: all of 2^20 spans cut down to the first. */
static void test_the_stack_suffices(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    struct request *request = &fixture.request;
    request->ranges[0] = (struct request_range){.first = 0, .count = UINT32_MAX};
    request->range_count = 1;
    while (request_span_count(request) > 1)
        request_bisect(request);
    assert_true(request->range_count <= REQUEST_RANGES_MAX);
    request->range_count = 0;
    close_fixture(&fixture);
}

static void test_nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    struct sink_batch *batch = rig_fill(&fixture.rig.base, 1, 1000, 0);
    uint64_t before = 0;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(request_load(&fixture.request, &fixture.encoder, batch), SB_OK);
        assert_int_equal(request_encode(&fixture.request, &fixture.encoder), SB_OK);
        (void)request_unload(&fixture.request);
        if (round == 0)
            before = memory_allocations();
    }
    assert_int_equal(memory_allocations(), before);
    sink_batch_free(batch);
    close_fixture(&fixture);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    struct sink_batch *batch = rig_fill(&fixture.rig.base, 1, 100, 0);
    uint64_t nth = 1;
    for (;; nth++) {
        memory_fail_at(nth);
        enum sb_err err = request_load(&fixture.request, &fixture.encoder, batch);
        memory_fail_at(0);
        if (err == SB_OK)
            break;
        assert_int_equal(err, SB_ERR_MEMORY);
        assert_null(fixture.request.batch);
    }
    assert_true(nth > 1);
    for (nth = 1;; nth++) {
        memory_fail_at(nth);
        enum sb_err err = request_encode(&fixture.request, &fixture.encoder);
        memory_fail_at(0);
        if (err == SB_OK)
            break;
        assert_int_equal(err, SB_ERR_MEMORY);
    }
    assert_true(nth > 1);
    sink_batch_free(request_unload(&fixture.request));
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_range_settles_all),
        cmocka_unit_test(test_bisecting_finds_the_poison),
        cmocka_unit_test(test_half_done_is_half_pending),
        cmocka_unit_test(test_the_stack_suffices),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
