#include "core/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { RING_BYTES = 4096 };

static struct ring *make_ring(size_t bytes)
{
    struct ring *ring = NULL;
    assert_int_equal(ring_new(bytes, &ring), SB_OK);
    assert_non_null(ring);
    return ring;
}

static void test_size_is_rounded_up(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        size_t rounded;
    } cases[] = {{0, 4096}, {4096, 4096}, {4097, 8192}, {100000, 131072}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ring *ring = make_ring(cases[i].bytes);
        assert_int_equal(ring_message_max(ring), cases[i].rounded / 4);
        ring_free(ring);
    }
    ring_free(NULL);
}

static void test_messages_come_in_order_and_cut(void **state)
{
    (void)state;
    struct ring *ring = make_ring(RING_BYTES);
    struct bytes got;
    assert_false(ring_peek(ring, &got));
    uint8_t *at = ring_reserve(ring, 100);
    assert_int_equal((uintptr_t)at % 8, 0);
    memcpy(at, "first", 5);
    assert_false(ring_peek(ring, &got)); /* not before the commit */
    assert_false(ring_commit(ring, 5));
    at = ring_reserve(ring, 6);
    memcpy(at, "second", 6);
    assert_false(ring_commit(ring, 6));
    assert_non_null(ring_reserve(ring, 0));
    assert_false(ring_commit(ring, 0));
    for (int twice = 0; twice < 2; twice++) {
        assert_true(ring_peek(ring, &got));
        assert_true(bytes_equal(got, BYTES_LITERAL("first")));
    }
    ring_release(ring);
    assert_true(ring_peek(ring, &got));
    assert_true(bytes_equal(got, BYTES_LITERAL("second")));
    ring_release(ring);
    assert_true(ring_peek(ring, &got));
    assert_int_equal(got.len, 0);
    ring_release(ring);
    assert_false(ring_peek(ring, &got));
    ring_free(ring);
}

static void test_a_reserve_without_commit_is_forgotten(void **state)
{
    (void)state;
    struct ring *ring = make_ring(RING_BYTES);
    memset(ring_reserve(ring, 500), 'x', 500);
    memcpy(ring_reserve(ring, 4), "kept", 4);
    assert_false(ring_commit(ring, 4));
    struct bytes got;
    assert_true(ring_peek(ring, &got));
    assert_true(bytes_equal(got, BYTES_LITERAL("kept")));
    ring_release(ring);
    assert_false(ring_peek(ring, &got));
    ring_free(ring);
}

static void test_a_full_ring_refuses_until_released(void **state)
{
    (void)state;
    struct ring *ring = make_ring(RING_BYTES);
    assert_null(ring_reserve(ring, ring_message_max(ring) + 1));
    assert_null(ring_reserve(ring, SIZE_MAX));
    /* 64 messages of 56 + 8 bytes fill it to the last byte. */
    for (int i = 0; i < 64; i++) {
        uint8_t *at = ring_reserve(ring, 56);
        assert_non_null(at);
        memset(at, i, 56);
        assert_false(ring_commit(ring, 56));
    }
    assert_null(ring_reserve(ring, 0));
    struct bytes got;
    assert_true(ring_peek(ring, &got));
    assert_int_equal(got.at[0], 0);
    assert_null(ring_reserve(ring, 56)); /* peeked is not released */
    ring_release(ring);
    assert_non_null(ring_reserve(ring, 56));
    ring_free(ring);
}

static void test_the_longest_message_fits_wherever_the_ring_stands(void **state)
{
    (void)state;
    struct ring *ring = make_ring(RING_BYTES);
    struct bytes got;
    for (size_t i = 0; i < 3000; i++) {
        size_t len = i % 2 == 0 ? ring_message_max(ring) : i % 61;
        uint8_t *at = ring_reserve(ring, len);
        assert_non_null(at); /* or a writer could wait for ever */
        memset(at, (int)(i & 255), len);
        assert_false(ring_commit(ring, len));
        assert_true(ring_peek(ring, &got));
        assert_int_equal(got.len, len);
        for (size_t k = 0; k < len; k++)
            assert_int_equal(got.at[k], i & 255);
        ring_release(ring);
    }
    ring_free(ring);
}

enum { MODEL_MAX = 1024 };

struct model_message {
    size_t len;
    uint8_t fill;
};

/* A plain queue of what was committed, beside the ring, in one thread. */
static void test_random_operations_against_a_model(void **state)
{
    (void)state;
    static struct model_message model[MODEL_MAX];
    struct random random;
    random_init(&random, 9);
    struct ring *ring = make_ring(RING_BYTES);
    size_t first = 0;
    size_t last = 0;
    unsigned full = 0;
    for (int step = 0; step < 200000; step++) {
        struct bytes got;
        if (random_chance(&random, 52)) {
            size_t len = random_below(&random, random_chance(&random, 20) ? 1025 : 40);
            uint8_t *at = ring_reserve(ring, len);
            if (at == NULL) {
                full++;
                assert_true(last - first > 0);
                continue;
            }
            size_t cut = random_chance(&random, 10) ? len / 2 : len;
            struct model_message *message = &model[last++ % MODEL_MAX];
            *message = (struct model_message){cut, (uint8_t)random_next(&random)};
            memset(at, message->fill, cut);
            assert_false(ring_commit(ring, cut));
            assert_true(last - first <= MODEL_MAX);
        } else if (ring_peek(ring, &got)) {
            assert_true(first < last);
            struct model_message message = model[first++ % MODEL_MAX];
            assert_int_equal(got.len, message.len);
            for (size_t k = 0; k < got.len; k++)
                assert_int_equal(got.at[k], message.fill);
            ring_release(ring);
        } else {
            assert_int_equal(first, last);
        }
    }
    assert_true(full > 100); /* the test was worth something */
    ring_free(ring);
}

static void test_one_wake_up_per_sleep(void **state)
{
    (void)state;
    struct ring *ring = make_ring(RING_BYTES);
    struct bytes got;
    assert_true(ring_sleep(ring));
    assert_non_null(ring_reserve(ring, 1));
    assert_true(ring_commit(ring, 1));
    assert_non_null(ring_reserve(ring, 1));
    assert_false(ring_commit(ring, 1));
    assert_false(ring_sleep(ring)); /* there is something */
    assert_non_null(ring_reserve(ring, 1));
    assert_false(ring_commit(ring, 1)); /* it did not sleep */
    for (int i = 0; i < 3; i++) {
        assert_true(ring_peek(ring, &got));
        ring_release(ring);
    }
    assert_true(ring_sleep(ring));
    assert_non_null(ring_reserve(ring, 1));
    assert_true(ring_commit(ring, 1));
    ring_free(ring);
}

struct link {
    struct ring *ring;
    sem_t wake;
    uint64_t messages;
    unsigned pause_percent; /* how often the writer gives way after a message */
    uint64_t wakes;         /* counted by the writer */
};

/* Message i has a length and a content that follow from i alone. */
static size_t expected_message(struct random *random, uint8_t ret[1024])
{
    size_t len = random_below(random, random_chance(random, 5) ? 1025 : 50);
    memset(ret, (int)(random_next(random) & 255), len);
    return len;
}

static void *write_messages(void *arg)
{
    struct link *link = arg;
    struct random random;
    struct random pauses;
    random_init(&random, 77);
    random_init(&pauses, 78);
    uint8_t message[1024];
    for (uint64_t i = 0; i < link->messages; i++) {
        size_t len = expected_message(&random, message);
        void *at;
        while ((at = ring_reserve(link->ring, len)) == NULL)
            sched_yield();
        memcpy(at, message, len);
        if (ring_commit(link->ring, len)) {
            link->wakes++;
            sem_post(&link->wake);
        }
        if (random_chance(&pauses, link->pause_percent))
            sched_yield();
    }
    return NULL;
}

/* Waits for a wake-up; a lost one is a failure after 20 s, not a test that hangs. */
static void wait_for_wake(struct link *link)
{
    struct timespec until;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_sec += 20;
    int result;
    do {
        result = sem_timedwait(&link->wake, &until);
    } while (result != 0 && errno == EINTR);
    assert_int_equal(result, 0);
}

/* Reads all messages, checks each, and returns how often it was about to sleep. */
static uint64_t read_messages(struct link *link)
{
    struct random random;
    random_init(&random, 77);
    uint8_t message[1024];
    uint64_t attempts = 0;
    for (uint64_t i = 0; i < link->messages;) {
        struct bytes got;
        if (!ring_peek(link->ring, &got)) {
            attempts++;
            if (ring_sleep(link->ring))
                wait_for_wake(link);
            continue;
        }
        size_t len = expected_message(&random, message);
        assert_true(bytes_equal(got, bytes_of(message, len)));
        ring_release(link->ring);
        i++;
    }
    return attempts;
}

static void run_two_threads(uint64_t messages, unsigned pause_percent)
{
    struct link link = {
        .ring = make_ring(RING_BYTES), .messages = messages, .pause_percent = pause_percent};
    assert_int_equal(sem_init(&link.wake, 0, 0), 0);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_messages, &link), 0);
    uint64_t attempts = read_messages(&link);
    assert_int_equal(pthread_join(writer, NULL), 0);
    /* None was lost, or the reader had waited in vain; none was made up. */
    assert_in_range(link.wakes, 1, attempts);
    struct bytes got;
    assert_false(ring_peek(link.ring, &got));
    sem_destroy(&link.wake);
    ring_free(link.ring);
}

static void test_two_threads_pass_everything(void **state)
{
    (void)state;
    run_two_threads(200000, 0);
}

static void test_two_threads_lose_no_wake_up(void **state)
{
    (void)state;
    run_two_threads(50000, 100);
}

static void test_memory_shortage_is_reported(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct ring *ring = NULL;
        memory_fail_at(nth);
        assert_int_equal(ring_new(RING_BYTES, &ring), SB_ERR_MEMORY);
        assert_null(ring);
    }
    memory_fail_at(0);
    struct ring *ring = NULL;
    assert_int_equal(ring_new(SIZE_MAX, &ring), SB_ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_is_rounded_up),
        cmocka_unit_test(test_messages_come_in_order_and_cut),
        cmocka_unit_test(test_a_reserve_without_commit_is_forgotten),
        cmocka_unit_test(test_a_full_ring_refuses_until_released),
        cmocka_unit_test(test_the_longest_message_fits_wherever_the_ring_stands),
        cmocka_unit_test(test_random_operations_against_a_model),
        cmocka_unit_test(test_one_wake_up_per_sleep),
        cmocka_unit_test(test_two_threads_pass_everything),
        cmocka_unit_test(test_two_threads_lose_no_wake_up),
        cmocka_unit_test(test_memory_shortage_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
