#include "feed.h"

#include "position.h"
#include "rig.h"
#include "support/temp_dir.h"

static void refuse_login(struct fake_peer *peer)
{
    if (peer->number > 0) {
        if (script_consumed(peer, 1))
            peer_serve_to_the_end(peer);
        return;
    }
    if (peer_take_login(peer) && peer_close(peer, 0, 403, "ACCESS_REFUSED - Login was refused"))
        (void)peer_read(peer);
}

static void test_a_refused_login_is_trouble_and_tried_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, refuse_login, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "as user guest: ACCESS_REFUSED"));
    assert_null(strstr(rig.trouble, "secret"));
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.opened == 1 && rig.cleared == 1);
    rig_end(&rig, true);
}

static void cut_after_one(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !peer_deliver(peer, 2, 1, "first") ||
        !script_acked_to(peer, 1))
        return;
    if (peer->number < 2)
        return;
    peer_serve_to_the_end(peer);
}

/* Each connection counts its deliveries anew: the script fails on acks of another one. */
static void test_a_cut_connection_is_made_anew(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, cut_after_one, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.closed == 1);
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.closed == 2);
    rig_advance_ms(&rig, 2001);
    RIG_UNTIL(&rig, rig.seen_count == 3);
    assert_int_equal(rig.lost, 2);
    rig_end(&rig, true);
}

static void cancel(struct fake_peer *peer)
{
    const _Atomic bool *opened = peer->arg;
    if (!script_consumed(peer, 1))
        return;
    while (!atomic_load(opened)) {
    }
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "spanbridge");
    wire_u8(&peer->wire, 1);
    (void)peer_send_method(peer, 2, AMQP_BASIC_CANCEL_METHOD);
    /* All is declared again, on the same connection, before it is consumed. */
    if (!peer_serve(peer, AMQP_CHANNEL_CLOSE_METHOD) ||
        !peer_serve(peer, AMQP_EXCHANGE_DECLARE_METHOD) ||
        !peer_serve(peer, AMQP_BASIC_CONSUME_METHOD)) {
        (void)peer_fail(peer, "not declared again");
        return;
    }
    if (peer->frame.channel == 2)
        (void)peer_fail(peer, "the old channel's number");
    peer_serve_to_the_end(peer);
}

static void test_a_deleted_queue_is_waited_for(void **state)
{
    (void)state;
    struct rig rig;
    _Atomic bool opened = false;
    rig_init(&rig, cancel, &opened);
    rig.queues[0].declare = true;
    rig.queues[0].exchange = "ex";
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.open[0]);
    atomic_store(&opened, true);
    RIG_UNTIL(&rig, rig.troubles == 1 && rig.closed == 1);
    assert_non_null(strstr(rig.trouble, "the queue is gone"));
    assert_int_equal(rig.gone, 1); /* and its messages with it: what was read is all there is */
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.open[0] && rig.trouble[0] == '\0');
    rig_end(&rig, true);
}

static void count(struct fake_peer *peer)
{
    peer->ready = 5;
    peer->consumers = 1;
    if (!script_consumed(peer, 1))
        return;
    peer->ready = 17;
    if (peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        peer_serve_to_the_end(peer);
}

static void test_the_queue_is_counted_each_second(void **state)
{
    (void)state;
    struct rig rig;
    struct source_lag lag = {.records = 0};
    rig_init(&rig, count, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    assert_int_equal(sources_lags(rig.sources, &lag, 1), 1);
    assert_int_equal(lag.records, 5);
    rig_advance_ms(&rig, 1000);
    RIG_UNTIL(&rig, sources_lags(rig.sources, &lag, 1) == 1 && lag.records == 17);
    assert_false(sources_spans_drained(rig.sources));
    assert_true(sources_taps_drained(rig.sources));
    rig_end(&rig, true);
}

static bool deliver_offset(struct fake_peer *peer, uint64_t tag, int64_t offset)
{
    if (!peer_deliver_method(peer, 2, tag))
        return false;
    size_t table = wire_begin_table(&peer->wire);
    wire_long_entry(&peer->wire, "x-stream-offset", offset);
    wire_end_table(&peer->wire, table);
    return peer_send_header(peer, 2, 0);
}

/* At 40 a chunk begins; the position is 42, and 43 has been removed. */
static void stream(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    if (memmem(peer->frame.at, peer->frame.len, "l\0\0\0\0\0\0\0\52", 9) == NULL)
        (void)peer_fail(peer, "another position");
    if (deliver_offset(peer, 1, 40) && deliver_offset(peer, 2, 42) &&
        deliver_offset(peer, 3, 44) && script_acked_to(peer, 3))
        peer_serve_to_the_end(peer);
}

static void test_a_stream_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct rig rig;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    int64_t position = 0;
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    assert_int_equal(position_write(path, "q", 42), SB_OK);
    rig_init(&rig, stream, NULL);
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    rig.queues[0].offsets_file = path;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 2);
    assert_int_equal(rig.seen[0].offset, 42);
    assert_int_equal(rig.seen[1].offset, 44);
    assert_string_equal(rig.gap, "");
    rig_end(&rig, true);
    assert_int_equal(position_read(path, "q", &position), SB_OK);
    assert_int_equal(position, 45);
    temp_dir_remove(&dir);
}

static void trimmed(struct fake_peer *peer)
{
    if (script_consumed(peer, 1) && deliver_offset(peer, 1, 100))
        peer_serve_to_the_end(peer);
}

static void test_what_a_stream_has_lost_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    assert_int_equal(position_write(path, "q", 42), SB_OK);
    rig_init(&rig, trimmed, NULL);
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    rig.queues[0].offsets_file = path;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 1);
    RIG_UNTIL(&rig, rig.gap[0] != '\0');
    assert_string_equal(rig.gap, "stream q: offsets 42 to 99 are gone");
    rig_end(&rig, true);
    temp_dir_remove(&dir);
}

static void test_a_file_that_holds_no_position(void **state)
{
    (void)state;
    struct rig rig;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    temp_dir_write(&dir, "offsets", "garbage", 7);
    rig_init(&rig, peer_ignore, NULL);
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    rig.queues[0].offsets_file = path;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "holds no position of this queue"));
    rig_end(&rig, true);
    temp_dir_remove(&dir);
}

/* The clock stands still, so that the position would be written at the end alone. */
static void test_without_a_commit_nothing_is_written(void **state)
{
    (void)state;
    struct rig rig;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    int64_t position = 0;
    temp_dir_make(&dir);
    temp_dir_path(&dir, "offsets", path);
    assert_int_equal(position_write(path, "q", 42), SB_OK);
    rig_init(&rig, trimmed, NULL);
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    rig.queues[0].offsets_file = path;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 1);
    rig_end(&rig, false);
    assert_int_equal(position_read(path, "q", &position), SB_OK);
    assert_int_equal(position, 42);
    temp_dir_remove(&dir);
}

/* The last watermark comes after the intake has been stopped. */
static void expect_cancel_and_ack(struct fake_peer *peer)
{
    _Atomic bool *cancelled = peer->arg;
    if (!script_consumed(peer, 1) || !peer_deliver(peer, 2, 1, "x") ||
        !peer_serve(peer, AMQP_BASIC_CANCEL_METHOD))
        return;
    atomic_store(cancelled, true);
    if (script_acked_to(peer, 1))
        peer_serve_to_the_end(peer);
}

static void test_after_the_stop_watermarks_still_count(void **state)
{
    (void)state;
    struct rig rig;
    _Atomic bool cancelled = false;
    rig_init(&rig, expect_cancel_and_ack, &cancelled);
    rig.publishing = false;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 1);
    sources_stop_intake(rig.sources);
    RIG_UNTIL(&rig, atomic_load(&cancelled));
    rig_publish(&rig, 0, 2);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_login_is_trouble_and_tried_again),
        cmocka_unit_test(test_a_cut_connection_is_made_anew),
        cmocka_unit_test(test_a_deleted_queue_is_waited_for),
        cmocka_unit_test(test_the_queue_is_counted_each_second),
        cmocka_unit_test(test_a_stream_goes_on_where_it_stopped),
        cmocka_unit_test(test_what_a_stream_has_lost_is_told),
        cmocka_unit_test(test_a_file_that_holds_no_position),
        cmocka_unit_test(test_without_a_commit_nothing_is_written),
        cmocka_unit_test(test_after_the_stop_watermarks_still_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
