#include <unistd.h>

#include "core/memory.h"
#include "otlp_rig.h"
#include "support/test.h"

enum { SPANS = 10, THREADS = 4, BATCHES_PER_THREAD = 50 };

static struct otlp_receiver *open_receiver(receiver_decide_fn on_request, void *arg)
{
    struct receiver_options options = {
        .protocol = RECEIVER_HTTP, .on_request = on_request, .arg = arg};
    return receiver_new(&options);
}

static void expect_all(struct sink_batch *batch, enum sink_outcome outcome)
{
    assert_int_equal(rig_count(batch, outcome), batch->span_count);
    sink_batch_free(batch);
}

/* The clock stands: the wait would last for ever. */
static void test_stop_while_backing_off(void **state)
{
    (void)state;
    char url[64];
    int fd = otlp_rig_refuse_port(url);
    struct otlp_rig rig;
    otlp_rig_init(&rig, url);
    rig.clock_stands = true;
    rig.options.backoff_initial_ns = 3600 * NS_PER_S;
    rig.options.backoff_max_ns = 3600 * NS_PER_S;
    otlp_rig_start(&rig);
    otlp_rig_submit(&rig, SPANS);
    otlp_rig_wait_waits(&rig, 1);
    rig.base.sink->ops->stop(rig.base.sink);
    expect_all(rig_take(&rig.base), SINK_PENDING);
    assert_int_equal(rig.base.sink->ops->queued_bytes(rig.base.sink), 0);
    otlp_rig_clear(&rig);
    (void)close(fd);
}

static void play_same(struct otlp_receiver *receiver, struct receiver_answer answer,
                      uint32_t count)
{
    struct receiver_answer answers[64];
    assert_true(count <= 64);
    for (uint32_t i = 0; i < count; i++)
        answers[i] = answer;
    receiver_play(receiver, answers, count);
}

/* Some in flight, others in the queue: all come back, oldest first. */
static void test_stop_gives_everything_back(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    play_same(receiver, (struct receiver_answer){.act = RECEIVER_HOLD}, 10);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    rig.options.in_flight_max = 2;
    otlp_rig_start(&rig);
    for (int i = 0; i < 7; i++)
        otlp_rig_submit(&rig, SPANS);
    receiver_wait_requests(receiver, 2);
    rig.base.sink->ops->stop(rig.base.sink);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_STOPPED);
    /* After that, too. */
    otlp_rig_submit(&rig, SPANS);
    rig.base.sink->ops->stop(rig.base.sink);
    for (uint32_t i = 0; i < 7; i++) {
        struct sink_batch *batch = rig_take(&rig.base);
        assert_int_equal(batch->spans[0].ticket / SPANS, i);
        expect_all(batch, SINK_PENDING);
    }
    assert_int_equal(receiver_requests(receiver), 2);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

/* What was acknowledged before the end stays so. */
static void refuse_first_then_hold(void *arg, const struct receiver_request *request,
                                   struct receiver_answer *ret)
{
    (void)arg;
    if (request->number == 0)
        ret->status = 413;
    if (request->number == 2)
        ret->act = RECEIVER_HOLD;
}

static void test_stop_within_a_batch(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(refuse_first_then_hold, NULL);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    otlp_rig_start(&rig);
    otlp_rig_submit(&rig, SPANS);
    receiver_wait_requests(receiver, 3);
    rig.base.sink->ops->stop(rig.base.sink);
    struct sink_batch *batch = rig_take(&rig.base);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), SPANS / 2);
    assert_int_equal(rig_count(batch, SINK_PENDING), SPANS / 2);
    sink_batch_free(batch);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

/* With one lane a request comes only after the batch before it went back. */
struct in_turn {
    struct otlp_rig *rig;
    bool wrong;
};

static void check_turn(void *arg, const struct receiver_request *request,
                       struct receiver_answer *ret)
{
    struct in_turn *turn = arg;
    (void)ret;
    (void)pthread_mutex_lock(&turn->rig->base.lock);
    uint32_t returned = 0;
    for (const struct sink_batch *at = turn->rig->base.returned; at != NULL;
         at = (const struct sink_batch *)at->item.next)
        returned++;
    turn->wrong = turn->wrong || returned != request->number;
    (void)pthread_mutex_unlock(&turn->rig->base.lock);
}

static void test_one_lane_keeps_the_order(void **state)
{
    (void)state;
    struct otlp_rig rig;
    struct in_turn turn = {.rig = &rig};
    struct otlp_receiver *receiver = open_receiver(check_turn, &turn);
    otlp_rig_init(&rig, receiver_url(receiver));
    rig.options.in_flight_max = 1;
    otlp_rig_start(&rig);
    for (int i = 0; i < 20; i++)
        otlp_rig_submit(&rig, SPANS);
    receiver_wait_requests(receiver, 20);
    for (uint32_t i = 0; i < 20; i++) {
        struct sink_batch *batch = rig_take(&rig.base);
        assert_int_equal(batch->spans[0].ticket / SPANS, i);
        expect_all(batch, SINK_EXPORTED);
    }
    otlp_rig_clear(&rig);
    receiver_free(receiver);
    assert_false(turn.wrong);
}

static void test_lanes_work_side_by_side(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    play_same(receiver, (struct receiver_answer){.act = RECEIVER_HOLD}, 3);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    rig.options.in_flight_max = 3;
    otlp_rig_start(&rig);
    for (int i = 0; i < 6; i++)
        otlp_rig_submit(&rig, SPANS);
    receiver_wait_requests(receiver, 3); /* none of them is answered yet */
    receiver_release(receiver);
    for (int i = 0; i < 6; i++)
        expect_all(rig_take(&rig.base), SINK_EXPORTED);
    assert_int_equal(receiver_requests(receiver), 6);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

static void test_the_queue_is_bounded_in_bytes(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    play_same(receiver, (struct receiver_answer){.act = RECEIVER_HOLD}, 1);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    struct sink_batch *batch = rig_fill(&rig.base, 1, SPANS, 0);
    size_t len = batch->bytes.len;
    rig.options.queue_bytes_max = len;
    otlp_rig_start(&rig);
    assert_true(sink_has_room(rig.base.sink));
    sink_submit(rig.base.sink, batch);
    assert_false(sink_has_room(rig.base.sink));
    assert_int_equal(rig.base.sink->ops->queued_bytes(rig.base.sink), len);
    receiver_wait_requests(receiver, 1);
    receiver_release(receiver);
    expect_all(rig_take(&rig.base), SINK_EXPORTED);
    assert_true(sink_has_room(rig.base.sink));
    assert_int_equal(rig.base.sink->ops->queued_bytes(rig.base.sink), 0);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

static void test_an_empty_batch_comes_back(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    otlp_rig_start(&rig);
    sink_batch_free(otlp_rig_send(&rig, 0));
    assert_int_equal(receiver_requests(receiver), 0);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

/* Retry-After of one lane holds all of them back. */
static void test_throttling_closes_the_sink(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    play_same(receiver,
              (struct receiver_answer){.status = 429, .headers = {{"Retry-After", "60"}}}, 1);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    rig.clock_stands = true;
    otlp_rig_start(&rig);
    otlp_rig_submit(&rig, SPANS);
    otlp_rig_wait_waits(&rig, 1);
    assert_int_equal(otlp_rig_wait_ns(&rig, 0), 60 * NS_PER_S);
    otlp_rig_submit(&rig, SPANS);
    /* An empty batch comes back before lanes are run: with the second, they have been. */
    sink_batch_free(otlp_rig_send(&rig, 0));
    sink_batch_free(otlp_rig_send(&rig, 0));
    assert_int_equal(rig_counters(&rig.base).requests, 1);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_BACKING_OFF);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

static void *submit_many(void *arg)
{
    struct otlp_rig *rig = arg;
    for (int i = 0; i < BATCHES_PER_THREAD; i++) {
        (void)pthread_mutex_lock(&rig->base.lock);
        struct sink_batch *batch = rig_fill(&rig->base, 1, SPANS, 0);
        (void)pthread_mutex_unlock(&rig->base.lock);
        sink_submit(rig->base.sink, batch);
        struct sink_counters counters;
        rig->base.sink->ops->read_counters(rig->base.sink, &counters);
        (void)sink_has_room(rig->base.sink);
        (void)rig->base.sink->ops->state(rig->base.sink);
    }
    return NULL;
}

static void test_many_workers(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    play_same(receiver, (struct receiver_answer){.status = 503}, 20);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    otlp_rig_start(&rig);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &rig), 0);
    for (int i = 0; i < THREADS * BATCHES_PER_THREAD; i++)
        expect_all(rig_take(&rig.base), SINK_EXPORTED);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    uint32_t spans = THREADS * BATCHES_PER_THREAD * SPANS;
    assert_int_equal(receiver_spans(receiver), spans);
    assert_int_equal(rig_counters(&rig.base).spans_exported, spans);
    assert_int_equal(rig_counters(&rig.base).retries, 20);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

/* Whichever allocation fails, the batch is sent in the end. */
static void test_memory_is_short(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    for (uint64_t nth = 0; nth <= 6; nth++) {
        struct otlp_rig rig;
        otlp_rig_init(&rig, receiver_url(receiver));
        otlp_rig_start(&rig);
        struct sink_batch *batch = rig_fill(&rig.base, 1, SPANS, 0);
        memory_fail_at(nth); /* none in the first round, which warms the receiver up */
        sink_submit(rig.base.sink, batch);
        expect_all(rig_take(&rig.base), SINK_EXPORTED);
        memory_fail_at(0);
        otlp_rig_clear(&rig);
    }
    assert_int_equal(receiver_spans(receiver), 7 * SPANS);
    receiver_free(receiver);
}

/* Once warm, a batch of any size costs no allocation of ours. */
static void test_nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    rig.options.in_flight_max = 1;
    otlp_rig_start(&rig);
    expect_all(otlp_rig_send(&rig, 5000), SINK_EXPORTED);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 5000, 0);
    uint64_t before = memory_allocations();
    sink_submit(rig.base.sink, batch);
    batch = rig_take(&rig.base);
    /* libcurl's socket goes in and out of the loop: a watch each. */
    assert_true(memory_allocations() - before <= 4);
    expect_all(batch, SINK_EXPORTED);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_while_backing_off),
        cmocka_unit_test(test_stop_gives_everything_back),
        cmocka_unit_test(test_stop_within_a_batch),
        cmocka_unit_test(test_one_lane_keeps_the_order),
        cmocka_unit_test(test_lanes_work_side_by_side),
        cmocka_unit_test(test_the_queue_is_bounded_in_bytes),
        cmocka_unit_test(test_an_empty_batch_comes_back),
        cmocka_unit_test(test_throttling_closes_the_sink),
        cmocka_unit_test(test_many_workers),
        cmocka_unit_test(test_memory_is_short),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
