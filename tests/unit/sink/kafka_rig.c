#include "kafka_rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "otlp/keys.h"

enum { WAIT_S = 30, TEXT_LEN = 512, BATCH_BYTES = 64 << 20, SPANS_MAX = 20000, NAP_MS = 2 };

static uint8_t resource_fields[KAFKA_RIG_ENVELOPES][3];
static struct otlp_envelope envelopes[KAFKA_RIG_ENVELOPES];

/* ResourceSpans.schema_url, one letter: the smallest envelopes that differ. */
static void make_envelopes(void)
{
    for (uint8_t i = 0; i < KAFKA_RIG_ENVELOPES; i++) {
        resource_fields[i][0] = 3 << 3 | 2;
        resource_fields[i][1] = 1;
        resource_fields[i][2] = (uint8_t)('a' + i);
        envelopes[i] =
            (struct otlp_envelope){.resource_fields = bytes_of(resource_fields[i], 3)};
    }
}

/* In the sink's thread. */
static void on_done(void *arg, struct sink_batch *batch)
{
    struct kafka_rig *rig = arg;
    (void)pthread_mutex_lock(&rig->lock);
    struct mailbox_item **at = (struct mailbox_item **)&rig->returned;
    while (*at != NULL)
        at = &(*at)->next;
    batch->item.next = NULL;
    *at = &batch->item;
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

static void open_cluster(struct kafka_rig *rig)
{
    char why[TEXT_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
                     0);
    rd_kafka_conf_set_log_cb(conf, NULL);
    rig->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    assert_non_null(rig->kafka);
    rig->cluster = rd_kafka_handle_mock_cluster(rig->kafka);
    assert_int_equal(rd_kafka_mock_topic_create(rig->cluster, "kept", KAFKA_RIG_PARTITIONS, 1),
                     0);
}

void kafka_rig_init(struct kafka_rig *rig)
{
    *rig = (struct kafka_rig){0};
    make_envelopes();
    open_cluster(rig);
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    rig->log_fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(rig->log_fd >= 0);
    struct log_options log_options = {
        .level = LOG_DEBUG, .fd = rig->log_fd, .clock = clock_system()};
    struct log *log = NULL;
    assert_int_equal(log_new(&log_options, &log), SB_OK);
    rig->options = (struct sink_kafka_options){
        .name = "test",
        .bootstrap = rd_kafka_mock_cluster_bootstraps(rig->cluster),
        .client_id = "tests",
        .properties = rig->properties,
        .topic = "kept",
        .queue_bytes_max = BATCH_BYTES,
        .in_flight_max = 4,
        .backoff_initial_ns = NS_PER_MS,
        .backoff_max_ns = 10 * NS_PER_MS,
        .seed = 42,
        .clock = clock_system(),
        .log = log,
        .on_done = on_done,
        .on_done_arg = rig,
    };
    kafka_rig_set(rig, "linger.ms", "1");
    kafka_rig_set(rig, "retry.backoff.ms", "1");
}

void kafka_rig_set(struct kafka_rig *rig, const char *name, const char *value)
{
    assert_true(rig->options.property_count < KAFKA_RIG_PROPERTIES);
    rig->properties[rig->options.property_count++] = (struct sink_kafka_property){name, value};
}

void kafka_rig_start(struct kafka_rig *rig)
{
    assert_int_equal(sink_kafka_new(&rig->options, &rig->sink), SB_OK);
}

void kafka_rig_clear(struct kafka_rig *rig)
{
    if (rig->sink != NULL) {
        rig->sink->ops->stop(rig->sink);
        assert_int_equal(rig->sink->ops->state(rig->sink), SINK_STOPPED);
        assert_int_equal(rig->sink->ops->queued_bytes(rig->sink), 0);
        rig->sink->ops->free(rig->sink);
    }
    while (rig->returned != NULL)
        sink_batch_free(kafka_rig_take(rig));
    log_free(rig->options.log);
    (void)close(rig->log_fd);
    rd_kafka_destroy(rig->kafka);
    (void)pthread_mutex_destroy(&rig->lock);
    (void)pthread_cond_destroy(&rig->changed);
}

struct trace_id kafka_rig_trace(uint32_t number)
{
    struct trace_id id = {{7}};
    for (int i = 0; i < 4; i++)
        id.byte[TRACE_ID_LEN - 1 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

struct sink_batch *kafka_rig_new_batch(void)
{
    struct sink_batch *batch = NULL;
    assert_int_equal(sink_batch_new(SPANS_MAX, BATCH_BYTES, &batch), SB_OK);
    return batch;
}

void kafka_rig_add(struct kafka_rig *rig, struct sink_batch *batch, uint32_t trace,
                   uint32_t envelope, size_t len)
{
    static const uint8_t padding[1 << 16];
    size_t at = batch->bytes.len;
    uint64_t id = ++rig->next_span;
    struct trace_id trace_id = kafka_rig_trace(trace);
    assert_true(batch->span_count < batch->span_room);
    otlp_patch_trace_id(&batch->bytes, trace_id);
    otlp_write_bytes_field(&batch->bytes, OTLP_SPAN_SPAN_ID, bytes_of(&id, SPAN_ID_LEN));
    while (batch->bytes.len - at < len) {
        size_t more = len - (batch->bytes.len - at);
        otlp_write_string_attribute(
            &batch->bytes, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("k"),
            bytes_of(padding, more < sizeof(padding) ? more : sizeof(padding)));
    }
    assert_int_equal(batch->bytes.error, SB_OK);
    batch->spans[batch->span_count++] = (struct sink_span){
        .envelope = &envelopes[envelope],
        .trace = trace_id,
        .at = (uint32_t)at,
        .len = (uint32_t)(batch->bytes.len - at),
    };
}

struct sink_batch *kafka_rig_fill(struct kafka_rig *rig, uint32_t traces, uint32_t spans,
                                  size_t len)
{
    struct sink_batch *batch = kafka_rig_new_batch();
    for (uint32_t trace = 0; trace < traces; trace++)
        for (uint32_t span = 0; span < spans; span++)
            kafka_rig_add(rig, batch, trace, span % KAFKA_RIG_ENVELOPES, len);
    return batch;
}

struct sink_batch *kafka_rig_take(struct kafka_rig *rig)
{
    struct timespec until;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_sec += WAIT_S;
    assert_int_equal(pthread_mutex_lock(&rig->lock), 0);
    while (rig->returned == NULL)
        assert_int_equal(pthread_cond_timedwait(&rig->changed, &rig->lock, &until), 0);
    struct sink_batch *batch = rig->returned;
    rig->returned = (struct sink_batch *)batch->item.next;
    assert_int_equal(pthread_mutex_unlock(&rig->lock), 0);
    return batch;
}

void kafka_rig_send(struct kafka_rig *rig, struct sink_batch *batch)
{
    sink_submit(rig->sink, batch);
    assert_ptr_equal(kafka_rig_take(rig), batch);
}

uint32_t kafka_rig_count(const struct sink_batch *batch, enum sink_outcome outcome)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->span_count; i++)
        count += batch->spans[i].outcome == (uint8_t)outcome;
    return count;
}

struct sink_counters kafka_rig_counters(struct kafka_rig *rig)
{
    struct sink_counters counters;
    rig->sink->ops->read_counters(rig->sink, &counters);
    return counters;
}

uint32_t kafka_rig_logged(struct kafka_rig *rig, const char *event)
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

void kafka_rig_wait_logged(struct kafka_rig *rig, const char *event, uint32_t count)
{
    for (int naps = 0; kafka_rig_logged(rig, event) < count; naps++) {
        assert_true(naps < WAIT_S * 1000 / NAP_MS);
        (void)poll(NULL, 0, NAP_MS);
    }
}

void kafka_rig_fail(struct kafka_rig *rig, rd_kafka_resp_err_t err, uint32_t times)
{
    enum { PRODUCE = 0 }; /* ApiKey of the Kafka protocol */
    for (uint32_t i = 0; i < times; i++)
        rd_kafka_mock_push_request_errors(rig->cluster, PRODUCE, 1, err);
}

static rd_kafka_t *new_consumer(struct kafka_rig *rig)
{
    char why[TEXT_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rig->options.bootstrap, why, sizeof(why));
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
    rd_kafka_conf_set(conf, "group.id", "rig", why, sizeof(why));
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    assert_non_null(consumer);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(KAFKA_RIG_PARTITIONS);
    for (int32_t i = 0; i < KAFKA_RIG_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, "kept", i)->offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

struct kafka_rig_record *kafka_rig_read(struct kafka_rig *rig, size_t *ret_count)
{
    rd_kafka_t *consumer = new_consumer(rig);
    struct kafka_rig_record *records = NULL;
    size_t count = 0;
    int ends = 0;
    while (ends < KAFKA_RIG_PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_S * 1000);
        assert_non_null(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == 0) {
            records = realloc(records, (count + 1) * sizeof(*records));
            assert_non_null(records);
            struct kafka_rig_record *record = &records[count++];
            record->partition = message->partition;
            text_init(&record->key, BATCH_BYTES);
            text_init(&record->value, BATCH_BYTES);
            text_append(&record->key, bytes_of(message->key, message->key_len));
            text_append(&record->value, bytes_of(message->payload, message->len));
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    *ret_count = count;
    return records;
}

void kafka_rig_free_records(struct kafka_rig_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_clear(&records[i].key);
        text_clear(&records[i].value);
    }
    free(records);
}

uint32_t kafka_rig_spans_of(const struct kafka_rig_record *record, struct trace_id *ret)
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
    assert_int_equal(otlp_scan_request(scan, text_bytes(&record->value), &fault), SB_OK);
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
