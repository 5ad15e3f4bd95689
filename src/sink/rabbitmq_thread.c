#include <limits.h>
#include <poll.h>

#include "amqp/channel.h"
#include "core/clock.h"
#include "rabbitmq_sink.h"

/* How long the broker's good-bye is waited for. */
#define CLOSE_WAIT_NS NS_PER_S

/*
 * Before what may take long: true, unless the sink is to end.  Either the stop is seen here, or
 * whoever stops sees `calling`.
 */
static bool begin_call(struct rabbitmq_sink *sink)
{
    atomic_store(&sink->calling, true);
    return !inlet_is_stopping(&sink->inlet);
}

static void end_call(struct rabbitmq_sink *sink)
{
    atomic_store(&sink->calling, false);
}

void rabbitmq_sink_interrupt(struct inlet *inlet)
{
    struct rabbitmq_sink *sink = (struct rabbitmq_sink *)inlet;
    if (atomic_load(&sink->calling))
        amqp_link_interrupt(sink->link);
}

enum sb_err rabbitmq_sink_open_link(const struct sink_rabbitmq_options *options,
                                    struct amqp_link *link)
{
    enum sb_err err = amqp_link_open(link);
    if (err != SB_OK)
        return err;
    err = amqp_link_open_channel(link, RABBITMQ_CHANNEL);
    if (err == SB_OK && options->exchange[0] != '\0')
        err = amqp_link_declare_exchange(link, RABBITMQ_CHANNEL, options->exchange, NULL);
    if (err == SB_OK)
        err = amqp_link_select_confirms(link, RABBITMQ_CHANNEL);
    if (err == SB_OK)
        return SB_OK;
    amqp_link_close(link, CLOSE_WAIT_NS);
    return err == SB_ERR_CONFIG ? SB_ERR_NOT_FOUND : err;
}

static enum rabbitmq_trouble trouble_of(enum sb_err err)
{
    switch (err) {
    case SB_ERR_CONFIG:
        return RABBITMQ_NOT_LET_IN;
    case SB_ERR_NOT_FOUND:
        return RABBITMQ_CLOSED;
    default:
        return RABBITMQ_UNREACHABLE;
    }
}

static bool is_idle(const struct rabbitmq_sink *sink)
{
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        if (sink->shipping.shipments[i].state != SHIPMENT_IDLE)
            return false;
    return sink->inlet.first == NULL;
}

static void connect_link(struct rabbitmq_sink *sink)
{
    if (!retry_pause_is_open(&sink->backoff))
        return;
    enum sb_err err = SB_ERR_UNAVAILABLE;
    if (begin_call(sink))
        err = rabbitmq_sink_open_link(&sink->options, sink->link);
    end_call(sink);
    if (inlet_is_stopping(&sink->inlet))
        return;
    if (err != SB_OK) {
        rabbitmq_trouble_tell(sink, trouble_of(err), amqp_link_why(sink->link));
        retry_pause_begin(&sink->backoff);
        return;
    }
    sink->connection_id = retry_random(&sink->backoff.retry);
    /* With something to be sent, only its confirm shows that all is well. */
    if (is_idle(sink))
        rabbitmq_trouble_may_be_over(sink);
}

/* A good-bye would wait for ever at a broker that does not read. */
static bool can_say_good_bye(const struct rabbitmq_sink *sink)
{
    struct pollfd room = {.fd = amqp_link_fd(sink->link), .events = POLLOUT};
    return amqp_link_is_open(sink->link) && !amqp_link_is_blocked(sink->link) &&
           poll(&room, 1, 0) == 1;
}

static void drop_link(struct rabbitmq_sink *sink)
{
    amqp_link_close(sink->link, can_say_good_bye(sink) ? CLOSE_WAIT_NS : 0);
    rabbitmq_delivery_forget(sink);
}

static bool may_send(struct rabbitmq_sink *sink)
{
    return retry_pause_is_open(&sink->backoff) && amqp_link_is_open(sink->link) &&
           !amqp_link_is_blocked(sink->link);
}

/* Gives an idle shipment the oldest batch.  False: none, or no memory for it. */
static bool feed(struct rabbitmq_sink *sink, uint32_t number)
{
    if (sink->inlet.first == NULL)
        return false;
    if (shipment_load(&sink->shipping.shipments[number], sink->inlet.first) != SB_OK) {
        retry_pause_begin(&sink->waits[number]);
        return false;
    }
    (void)inlet_take_first(&sink->inlet);
    return true;
}

/* True: there is more to be sent at once. */
static bool run_shipment(struct rabbitmq_sink *sink, uint32_t number)
{
    struct shipment *shipment = &sink->shipping.shipments[number];
    if (!may_send(sink))
        return false;
    if (shipment->state == SHIPMENT_IDLE && !feed(sink, number))
        return false;
    if (shipment->state == SHIPMENT_SENDING && shipment_next(shipment) == NULL)
        return false; /* the confirms of its round are waited for */
    bool sent = begin_call(sink) && rabbitmq_delivery_send(sink, shipment);
    end_call(sink);
    return sent;
}

static bool run_shipments(struct rabbitmq_sink *sink)
{
    bool more = false;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        more |= retry_pause_is_open(&sink->waits[i]) && run_shipment(sink, i);
    return more;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long nothing has to be done, unless others do something. */
static uint64_t quiet_ns(struct rabbitmq_sink *sink)
{
    bool closed = !retry_pause_is_open(&sink->backoff);
    if (!amqp_link_is_open(sink->link))
        return closed ? retry_pause_left_ns(&sink->backoff) : 0;
    /* The link sends a heartbeat when one is due. */
    uint64_t wait_ns =
        least(sink->options.heartbeat_ns / 4, retry_pause_left_ns(&sink->backoff));
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        wait_ns = least(wait_ns, retry_pause_left_ns(&sink->waits[i]));
    return least(wait_ns, rabbitmq_delivery_patience_ns(sink));
}

static void wait_for_work(struct rabbitmq_sink *sink)
{
    uint64_t wait_ms = least(quiet_ns(sink) / NS_PER_MS + 1, INT_MAX);
    struct pollfd waits[] = {
        {.fd = sink->inlet.wake_fd, .events = POLLIN},
        {.fd = amqp_link_fd(sink->link), .events = POLLIN}, /* -1 is passed over */
    };
    (void)poll(waits, sizeof(waits) / sizeof(waits[0]), (int)wait_ms);
    if (waits[0].revents != 0)
        inlet_clear_wake(&sink->inlet);
}

/* False: the link is of no use any more. */
static bool receive(struct rabbitmq_sink *sink)
{
    bool useful = !begin_call(sink) || rabbitmq_delivery_receive(sink);
    end_call(sink);
    return useful;
}

static void take_turn(struct rabbitmq_sink *sink)
{
    inlet_take_in(&sink->inlet);
    if (!amqp_link_is_open(sink->link)) {
        drop_link(sink); /* what broke while messages were sent */
        connect_link(sink);
    }
    if (amqp_link_is_open(sink->link) && !receive(sink))
        drop_link(sink);
    if (!run_shipments(sink))
        wait_for_work(sink);
}

void rabbitmq_sink_run(struct inlet *inlet)
{
    struct rabbitmq_sink *sink = (struct rabbitmq_sink *)inlet;
    while (!inlet_is_stopping(inlet))
        take_turn(sink);
    /* What has been confirmed by now need not be sent again by whoever comes after us. */
    if (amqp_link_is_open(sink->link))
        (void)rabbitmq_delivery_receive(sink);
    drop_link(sink);
}
