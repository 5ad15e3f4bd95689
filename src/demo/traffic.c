#include "traffic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "core/memory.h"
#include "encode.h"

enum { FLUSH_MS = 20000, PAYLOAD_LEN = 256 };

struct traffic {
    struct traffic_options options;
    struct shop shop;
    struct broker *broker;
    struct exchange *exchange; /* NULL: none */
    struct batch_set *batches;
    struct encode_world world;
    struct traffic_totals totals;
    struct shop_checkout round[TRAFFIC_ROUND_MAX];
    uint32_t round_count;
    uint32_t arrived[EXCHANGE_QUEUES]; /* how far into the round messages came out */
    struct shop_checkout showpiece;
    bool has_showpiece;
    uint64_t refused; /* records that the broker did not take */
    rd_kafka_resp_err_t refusal;
    uint64_t strange;     /* messages that came out of RabbitMQ otherwise than they went in */
    struct text *message; /* of the call that is under way */
};

static void on_delivered(void *arg, const rd_kafka_message_t *message)
{
    struct traffic *traffic = arg;
    struct shop_hop *hop = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        traffic->refused++;
        traffic->refusal = message->err;
        return;
    }
    if (hop == NULL)
        return;
    hop->partition = message->partition;
    hop->offset = message->offset;
}

/* A queue gives its messages in their order: the next checkout of the round that sent one. */
static const struct shop_checkout *next_arrived(struct traffic *traffic,
                                                enum exchange_queue queue)
{
    uint32_t *next = &traffic->arrived[queue];
    while (*next < traffic->round_count && traffic->round[*next].hop_count <= SHOP_KAFKA_HOPS)
        ++*next;
    return *next < traffic->round_count ? &traffic->round[(*next)++] : NULL;
}

/* What a reader of RabbitMQ can record is what its library finds in the message. */
static void on_arrived(void *arg, enum exchange_queue queue, struct bytes traceparent)
{
    struct traffic *traffic = arg;
    const struct shop_checkout *checkout = next_arrived(traffic, queue);
    char sent[ENCODE_TRACEPARENT_LEN + 1];
    if (checkout == NULL) {
        traffic->strange++;
        return;
    }
    encode_traceparent(checkout, SHOP_MAILS, sent);
    traffic->strange += !bytes_equal(traceparent, bytes_text(sent));
}

static enum sb_err produce_spans(struct traffic *traffic, struct bytes request)
{
    struct broker_record record = {
        .topic = BROKER_SPANS,
        .partition = (int32_t)(traffic->totals.records % BROKER_PARTITIONS),
        .value = request,
    };
    rd_kafka_resp_err_t err = broker_produce(traffic->broker, &record);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return SB_OK;
    traffic->refused++;
    traffic->refusal = err;
    return SB_ERR_UNAVAILABLE;
}

/* The mailer has RabbitMQ at hand, and exports its spans there. */
static enum sb_err on_batch(void *arg, enum shop_service service, struct bytes request,
                            uint32_t spans)
{
    struct traffic *traffic = arg;
    if (traffic->options.on_request != NULL)
        traffic->options.on_request(traffic->options.arg, request);
    bool to_rabbitmq = traffic->exchange != NULL && service == SHOP_MAILER;
    enum sb_err err = to_rabbitmq
                          ? exchange_send_spans(traffic->exchange, request, traffic->message)
                          : produce_spans(traffic, request);
    if (err != SB_OK)
        return err;
    traffic->totals.records++;
    traffic->totals.rabbitmq_records += to_rabbitmq;
    traffic->totals.spans += spans;
    return SB_OK;
}

static enum sb_err open_brokers(struct traffic *traffic, struct text *message)
{
    const struct traffic_options *options = &traffic->options;
    struct exchange_options exchange = {.url = options->rabbitmq,
                                        .clock = options->clock,
                                        .on_arrived = on_arrived,
                                        .arg = traffic};
    struct broker_options broker = {
        .bootstrap = options->kafka, .on_delivered = on_delivered, .arg = traffic};
    enum sb_err err = SB_OK;
    if (options->rabbitmq != NULL)
        err = exchange_new(&exchange, &traffic->exchange, message);
    return err == SB_OK ? broker_new(&broker, &traffic->broker, message) : err;
}

enum sb_err traffic_new(const struct traffic_options *options, struct traffic **ret,
                        struct text *message)
{
    struct traffic *traffic = memory_zalloc(1, sizeof(*traffic));
    if (traffic == NULL)
        return SB_ERR_MEMORY;
    traffic->options = *options;
    traffic->shop = (struct shop){.seed = options->seed, .rabbitmq = options->rabbitmq != NULL};
    enum sb_err err = open_brokers(traffic, message);
    if (err == SB_OK)
        err = batch_set_new(on_batch, traffic, &traffic->batches);
    if (err != SB_OK) {
        traffic_free(traffic, message);
        return err;
    }
    traffic->world = (struct encode_world){
        .topics = {broker_topic_name(traffic->broker, BROKER_ORDERS),
                   broker_topic_name(traffic->broker, BROKER_SHIPMENTS)},
        .cluster_id = broker_cluster_id(traffic->broker),
    };
    if (traffic->exchange != NULL)
        traffic->world.exchange = exchange_name(traffic->exchange);
    *ret = traffic;
    return SB_OK;
}

bool traffic_remove(struct traffic *traffic, struct text *message)
{
    bool clean = traffic->exchange == NULL || exchange_remove_queue(traffic->exchange, message);
    return broker_remove_topics(traffic->broker, message) && clean;
}

bool traffic_free(struct traffic *traffic, struct text *message)
{
    if (traffic == NULL)
        return true;
    bool clean = exchange_free(traffic->exchange, message);
    clean = broker_free(traffic->broker, message) && clean;
    batch_set_free(traffic->batches);
    memory_free(traffic);
    return clean;
}

static enum sb_err explain(const struct traffic *traffic, struct text *message)
{
    text_printf(message, "Kafka at %s took not all records: %s",
                broker_bootstrap(traffic->broker), rd_kafka_err2str(traffic->refusal));
    return SB_ERR_UNAVAILABLE;
}

/* Until everything is delivered, and on_delivered and on_arrived were told. */
static enum sb_err wait_for_deliveries(struct traffic *traffic, struct text *message)
{
    rd_kafka_resp_err_t err = broker_flush(traffic->broker, FLUSH_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && traffic->refused == 0)
        traffic->refusal = err;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || traffic->refused > 0)
        return explain(traffic, message);
    if (traffic->exchange == NULL)
        return SB_OK;
    enum sb_err settled = exchange_settle(traffic->exchange, message);
    if (settled == SB_OK && traffic->strange > 0) {
        text_printf(message,
                    "%" PRIu64 " messages came out of exchange %s otherwise than they went in",
                    traffic->strange, exchange_name(traffic->exchange));
        return SB_ERR_UNAVAILABLE;
    }
    return settled;
}

/* "{"order":...}"; returns its length. */
static size_t put_payload(const struct shop_checkout *checkout, char ret[PAYLOAD_LEN])
{
    int len = snprintf(ret, PAYLOAD_LEN,
                       "{\"order\":\"%s\",\"customer\":{\"tier\":\"%s\"},\"items\":[{\"sku\":"
                       "\"A-1007\",\"count\":2}],\"currency\":\"EUR\"}",
                       checkout->order, checkout->tier);
    return (size_t)len;
}

/* The business message of one hop; its place is known when it is delivered. */
static rd_kafka_resp_err_t produce_message(struct traffic *traffic,
                                           struct shop_checkout *checkout, uint32_t number)
{
    struct shop_hop *hop = &checkout->hops[number];
    char payload[PAYLOAD_LEN];
    char traceparent[ENCODE_TRACEPARENT_LEN + 1];
    size_t len = put_payload(checkout, payload);
    struct broker_record record = {
        .topic = number == SHOP_ORDERS ? BROKER_ORDERS : BROKER_SHIPMENTS,
        .partition = RD_KAFKA_PARTITION_UA,
        .key = bytes_text(checkout->order),
        .value = bytes_of(payload, len),
        .time_ms = (int64_t)(hop->sent_ns / NS_PER_MS),
        .ticket = hop,
    };
    if (encode_has_header(hop)) {
        encode_traceparent(checkout, number, traceparent);
        record.traceparent = bytes_of(traceparent, ENCODE_TRACEPARENT_LEN);
    }
    return broker_produce(traffic->broker, &record);
}

/* One message for both hops: the exchange gives it to both queues. */
static enum sb_err publish_message(struct traffic *traffic,
                                   const struct shop_checkout *checkout, struct text *message)
{
    char payload[PAYLOAD_LEN];
    char id[ENCODE_MESSAGE_ID_LEN];
    char traceparent[ENCODE_TRACEPARENT_LEN + 1];
    encode_message_id(checkout, id);
    encode_traceparent(checkout, SHOP_MAILS, traceparent);
    struct exchange_message out = {
        .routing_key = bytes_text(encode_routing_key),
        .message_id = bytes_text(id),
        .traceparent = bytes_of(traceparent, ENCODE_TRACEPARENT_LEN),
        .body = bytes_of(payload, put_payload(checkout, payload)),
        .time_s = checkout->hops[SHOP_MAILS].sent_ns / NS_PER_S,
    };
    traffic->totals.messages++;
    return exchange_publish(traffic->exchange, &out, message);
}

static enum sb_err produce_messages(struct traffic *traffic, struct text *message)
{
    struct traffic_totals *totals = &traffic->totals;
    for (uint32_t i = 0; i < traffic->round_count; i++) {
        struct shop_checkout *checkout = &traffic->round[i];
        for (uint32_t hop = 0; hop < checkout->hop_count; hop++) {
            enum shop_evidence evidence = checkout->hops[hop].evidence;
            if (evidence == SHOP_NOTHING)
                totals->apart++;
            else
                totals->hops[evidence]++;
            if (hop >= SHOP_KAFKA_HOPS)
                continue;
            rd_kafka_resp_err_t err = produce_message(traffic, checkout, hop);
            if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                traffic->refusal = err;
                return explain(traffic, message);
            }
            totals->messages++;
        }
        if (checkout->hop_count <= SHOP_KAFKA_HOPS)
            continue;
        enum sb_err err = publish_message(traffic, checkout, message);
        if (err != SB_OK)
            return err;
    }
    return wait_for_deliveries(traffic, message);
}

enum sb_err traffic_play(struct traffic *traffic, uint32_t count, struct text *message)
{
    struct traffic_totals *totals = &traffic->totals;
    if (count > TRAFFIC_ROUND_MAX)
        count = TRAFFIC_ROUND_MAX;
    uint64_t now_ns = clock_wall_ns(traffic->options.clock);
    for (uint32_t i = 0; i < count; i++)
        shop_make(traffic->shop, totals->checkouts + i, now_ns, &traffic->round[i]);
    traffic->round_count = count;
    memset(traffic->arrived, 0, sizeof(traffic->arrived));
    traffic->message = message;
    enum sb_err err = produce_messages(traffic, message);
    for (uint32_t i = 0; err == SB_OK && i < count; i++) {
        const struct shop_checkout *checkout = &traffic->round[i];
        err = batch_set_add(traffic->batches, &traffic->world, checkout);
        totals->checkouts++;
        totals->failed += checkout->failed;
        totals->slow += checkout->slow;
        totals->pieces += checkout->hop_count + UINT64_C(1);
        if (checkout->index == SHOP_SHOWPIECE) {
            traffic->showpiece = *checkout;
            traffic->has_showpiece = true;
        }
    }
    if (err == SB_ERR_UNAVAILABLE && message->len == 0)
        return explain(traffic, message);
    return err;
}

enum sb_err traffic_flush(struct traffic *traffic, struct text *message)
{
    traffic->message = message;
    enum sb_err err = batch_set_flush(traffic->batches);
    if (err == SB_ERR_UNAVAILABLE && message->len == 0)
        return explain(traffic, message);
    return err == SB_OK ? wait_for_deliveries(traffic, message) : err;
}

enum sb_err traffic_idle(struct traffic *traffic, struct text *message)
{
    return traffic->exchange == NULL ? SB_OK : exchange_settle(traffic->exchange, message);
}

const struct traffic_totals *traffic_totals(const struct traffic *traffic)
{
    return &traffic->totals;
}

const struct broker *traffic_broker(const struct traffic *traffic)
{
    return traffic->broker;
}

const struct exchange *traffic_exchange(const struct traffic *traffic)
{
    return traffic->exchange;
}

const struct shop_checkout *traffic_showpiece(const struct traffic *traffic)
{
    return traffic->has_showpiece ? &traffic->showpiece : NULL;
}
