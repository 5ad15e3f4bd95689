#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

enum { PARTITIONS = 6, EACH = 300 };

static struct driver first;
static struct driver second;

static void init_member(struct driver *driver, struct mock_kafka *kafka, const char *strategy)
{
    driver_init(driver, kafka->bootstrap);
    driver_topic(driver, "spans", SOURCE_SPANS);
    driver_property(driver, "partition.assignment.strategy", strategy);
}

static void start_member(struct driver *driver, struct mock_kafka *kafka, const char *strategy)
{
    init_member(driver, kafka, strategy);
    driver_start(driver);
}

static void fill_all(struct mock_kafka *kafka)
{
    for (int32_t i = 0; i < PARTITIONS; i++)
        mock_kafka_fill(kafka, "spans", i, EACH);
}

static uint32_t lanes_now(struct driver *driver)
{
    return driver_number(driver, &driver->opened) - driver_number(driver, &driver->closed);
}

/* What both saw together, each record once. */
static size_t together(void)
{
    bool seen[PARTITIONS][EACH * 3] = {{false}};
    struct driver *drivers[] = {&first, &second};
    size_t count = 0;
    for (int d = 0; d < 2; d++) {
        pthread_mutex_lock(&drivers[d]->lock);
        for (size_t i = 0; i < drivers[d]->seen_count; i++)
            seen[drivers[d]->seen[i].partition][drivers[d]->seen[i].offset] = true;
        pthread_mutex_unlock(&drivers[d]->lock);
    }
    for (int p = 0; p < PARTITIONS; p++)
        for (int o = 0; o < EACH * 3; o++)
            count += seen[p][o];
    return count;
}

static void turn_both(void)
{
    driver_turn(&first);
    driver_turn(&second);
}

#define BOTH_UNTIL(condition)                                                                  \
    for (uint64_t until_ms_ = bench_deadline_ms(); !(condition);                               \
         bench_check_deadline(until_ms_, #condition))                                          \
    turn_both()

/*
 * The mock, unlike brokers, turns away who syncs after its leader, and the leader deals for all.
 * Who is turned away joins anew, and while somebody joins the mock refuses commits: the next
 * owner then reads twice.  So the leader, which is the first member, hears last of each round of
 * joining.  A second round is that of cooperative members; there the leader is the first to join.
 */
static void tell_leader_last(struct mock_kafka *kafka)
{
    enum { BROKER = 1, JOIN_GROUP = 11, AT_ONCE_MS = 0, LATER_MS = 1500 };
    const rd_kafka_resp_err_t fine = RD_KAFKA_RESP_ERR_NO_ERROR;
    assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
                         kafka->cluster, BROKER, JOIN_GROUP, 4, fine, AT_ONCE_MS, fine,
                         LATER_MS, fine, LATER_MS, fine, AT_ONCE_MS),
                     0);
}

/* One member reads, a second joins, both read, the first leaves: nothing is lost. */
static void member_comes_and_goes(const char *strategy)
{
    struct mock_kafka kafka;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    fill_all(&kafka);
    start_member(&first, &kafka, strategy);
    DRIVER_UNTIL(&first, driver_count(&first, "spans") == (size_t)PARTITIONS * EACH);

    /* The mock, unlike brokers, refuses commits as soon as somebody joins. */
    for (int32_t i = 0; i < PARTITIONS; i++)
        DRIVER_UNTIL(&first, mock_kafka_committed(&kafka, "g", "spans", i) == EACH);
    tell_leader_last(&kafka);
    start_member(&second, &kafka, strategy);
    BOTH_UNTIL(lanes_now(&first) == PARTITIONS / 2 && lanes_now(&second) == PARTITIONS / 2);
    fill_all(&kafka);
    BOTH_UNTIL(together() == (size_t)PARTITIONS * EACH * 2);
    assert_true(second.seen_count > 0);
    assert_true(second.seen[0].offset >= EACH); /* resumed at what the first had committed */
    assert_int_equal(second.lost, 0);

    driver_stop(&first, true);
    DRIVER_UNTIL(&second, lanes_now(&second) == PARTITIONS);
    fill_all(&kafka);
    DRIVER_UNTIL(&second, together() == (size_t)PARTITIONS * EACH * 3);
    assert_int_equal(first.lost + first.gone, 0);
    driver_clear(&second);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

static void eager_members_share(void **state)
{
    (void)state;
    member_comes_and_goes("range");
    /* The eager protocol takes all away before it deals anew. */
    assert_true(first.closed >= PARTITIONS);
}

static void cooperative_members_share(void **state)
{
    (void)state;
    member_comes_and_goes("cooperative-sticky");
    assert_int_equal(first.closed, PARTITIONS / 2);
}

/* What is published in on_close is committed before the partition goes to the next owner. */
static void a_revocation_commits(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    fill_all(&kafka);
    init_member(&first, &kafka, "cooperative-sticky");
    first.options.commit_interval_ns = 3600 * NS_PER_S;
    driver_start(&first);
    DRIVER_UNTIL(&first, driver_count(&first, "spans") == (size_t)PARTITIONS * EACH);
    init_member(&second, &kafka, "cooperative-sticky");
    tell_leader_last(&kafka);
    driver_start(&second);
    BOTH_UNTIL(lanes_now(&second) == PARTITIONS / 2);
    BOTH_UNTIL(source_kafka_spans_drained(second.source));
    assert_int_equal(second.seen_count, 0);
    int committed = 0;
    for (int32_t i = 0; i < PARTITIONS; i++)
        committed += mock_kafka_committed(&kafka, "g", "spans", i) == EACH;
    assert_int_equal(committed, PARTITIONS / 2);
    driver_clear(&second);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

/* A letter that is under way arrives first: else the next owner would send another. */
static void a_revocation_waits_for_letters(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    mock_kafka_topic(&kafka, "letters", 1);
    init_member(&first, &kafka, "cooperative-sticky");
    first.topics[0].dead_letter_topic = "letters";
    driver_property(&first, "linger.ms", "60000"); /* not by itself */
    driver_start(&first);
    DRIVER_UNTIL(&first, lanes_now(&first) == PARTITIONS);
    init_member(&second, &kafka, "cooperative-sticky");
    driver_start(&second);
    const struct source_dead_letter letter = {.topic = 0, .value = BYTES_LITERAL("v")};
    assert_int_equal(source_kafka_dead_letter(first.source, &letter), SB_OK);
    BOTH_UNTIL(lanes_now(&second) == PARTITIONS / 2);
    assert_int_equal(first.letters_done_at_close, 1);
    driver_clear(&second);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

static size_t fetches_tracked(const struct mock_kafka *kafka)
{
    enum { FETCH = 1 };
    size_t count, fetches = 0;
    rd_kafka_mock_request_t **requests = rd_kafka_mock_get_requests(kafka->cluster, &count);
    for (size_t i = 0; i < count; i++)
        fetches += rd_kafka_mock_request_api_key(requests[i]) == FETCH;
    rd_kafka_mock_request_destroy_array(requests, count);
    return fetches;
}

/*
 * The worst that can happen between a seek and the opening of the lane: what lies there has been
 * fetched (it has when the fetch after the next one is sent), and the worker has polled.
 */
static void be_slow_to_reopen(struct driver *driver, const struct source_lane *lane)
{
    struct mock_kafka *kafka = driver->before_open_arg;
    if (driver_number(driver, &driver->opened) == 0)
        return;
    rd_kafka_mock_start_request_tracking(kafka->cluster);
    BENCH_UNTIL(fetches_tracked(kafka) >= 2);
    rd_kafka_mock_stop_request_tracking(kafka->cluster);
    uint64_t polls = atomic_load(&driver->workers[lane->worker].polls);
    BENCH_UNTIL(atomic_load(&driver->workers[lane->worker].polls) >= polls + 2);
}

/* The broker goes back: records come again from there, in a lane that was opened anew. */
static void a_partition_that_goes_back_is_opened_anew(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 50);
    init_member(&first, &kafka, "range");
    first.before_open = be_slow_to_reopen;
    first.before_open_arg = &kafka;
    driver_start(&first);
    DRIVER_UNTIL(&first, driver_count(&first, "spans") == 50);
    DRIVER_UNTIL(&first, mock_kafka_committed(&kafka, "g", "spans", 0) == 50);
    rd_kafka_mock_topic_delete(kafka.cluster, "spans");
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 20);
    DRIVER_UNTIL(&first, driver_count(&first, "spans") == 70);
    assert_int_equal(first.opened, 2);
    assert_int_equal(first.closed, 1);
    assert_int_equal(first.lost, 1);
    assert_int_equal(first.gone, 1); /* nobody can read it again */
    assert_int_equal(first.seen[50].offset, 0);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eager_members_share),
        cmocka_unit_test(cooperative_members_share),
        cmocka_unit_test(a_revocation_commits),
        cmocka_unit_test(a_revocation_waits_for_letters),
        cmocka_unit_test(a_partition_that_goes_back_is_opened_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
