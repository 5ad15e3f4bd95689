#include "exchange.h"

#include <pthread.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { SENDERS = 2 };

static struct bytes nothing(void)
{
    return bytes_of(NULL, 0);
}

/* What one end has received: messages carry their sender's count, and a body that follows. */
struct reader {
    uint64_t expected;
    uint64_t seen;
    enum message_type last_type;
    size_t last_len;
    struct exchange *answers_to_itself; /* sends one on while it is read */
};

static uint8_t byte_of(uint64_t number, size_t at)
{
    return (uint8_t)(number * 31 + at);
}

static void on_message(void *arg, enum message_type type, struct bytes body)
{
    struct reader *reader = arg;
    uint64_t number;
    assert_true(body.len >= sizeof(number));
    memcpy(&number, body.at, sizeof(number));
    assert_int_equal(number, reader->expected);
    assert_int_equal(type, number % 8);
    for (size_t i = sizeof(number); i < body.len; i++)
        assert_int_equal(body.at[i], byte_of(number, i));
    reader->expected++;
    reader->seen++;
    reader->last_type = type;
    reader->last_len = body.len;
}

static enum sb_err send_number(struct exchange *exchange, uint32_t to, uint64_t number,
                               size_t len)
{
    static _Thread_local uint8_t body[1 << 18];
    memcpy(body, &number, sizeof(number));
    for (size_t i = sizeof(number); i < len; i++)
        body[i] = byte_of(number, i);
    /* In two pieces, as spans are sent. */
    size_t cut = len / 3;
    return exchange_send(exchange, to, (enum message_type)(number % 8), bytes_of(body, cut),
                         bytes_of(body + cut, len - cut));
}

struct pair {
    struct exchange_net net;
    struct exchange ends[SENDERS];
};

static void set_up(struct pair *pair)
{
    assert_int_equal(exchange_net_init(&pair->net, SENDERS), SB_OK);
    for (uint32_t i = 0; i < SENDERS; i++)
        assert_int_equal(exchange_init(&pair->ends[i], &pair->net, i), SB_OK);
}

static void tear_down(struct pair *pair)
{
    for (uint32_t i = 0; i < SENDERS; i++)
        exchange_clear(&pair->ends[i]);
    exchange_net_clear(&pair->net);
}

static void test_messages_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct reader reader = {0};
    uint64_t sent = 0;
    for (; sent < 100; sent++)
        assert_int_equal(send_number(&pair.ends[0], 1, sent, 8 + sent * 13), SB_OK);
    assert_false(exchange_is_blocked(&pair.ends[0]));
    /* The budget is kept, and it says that there may be more. */
    assert_true(exchange_receive(&pair.ends[1], 60, on_message, &reader));
    assert_int_equal(reader.seen, 60);
    assert_false(exchange_receive(&pair.ends[1], 60, on_message, &reader));
    assert_int_equal(reader.seen, 100);
    assert_int_equal(atomic_load(&pair.ends[0].sent), 100);
    assert_int_equal(atomic_load(&pair.ends[1].received), 100);
    tear_down(&pair);
}

/* What the ring does not take waits in the outbox, and nothing overtakes it there. */
static void test_an_outbox_keeps_the_order(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct exchange *from = &pair.ends[0];
    struct exchange *to = &pair.ends[1];
    struct reader reader = {0};
    struct random random;
    random_init(&random, 6);
    uint64_t sent = 0;
    bool was_blocked = false;
    for (int turn = 0; turn < 400; turn++) {
        for (uint64_t i = random_below(&random, 60); i > 0; i--) {
            size_t len = 8 + random_below(&random, random_chance(&random, 10)
                                                       ? exchange_body_max(from) - 8
                                                       : 600);
            assert_int_equal(send_number(from, 1, sent++, len), SB_OK);
        }
        was_blocked |= exchange_is_blocked(from);
        exchange_receive(to, (uint32_t)random_below(&random, 70), on_message, &reader);
        exchange_flush(from);
        assert_int_equal(atomic_load(&from->sent), sent);
        assert_int_equal(atomic_load(&to->received), reader.seen);
    }
    assert_true(was_blocked);
    while (exchange_is_blocked(from)) {
        exchange_receive(to, 50, on_message, &reader);
        exchange_flush(from);
    }
    exchange_receive(to, UINT32_MAX, on_message, &reader);
    assert_int_equal(reader.seen, sent);
    tear_down(&pair);
}

static void test_an_outbox_gives_back_what_a_burst_took(void **state)
{
    (void)state;
    enum { MESSAGES = 200, LEN = 100000 };
    struct pair pair;
    set_up(&pair);
    struct reader reader = {0};
    for (uint64_t i = 0; i < MESSAGES; i++)
        assert_int_equal(send_number(&pair.ends[0], 1, i, LEN), SB_OK);
    assert_true(pair.ends[0].outboxes[1].room > MESSAGES / 2 * LEN);
    while (exchange_is_blocked(&pair.ends[0])) {
        exchange_receive(&pair.ends[1], 50, on_message, &reader);
        exchange_flush(&pair.ends[0]);
    }
    assert_int_equal(pair.ends[0].outboxes[1].room, 0);
    exchange_receive(&pair.ends[1], MESSAGES, on_message, &reader);
    assert_int_equal(reader.seen, MESSAGES);
    tear_down(&pair);
}

static void test_the_longest_body_fits_an_empty_ring(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct reader reader = {0};
    size_t len = exchange_body_max(&pair.ends[0]);
    /* At every place in the ring, so that it would also have to turn around in it. */
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(send_number(&pair.ends[0], 1, i, i % 2 == 0 ? len : 5000 + i * 8),
                         SB_OK);
        assert_false(exchange_is_blocked(&pair.ends[0]));
        exchange_receive(&pair.ends[1], 1, on_message, &reader);
    }
    assert_int_equal(reader.seen, 50);
    tear_down(&pair);
}

/* A message to oneself may cause the next: all are handled before the call returns. */
static void on_own_message(void *arg, enum message_type type, struct bytes body)
{
    struct reader *reader = arg;
    on_message(reader, type, body);
    if (reader->expected < 300)
        assert_int_equal(send_number(reader->answers_to_itself, 0, reader->expected, 5000),
                         SB_OK);
}

static void test_messages_to_oneself_need_no_ring(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct reader reader = {.answers_to_itself = &pair.ends[0]};
    assert_int_equal(send_number(&pair.ends[0], 0, 0, 20), SB_OK);
    assert_false(exchange_receive(&pair.ends[0], 10, on_own_message, &reader));
    assert_int_equal(reader.seen, 300);
    /* They count for nobody: the sums compare what is between workers. */
    assert_int_equal(atomic_load(&pair.ends[0].sent), 0);
    assert_int_equal(atomic_load(&pair.ends[0].received), 0);
    tear_down(&pair);
}

static void test_an_empty_body_is_a_message(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    assert_int_equal(exchange_send(&pair.ends[0], 1, MESSAGE_PULL, nothing(), nothing()),
                     SB_OK);
    assert_int_equal(atomic_load(&pair.ends[0].sent), 1);
    tear_down(&pair);
}

static void test_a_single_worker_needs_no_rings(void **state)
{
    (void)state;
    struct exchange_net net;
    struct exchange only;
    assert_int_equal(exchange_net_init(&net, 1), SB_OK);
    assert_int_equal(exchange_init(&only, &net, 0), SB_OK);
    struct reader reader = {0};
    assert_int_equal(send_number(&only, 0, 0, 100), SB_OK);
    assert_false(exchange_receive(&only, 5, on_message, &reader));
    assert_int_equal(reader.seen, 1);
    exchange_clear(&only);
    exchange_net_clear(&net);
}

/* A message that finds no memory is not sent, and those around it still are. */
static void test_memory_shortage_loses_one_message_and_says_so(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 12; nth++) {
        struct pair pair;
        set_up(&pair);
        struct reader reader = {0};
        uint64_t sent = 0;
        int failed = 0;
        memory_fail_at(nth);
        for (int i = 0; i < 2000; i++) {
            if (send_number(&pair.ends[0], 1, sent, 1000) == SB_OK)
                sent++;
            else
                failed++;
        }
        memory_fail_at(0);
        assert_true(failed <= 1);
        assert_int_equal(atomic_load(&pair.ends[0].sent), sent);
        do {
            exchange_receive(&pair.ends[1], 100, on_message, &reader);
            exchange_flush(&pair.ends[0]);
        } while (reader.seen < sent);
        tear_down(&pair);
    }
    for (uint64_t nth = 1; nth <= 8; nth++) {
        struct exchange_net net;
        struct exchange end = {0};
        memory_fail_at(nth);
        enum sb_err err = exchange_net_init(&net, SENDERS);
        if (err == SB_OK) {
            err = exchange_init(&end, &net, 0);
            assert_true(err == SB_OK || err == SB_ERR_MEMORY);
            exchange_clear(&end);
            exchange_net_clear(&net);
        }
        memory_fail_at(0);
    }
}

static void test_a_sleeping_reader_is_woken_once(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct reader reader = {0};
    assert_int_equal(send_number(&pair.ends[0], 1, 0, 10), SB_OK);
    assert_false(pair.ends[0].wake[1]); /* nobody sleeps */
    assert_false(exchange_sleep(&pair.ends[1]));
    exchange_receive(&pair.ends[1], 1, on_message, &reader);
    assert_true(exchange_sleep(&pair.ends[1]));
    assert_int_equal(send_number(&pair.ends[0], 1, 1, 10), SB_OK);
    assert_true(pair.ends[0].wake[1]);
    pair.ends[0].wake[1] = false;
    assert_int_equal(send_number(&pair.ends[0], 1, 2, 10), SB_OK);
    assert_false(pair.ends[0].wake[1]);
    tear_down(&pair);
}

static void test_a_message_to_oneself_survives_a_shortage_before_it(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct reader reader = {0};
    memory_fail_at(1);
    assert_int_equal(send_number(&pair.ends[0], 0, 0, 100), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_int_equal(send_number(&pair.ends[0], 0, 0, 100), SB_OK);
    exchange_receive(&pair.ends[0], 1, on_message, &reader);
    assert_int_equal(reader.seen, 1);
    tear_down(&pair);
}

/* Two threads, each sending to the other without ever waiting for it. */
enum { EXCHANGED = 30000 };

struct thread {
    struct exchange *exchange;
    uint32_t other;
    pthread_t id;
};

static void *run_end(void *arg)
{
    struct thread *thread = arg;
    struct reader reader = {0};
    struct random random;
    random_init(&random, 40 + thread->other);
    uint64_t sent = 0;
    while (sent < EXCHANGED || exchange_is_blocked(thread->exchange) ||
           reader.seen < EXCHANGED) {
        /* As the loop does: no new work while the outbox holds any. */
        for (uint64_t i = random_below(&random, 40);
             i > 0 && sent < EXCHANGED && !exchange_is_blocked(thread->exchange); i--) {
            size_t len = 8 + random_below(&random, random_chance(&random, 2) ? 100000 : 300);
            assert_int_equal(send_number(thread->exchange, thread->other, sent++, len), SB_OK);
        }
        exchange_receive(thread->exchange, 64, on_message, &reader);
        exchange_flush(thread->exchange);
    }
    return NULL;
}

static void test_two_threads_exchange_without_waiting(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    struct thread threads[SENDERS];
    for (uint32_t i = 0; i < SENDERS; i++) {
        threads[i] = (struct thread){.exchange = &pair.ends[i], .other = 1 - i};
        assert_int_equal(pthread_create(&threads[i].id, NULL, run_end, &threads[i]), 0);
    }
    for (uint32_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(threads[i].id, NULL), 0);
    for (uint32_t i = 0; i < SENDERS; i++) {
        assert_int_equal(atomic_load(&pair.ends[i].sent), EXCHANGED);
        assert_int_equal(atomic_load(&pair.ends[i].received), EXCHANGED);
    }
    tear_down(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_arrive_whole_and_in_order),
        cmocka_unit_test(test_an_outbox_keeps_the_order),
        cmocka_unit_test(test_an_outbox_gives_back_what_a_burst_took),
        cmocka_unit_test(test_the_longest_body_fits_an_empty_ring),
        cmocka_unit_test(test_messages_to_oneself_need_no_ring),
        cmocka_unit_test(test_an_empty_body_is_a_message),
        cmocka_unit_test(test_a_single_worker_needs_no_rings),
        cmocka_unit_test(test_memory_shortage_loses_one_message_and_says_so),
        cmocka_unit_test(test_a_sleeping_reader_is_woken_once),
        cmocka_unit_test(test_a_message_to_oneself_survives_a_shortage_before_it),
        cmocka_unit_test(test_two_threads_exchange_without_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
