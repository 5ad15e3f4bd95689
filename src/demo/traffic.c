#include "traffic.h"

#include <stdio.h>

#include "batch.h"
#include "core/memory.h"
#include "encode.h"

enum { FLUSH_MS = 20000, PAYLOAD_LEN = 256 };

struct traffic {
    struct traffic_options options;
    struct broker *broker;
    struct batch_set *batches;
    struct encode_world world;
    struct traffic_totals totals;
    struct shop_checkout round[TRAFFIC_ROUND_MAX];
    struct shop_checkout showpiece;
    bool has_showpiece;
    uint64_t refused; /* records that the broker did not take */
    rd_kafka_resp_err_t refusal;
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

static enum sb_err on_batch(void *arg, struct bytes request, uint32_t spans)
{
    struct traffic *traffic = arg;
    if (traffic->options.on_request != NULL)
        traffic->options.on_request(traffic->options.arg, request);
    struct broker_record record = {
        .topic = BROKER_SPANS,
        .partition = (int32_t)(traffic->totals.records % BROKER_PARTITIONS),
        .value = request,
    };
    rd_kafka_resp_err_t err = broker_produce(traffic->broker, &record);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        traffic->refused++;
        traffic->refusal = err;
        return SB_ERR_UNAVAILABLE;
    }
    traffic->totals.records++;
    traffic->totals.spans += spans;
    return SB_OK;
}

enum sb_err traffic_new(const struct traffic_options *options, struct traffic **ret,
                        struct text *message)
{
    struct traffic *traffic = memory_zalloc(1, sizeof(*traffic));
    if (traffic == NULL)
        return SB_ERR_MEMORY;
    traffic->options = *options;
    struct broker_options broker = {
        .bootstrap = options->kafka, .on_delivered = on_delivered, .arg = traffic};
    enum sb_err err = broker_new(&broker, &traffic->broker, message);
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
    *ret = traffic;
    return SB_OK;
}

bool traffic_free(struct traffic *traffic, struct text *message)
{
    if (traffic == NULL)
        return true;
    bool clean = broker_free(traffic->broker, message);
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

/* Until everything is delivered, and on_delivered was told. */
static enum sb_err wait_for_deliveries(struct traffic *traffic, struct text *message)
{
    rd_kafka_resp_err_t err = broker_flush(traffic->broker, FLUSH_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && traffic->refused == 0)
        traffic->refusal = err;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || traffic->refused > 0)
        return explain(traffic, message);
    return SB_OK;
}

/* The business message of one hop; its place is known when it is delivered. */
static rd_kafka_resp_err_t produce_message(struct traffic *traffic,
                                           struct shop_checkout *checkout, uint32_t number)
{
    struct shop_hop *hop = &checkout->hops[number];
    char payload[PAYLOAD_LEN];
    char traceparent[ENCODE_TRACEPARENT_LEN + 1];
    int len = snprintf(payload, sizeof(payload),
                       "{\"order\":\"%s\",\"customer\":{\"tier\":\"%s\"},\"items\":[{\"sku\":"
                       "\"A-1007\",\"count\":2}],\"currency\":\"EUR\"}",
                       checkout->order, checkout->tier);
    struct broker_record record = {
        .topic = number == SHOP_ORDERS ? BROKER_ORDERS : BROKER_SHIPMENTS,
        .partition = RD_KAFKA_PARTITION_UA,
        .key = bytes_text(checkout->order),
        .value = bytes_of(payload, (size_t)len),
        .time_ms = (int64_t)(hop->sent_ns / NS_PER_MS),
        .ticket = hop,
    };
    if (encode_has_header(hop)) {
        encode_traceparent(checkout, number, traceparent);
        record.traceparent = bytes_of(traceparent, ENCODE_TRACEPARENT_LEN);
    }
    return broker_produce(traffic->broker, &record);
}

static enum sb_err produce_messages(struct traffic *traffic, uint32_t count,
                                    struct text *message)
{
    for (uint32_t i = 0; i < count; i++) {
        struct shop_checkout *checkout = &traffic->round[i];
        for (uint32_t hop = 0; hop < checkout->hop_count; hop++) {
            rd_kafka_resp_err_t err = produce_message(traffic, checkout, hop);
            if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                traffic->refusal = err;
                return explain(traffic, message);
            }
            traffic->totals.messages++;
            traffic->totals.hops[checkout->hops[hop].evidence]++;
        }
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
        shop_make(traffic->options.seed, totals->checkouts + i, now_ns, &traffic->round[i]);
    enum sb_err err = produce_messages(traffic, count, message);
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
    enum sb_err err = batch_set_flush(traffic->batches);
    if (err == SB_ERR_UNAVAILABLE)
        return explain(traffic, message);
    return err == SB_OK ? wait_for_deliveries(traffic, message) : err;
}

const struct traffic_totals *traffic_totals(const struct traffic *traffic)
{
    return &traffic->totals;
}

const struct broker *traffic_broker(const struct traffic *traffic)
{
    return traffic->broker;
}

const struct shop_checkout *traffic_showpiece(const struct traffic *traffic)
{
    return traffic->has_showpiece ? &traffic->showpiece : NULL;
}
