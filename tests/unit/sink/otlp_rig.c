#include "otlp_rig.h"

#include <arpa/inet.h>
#include <stdio.h>

static void lock(struct otlp_rig *rig)
{
    assert_int_equal(pthread_mutex_lock(&rig->base.lock), 0);
}

static void unlock(struct otlp_rig *rig)
{
    assert_int_equal(pthread_mutex_unlock(&rig->base.lock), 0);
}

/* In the sink's thread. */
static void on_wait(void *arg, uint64_t wait_ns)
{
    struct otlp_rig *rig = arg;
    if (!rig->clock_stands)
        fake_clock_advance_ns(&rig->clock, wait_ns);
    if (rig->on_wait != NULL)
        rig->on_wait(rig);
    (void)pthread_mutex_lock(&rig->base.lock);
    if (rig->wait_count < OTLP_RIG_WAITS_MAX)
        rig->waits_ns[rig->wait_count] = wait_ns;
    rig->wait_count++;
    (void)pthread_cond_broadcast(&rig->base.changed);
    (void)pthread_mutex_unlock(&rig->base.lock);
}

void otlp_rig_init(struct otlp_rig *rig, const char *endpoint)
{
    *rig = (struct otlp_rig){0};
    fake_clock_init(&rig->clock);
    rig_init(&rig->base, &rig->clock.source);
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
        .log = rig->base.log,
        .on_done = rig_on_done,
        .on_done_arg = &rig->base,
    };
}

void otlp_rig_start(struct otlp_rig *rig)
{
    struct otlp_sink_hooks hooks = {.on_wait = on_wait, .arg = rig};
    assert_int_equal(otlp_sink_new(&rig->options, &hooks, &rig->base.sink), SB_OK);
}

void otlp_rig_clear(struct otlp_rig *rig)
{
    rig_clear(&rig->base);
}

void otlp_rig_submit(struct otlp_rig *rig, uint32_t count)
{
    sink_submit(rig->base.sink, rig_fill(&rig->base, 1, count, 0));
}

struct sink_batch *otlp_rig_send(struct otlp_rig *rig, uint32_t count)
{
    otlp_rig_submit(rig, count);
    return rig_take(&rig->base);
}

void otlp_rig_wait_waits(struct otlp_rig *rig, uint32_t count)
{
    lock(rig);
    while (rig->wait_count < count)
        rig_wait_change(&rig->base);
    unlock(rig);
}

uint64_t otlp_rig_wait_ns(struct otlp_rig *rig, uint32_t at)
{
    lock(rig);
    uint64_t wait_ns = at < rig->wait_count ? rig->waits_ns[at] : UINT64_MAX;
    unlock(rig);
    return wait_ns;
}

uint32_t otlp_rig_wait_count(struct otlp_rig *rig)
{
    lock(rig);
    uint32_t count = rig->wait_count;
    unlock(rig);
    return count;
}

int otlp_rig_refuse_port(char ret_url[64])
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
