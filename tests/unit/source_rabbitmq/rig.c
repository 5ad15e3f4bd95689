#include "rig.h"

#include <poll.h>
#include <stdio.h>

#include "lanes.h"

enum { PATIENCE_MS = 20000, TURN_MS = 1, POLLED_MAX = 64 };

static void on_open(void *arg, const struct source_lane *lane)
{
    struct rig *rig = arg;
    assert_true(lane->lane < RIG_LANES_MAX && !rig->open[lane->lane]);
    rig->open[lane->lane] = true;
    rig->lanes[lane->lane] = *lane;
    rig->opened++;
}

/* As the worker does: what was polled of the lane is forgotten. */
static void forget(struct rig *rig, uint32_t lane)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < rig->kept_count; i++) {
        if (rig->kept[i].lane == lane)
            source_record_release(&rig->kept[i]);
        else
            rig->kept[left++] = rig->kept[i];
    }
    rig->kept_count = left;
}

static void on_close(void *arg, const struct source_lane *lanes, size_t count, bool lost)
{
    struct rig *rig = arg;
    for (size_t i = 0; i < count; i++) {
        assert_true(rig->open[lanes[i].lane]);
        rig->open[lanes[i].lane] = false;
        rig->closed++;
        rig->lost += lost;
        rig->gone += lanes[i].gone;
        forget(rig, lanes[i].lane);
    }
}

static void on_dead_letter(void *arg, void *ticket, enum sb_err result)
{
    struct rig *rig = arg;
    assert_ptr_equal(ticket, rig);
    rig->letters++;
    rig->letters_failed += result != SB_OK;
    rig->letter_result = result;
}

static void on_trouble(void *arg, const char *what, const char *text, bool fatal)
{
    struct rig *rig = arg;
    assert_false(fatal);
    rig->troubles += text != NULL;
    rig->cleared += text == NULL;
    (void)snprintf(rig->trouble_what, sizeof(rig->trouble_what), "%s", what);
    (void)snprintf(rig->trouble, sizeof(rig->trouble), "%s", text == NULL ? "" : text);
}

static void on_gap(void *arg, const char *text)
{
    struct rig *rig = arg;
    (void)snprintf(rig->gap, sizeof(rig->gap), "%s", text);
}

void rig_init(struct rig *rig, fake_script script, void *arg)
{
    memset(rig, 0, sizeof(*rig));
    fake_clock_init(&rig->clock);
    rig->broker = fake_broker_new(script, arg);
    fake_broker_url(rig->broker, rig->url);
    rig->publishing = true;
    rig->topics[0] = (struct source_topic){.kind = SOURCE_RABBITMQ, .role = SOURCE_SPANS};
    rig->queues[0] = (struct source_rabbitmq_topic){
        .broker = {.url = rig->url}, .queue = "q", .consumers = 1, .prefetch = 100};
    rig->options = (struct source_rabbitmq_options){
        .numbers = &rig->numbers,
        .topics = rig->topics,
        .queues = rig->queues,
        .topic_count = 1,
        .workers = 1,
        .client_name = "test",
        .prefetch_bytes = 1 << 20,
        .window_wait_ns = 30 * NS_PER_S,
        .replay_ns = 60 * NS_PER_S,
        .lateness_ns = 5 * NS_PER_S,
        .clock = &rig->clock.source,
        .events = {.on_open = on_open,
                   .on_close = on_close,
                   .on_dead_letter = on_dead_letter,
                   .on_trouble = on_trouble,
                   .on_gap = on_gap,
                   .arg = rig},
    };
}

struct feed *rig_feed(struct rig *rig)
{
    return &rabbitmq_of(rig->source)->feeds[0];
}

struct lane *rig_lane(struct rig *rig, uint32_t consumer)
{
    return &rig_feed(rig)->lanes[consumer];
}

enum sb_err rig_new(struct rig *rig)
{
    enum sb_err err = source_rabbitmq_new(&rig->options, &rig->source);
    if (err != SB_OK)
        return err;
    assert_int_equal(sources_new(1, rig->options.topic_count, &rig->sources), SB_OK);
    assert_int_equal(sources_add(rig->sources, rig->source), SB_OK);
    return SB_OK;
}

void rig_start(struct rig *rig)
{
    assert_int_equal(rig_new(rig), SB_OK);
    assert_int_equal(sources_start(rig->sources), SB_OK);
}

void rig_end(struct rig *rig, bool commit)
{
    sources_stop_intake(rig->sources);
    rig_release_kept(rig);
    sources_free(rig->sources, commit);
    const char *fault = fake_broker_fault(rig->broker);
    if (fault != NULL)
        print_error("script: %s\n", fault);
    assert_null(fault);
    fake_broker_free(rig->broker);
}

static void copy_text(struct bytes in, char ret[RIG_VALUE_LEN])
{
    size_t len = in.len < RIG_VALUE_LEN ? in.len : RIG_VALUE_LEN - 1;
    if (len > 0)
        memcpy(ret, in.at, len);
    ret[len] = '\0';
}

static void take(struct rig *rig, struct record *record, bool tap)
{
    assert_true(rig->seen_count < RIG_SEEN_MAX);
    assert_true(rig->open[record->lane]);
    struct rig_record *seen = &rig->seen[rig->seen_count++];
    struct record_header headers[4];
    *seen = (struct rig_record){
        .lane = record->lane,
        .partition = record->partition,
        .offset = record->offset,
        .time_ms = record->time_ms,
        .time_type = record->time_type,
        .flaw = record->flaw,
        .tap = tap,
        .header_count = (uint32_t)source_record_headers(record, headers, 4),
        .value_len = record->value.len,
    };
    copy_text(record->value, seen->value);
    copy_text(record->key, seen->key);
    if (rig->keeping)
        rig->kept[rig->kept_count++] = *record;
    else
        source_record_release(record);
    if (rig->publishing && !tap)
        rig_publish(rig, seen->lane, seen->offset + 1);
}

void rig_turn(struct rig *rig)
{
    struct record records[POLLED_MAX];
    sources_service(rig->sources);
    if (!rig->paused) {
        size_t count = sources_poll(rig->sources, 0, 0, records, POLLED_MAX);
        for (size_t i = 0; i < count; i++)
            take(rig, &records[i], false);
        count = sources_poll_taps(rig->sources, 0, records, POLLED_MAX);
        for (size_t i = 0; i < count; i++)
            take(rig, &records[i], true);
    }
    struct pollfd wait = {.fd = sources_event_fd(rig->sources), .events = POLLIN};
    (void)poll(&wait, 1, TURN_MS);
}

void rig_advance_ms(struct rig *rig, uint64_t ms)
{
    struct source_rabbitmq *source = rabbitmq_of(rig->source);
    fake_clock_advance_ms(&rig->clock, ms);
    for (uint32_t i = 0; i < source->feed_count; i++)
        feed_wake(&source->feeds[i]);
}

void rig_release_kept(struct rig *rig)
{
    for (uint32_t i = 0; i < rig->kept_count; i++)
        source_record_release(&rig->kept[i]);
    rig->kept_count = 0;
}

void rig_publish(struct rig *rig, uint32_t lane, int64_t offset)
{
    rig->source->ops->publish(rig->source, 0, lane, offset);
}

uint64_t rig_deadline_ms(void)
{
    return clock_monotonic_ns(clock_system()) / NS_PER_MS + PATIENCE_MS;
}

void rig_check_deadline(struct rig *rig, uint64_t until_ms, const char *condition)
{
    if (clock_monotonic_ns(clock_system()) / NS_PER_MS < until_ms)
        return;
    const char *fault = fake_broker_fault(rig->broker);
    print_error("not in time: %s; trouble: %s; script: %s\n", condition, rig->trouble,
                fault == NULL ? "" : fault);
    fail();
}

bool script_consumed(struct fake_peer *peer, uint32_t consumers)
{
    if (!peer_handshake(peer))
        return false;
    for (uint32_t i = 0; i < consumers; i++)
        if (!peer_serve(peer, AMQP_BASIC_CONSUME_METHOD))
            return false;
    return true;
}

bool script_acked(struct fake_peer *peer, uint64_t *ret)
{
    if (!peer_serve(peer, AMQP_BASIC_ACK_METHOD))
        return false;
    if (peer->frame.len != 9 || peer->frame.at[8] != 1)
        return peer_fail(peer, "an ack for one alone");
    uint64_t tag = 0;
    for (int i = 0; i < 8; i++)
        tag = tag << 8 | peer->frame.at[i];
    *ret = tag;
    return true;
}

bool script_acked_to(struct fake_peer *peer, uint64_t tag)
{
    uint64_t acked = 0;
    uint64_t before = 0;
    while (acked < tag) {
        if (!script_acked(peer, &acked))
            return peer_fail(peer, "not acked to the end");
        if (acked <= before)
            return peer_fail(peer, "acked twice");
        before = acked;
    }
    return acked == tag || peer_fail(peer, "acked what is not finished");
}
