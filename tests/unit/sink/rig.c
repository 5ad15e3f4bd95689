#include "rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "otlp/write.h"
#include "support/test.h"

enum { WAIT_S = 30 };

static uint8_t resource_fields[RIG_ENVELOPES][4];
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

/* In the sink's thread. */
static void on_done(void *arg, struct sink_batch *batch)
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

/* In the sink's thread. */
static void on_wait(void *arg, uint64_t wait_ns)
{
    struct rig *rig = arg;
    if (!rig->clock_stands)
        fake_clock_advance_ns(&rig->clock, wait_ns);
    if (rig->on_wait != NULL)
        rig->on_wait(rig);
    (void)pthread_mutex_lock(&rig->lock);
    if (rig->wait_count < RIG_WAITS_MAX)
        rig->waits_ns[rig->wait_count] = wait_ns;
    rig->wait_count++;
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

void rig_init(struct rig *rig, const char *endpoint)
{
    *rig = (struct rig){0};
    make_envelopes();
    fake_clock_init(&rig->clock);
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    rig->log_fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(rig->log_fd >= 0);
    struct log_options log_options = {
        .level = LOG_DEBUG, .fd = rig->log_fd, .clock = &rig->clock.source};
    struct log *log = NULL;
    assert_int_equal(log_new(&log_options, &log), SB_OK);
    rig->endpoints[0] = endpoint;
    rig->options = (struct sink_otlp_options){
        .name = "test",
        .protocol = SINK_OTLP_HTTP,
        .endpoints = rig->endpoints,
        .endpoint_count = 1,
        .queue_bytes_max = 64 * 1024 * 1024,
        .in_flight_max = 4,
        .timeout_ns = 30 * NS_PER_S,
        .backoff_initial_ns = NS_PER_S,
        .backoff_max_ns = 30 * NS_PER_S,
        .seed = 42,
        .clock = &rig->clock.source,
        .log = log,
        .on_done = on_done,
        .on_done_arg = rig,
    };
}

void rig_start(struct rig *rig)
{
    struct otlp_sink_hooks hooks = {.on_wait = on_wait, .arg = rig};
    assert_int_equal(otlp_sink_new(&rig->options, &hooks, &rig->sink), SB_OK);
}

void rig_clear(struct rig *rig)
{
    if (rig->sink != NULL) {
        rig->sink->ops->stop(rig->sink);
        assert_int_equal(rig->sink->ops->state(rig->sink), SINK_STOPPED);
        assert_int_equal(rig->sink->ops->queued_bytes(rig->sink), 0);
        rig->sink->ops->free(rig->sink);
    }
    while (rig->returned != NULL)
        sink_batch_free(rig_take(rig));
    log_free(rig->options.log);
    (void)close(rig->log_fd);
    (void)pthread_mutex_destroy(&rig->lock);
    (void)pthread_cond_destroy(&rig->changed);
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

static void add_span(struct sink_batch *batch, uint32_t number)
{
    size_t at = batch->bytes.len;
    struct trace_id trace = {{7}};
    struct span_id id = rig_span_id(number);
    otlp_patch_trace_id(&batch->bytes, trace);
    otlp_write_bytes_field(&batch->bytes, OTLP_SPAN_SPAN_ID, bytes_of(id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(&batch->bytes, OTLP_SPAN_NAME, BYTES_LITERAL("checkout"));
    assert_int_equal(batch->bytes.error, SB_OK);
    batch->spans[batch->span_count++] = (struct sink_span){
        .envelope = &envelopes[number % RIG_ENVELOPES],
        .at = (uint32_t)at,
        .len = (uint32_t)(batch->bytes.len - at),
        .ticket = number,
    };
}

struct sink_batch *rig_new_batch(struct rig *rig, uint32_t count)
{
    struct sink_batch *batch = NULL;
    assert_int_equal(sink_batch_new(count + 1, 64 * 1024 * 1024, &batch), SB_OK);
    for (uint32_t i = 0; i < count; i++)
        add_span(batch, rig->next_span++);
    return batch;
}

void rig_grow_last(struct sink_batch *batch, size_t len)
{
    static uint8_t value[60000];
    struct sink_span *last = &batch->spans[batch->span_count - 1];
    while (last->len < len) {
        otlp_write_string_attribute(&batch->bytes, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("k"),
                                    bytes_of(value, sizeof(value)));
        assert_int_equal(batch->bytes.error, SB_OK);
        last->len = (uint32_t)(batch->bytes.len - last->at);
    }
}

void rig_submit(struct rig *rig, uint32_t count)
{
    sink_submit(rig->sink, rig_new_batch(rig, count));
}

static void wait_change(struct rig *rig)
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
        wait_change(rig);
    struct sink_batch *batch = rig->returned;
    rig->returned = (struct sink_batch *)batch->item.next;
    unlock(rig);
    return batch;
}

struct sink_batch *rig_send(struct rig *rig, uint32_t count)
{
    rig_submit(rig, count);
    return rig_take(rig);
}

void rig_wait_waits(struct rig *rig, uint32_t count)
{
    lock(rig);
    while (rig->wait_count < count)
        wait_change(rig);
    unlock(rig);
}

uint64_t rig_wait_ns(struct rig *rig, uint32_t at)
{
    lock(rig);
    uint64_t wait_ns = at < rig->wait_count ? rig->waits_ns[at] : UINT64_MAX;
    unlock(rig);
    return wait_ns;
}

uint32_t rig_wait_count(struct rig *rig)
{
    lock(rig);
    uint32_t count = rig->wait_count;
    unlock(rig);
    return count;
}

uint32_t rig_logged(struct rig *rig, const char *event)
{
    static char content[1024 * 1024];
    ssize_t len = pread(rig->log_fd, content, sizeof(content) - 1, 0);
    assert_true(len >= 0);
    content[len] = '\0';
    uint32_t count = 0;
    for (const char *at = strstr(content, event); at != NULL; at = strstr(at + 1, event))
        count++;
    return count;
}

int rig_refuse_port(char ret_url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Bound, so nobody else gets it, and not listening. */
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(ret_url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
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
