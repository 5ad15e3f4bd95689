#include "rig.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "otlp/keys.h"
#include "otlp/scan.h"
#include "otlp/write.h"

enum { WAIT_S = 30, LOG_BYTES = 1 << 20, BATCH_BYTES = 64 << 20, SPARE_SPANS = 16 };

static uint8_t resource_fields[RIG_ENVELOPES][3];
static struct otlp_envelope envelopes[RIG_ENVELOPES];

/* ResourceSpans.schema_url, one letter: the smallest envelopes that differ. */
static void make_envelopes(void)
{
    for (uint8_t i = 0; i < RIG_ENVELOPES; i++) {
        resource_fields[i][0] = 3 << 3 | 2;
        resource_fields[i][1] = 1;
        resource_fields[i][2] = (uint8_t)('a' + i);
        envelopes[i] =
            (struct otlp_envelope){.resource_fields = bytes_of(resource_fields[i], 3)};
    }
}

static void lock(struct rig *rig)
{
    assert_int_equal(pthread_mutex_lock(&rig->lock), 0);
}

static void unlock(struct rig *rig)
{
    assert_int_equal(pthread_mutex_unlock(&rig->lock), 0);
}

void rig_on_done(void *arg, struct sink_batch *batch)
{
    struct rig *rig = arg;
    (void)pthread_mutex_lock(&rig->lock);
    struct mailbox_item **at = (struct mailbox_item **)&rig->returned;
    while (*at != NULL)
        at = &(*at)->next;
    batch->item.next = NULL;
    *at = &batch->item;
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

/* The pipe holds all that a test logs: the sink never waits for a reader. */
static void open_log(struct rig *rig, const struct clock_source *clock)
{
    assert_int_equal(pipe2(rig->log_fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(rig->log_fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(fcntl(rig->log_fds[1], F_SETPIPE_SZ, LOG_BYTES) >= LOG_BYTES);
    text_init(&rig->logged, LOG_BYTES);
    struct log_options options = {.level = LOG_DEBUG, .fd = rig->log_fds[1], .clock = clock};
    assert_int_equal(log_new(&options, &rig->log), SB_OK);
}

void rig_init(struct rig *rig, const struct clock_source *clock)
{
    *rig = (struct rig){0};
    make_envelopes();
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    open_log(rig, clock);
}

void rig_stop(struct rig *rig)
{
    if (rig->sink != NULL)
        rig->sink->ops->stop(rig->sink);
}

void rig_clear(struct rig *rig)
{
    rig_stop(rig);
    if (rig->sink != NULL) {
        assert_int_equal(rig->sink->ops->state(rig->sink), SINK_STOPPED);
        assert_int_equal(rig->sink->ops->queued_bytes(rig->sink), 0);
        rig->sink->ops->free(rig->sink);
    }
    while (rig->returned != NULL)
        sink_batch_free(rig_take(rig));
    log_free(rig->log);
    text_clear(&rig->logged);
    (void)close(rig->log_fds[0]);
    (void)close(rig->log_fds[1]);
    (void)pthread_mutex_destroy(&rig->lock);
    (void)pthread_cond_destroy(&rig->changed);
}

struct trace_id rig_trace(uint32_t number)
{
    struct trace_id id = {{7}};
    for (int i = 0; i < 4; i++)
        id.byte[TRACE_ID_LEN - 1 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

struct span_id rig_span_id(uint32_t number)
{
    struct span_id id = {{1, 0, 0, 0}};
    for (int i = 0; i < 4; i++)
        id.byte[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    return id;
}

uint32_t rig_span_number(struct span_id id)
{
    return (uint32_t)id.byte[4] << 24 | (uint32_t)id.byte[5] << 16 | (uint32_t)id.byte[6] << 8 |
           id.byte[7];
}

struct sink_batch *rig_new_batch(uint32_t span_room)
{
    struct sink_batch *batch = NULL;
    assert_int_equal(sink_batch_new(span_room, BATCH_BYTES, &batch), SB_OK);
    return batch;
}

void rig_grow_last(struct sink_batch *batch, size_t len)
{
    static const uint8_t padding[60000]; /* an attribute's value is no longer than 64 KiB */
    struct sink_span *last = &batch->spans[batch->span_count - 1];
    while (last->len < len) {
        size_t more = len - last->len;
        more = more < sizeof(padding) ? more : sizeof(padding);
        otlp_write_string_attribute(&batch->bytes, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("k"),
                                    bytes_of(padding, more));
        assert_int_equal(batch->bytes.error, SB_OK);
        last->len = (uint32_t)(batch->bytes.len - last->at);
    }
}

void rig_add(struct rig *rig, struct sink_batch *batch, uint32_t trace, size_t len)
{
    size_t at = batch->bytes.len;
    uint32_t number = rig->next_span++;
    struct trace_id trace_id = rig_trace(trace);
    struct span_id span_id = rig_span_id(number);
    assert_true(batch->span_count < batch->span_room);
    otlp_patch_trace_id(&batch->bytes, trace_id);
    otlp_write_bytes_field(&batch->bytes, OTLP_SPAN_SPAN_ID,
                           bytes_of(span_id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(&batch->bytes, OTLP_SPAN_NAME, BYTES_LITERAL("checkout"));
    assert_int_equal(batch->bytes.error, SB_OK);
    batch->spans[batch->span_count++] = (struct sink_span){
        .envelope = &envelopes[number % RIG_ENVELOPES],
        .trace = trace_id,
        .at = (uint32_t)at,
        .len = (uint32_t)(batch->bytes.len - at),
        .ticket = number,
    };
    rig_grow_last(batch, len);
}

struct sink_batch *rig_fill(struct rig *rig, uint32_t traces, uint32_t spans, size_t len)
{
    struct sink_batch *batch = rig_new_batch(traces * spans + SPARE_SPANS);
    for (uint32_t trace = 0; trace < traces; trace++)
        for (uint32_t span = 0; span < spans; span++)
            rig_add(rig, batch, trace, len);
    return batch;
}

void rig_wait_change(struct rig *rig)
{
    struct timespec until;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_sec += WAIT_S;
    assert_int_equal(pthread_cond_timedwait(&rig->changed, &rig->lock, &until), 0);
}

struct sink_batch *rig_take(struct rig *rig)
{
    lock(rig);
    while (rig->returned == NULL)
        rig_wait_change(rig);
    struct sink_batch *batch = rig->returned;
    rig->returned = (struct sink_batch *)batch->item.next;
    unlock(rig);
    return batch;
}

void rig_send(struct rig *rig, struct sink_batch *batch)
{
    sink_submit(rig->sink, batch);
    assert_ptr_equal(rig_take(rig), batch);
}

static void read_log(struct rig *rig)
{
    char piece[4096];
    ssize_t len;
    while ((len = read(rig->log_fds[0], piece, sizeof(piece))) > 0)
        text_append(&rig->logged, bytes_of(piece, (size_t)len));
    assert_int_equal(rig->logged.error, SB_OK);
}

uint32_t rig_logged(struct rig *rig, const char *event)
{
    read_log(rig);
    uint32_t count = 0;
    const char *at = text_string(&rig->logged);
    while ((at = strstr(at, event)) != NULL) {
        count++;
        at++;
    }
    return count;
}

void rig_wait_logged(struct rig *rig, const char *event, uint32_t count)
{
    struct pollfd wait = {.fd = rig->log_fds[0], .events = POLLIN};
    while (rig_logged(rig, event) < count)
        assert_int_equal(poll(&wait, 1, WAIT_S * 1000), 1);
}

struct sink_counters rig_counters(struct rig *rig)
{
    struct sink_counters counters;
    rig->sink->ops->read_counters(rig->sink, &counters);
    return counters;
}

uint32_t rig_count(const struct sink_batch *batch, enum sink_outcome outcome)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->span_count; i++)
        count += batch->spans[i].outcome == (uint8_t)outcome;
    return count;
}

uint32_t rig_spans_of(struct bytes request, struct trace_id *ret)
{
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_keys *keys;
    struct otlp_scan *scan;
    enum otlp_fault fault;
    uint32_t count;
    limits.value_bytes_max = limits.span_bytes_max;
    limits.attributes_max = OTLP_COUNT_MAX;
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &scan), SB_OK);
    assert_int_equal(otlp_scan_request(scan, request, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
    const struct otlp_span *spans = otlp_scan_spans(scan, &count);
    assert_true(count > 0);
    *ret = trace_id_load(spans[0].trace_id);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(spans[i].fault, OTLP_FAULT_NONE);
        assert_true(trace_id_equal(trace_id_load(spans[i].trace_id), *ret));
    }
    otlp_scan_free(scan);
    otlp_keys_free(keys);
    return count;
}
