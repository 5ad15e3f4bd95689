#include "broker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <librdkafka/rdkafka_mock.h>

#include "core/hash.h"
#include "core/memory.h"
#include "names.h"

enum {
    BOOTSTRAP_LEN = 512,
    REASON_LEN = 512,
    REACH_MS = 6000,
    REACH_STEP_MS = 500,
    REFUSED_MS = 1000,
    ADMIN_MS = 10000,      /* librdkafka answers by then, if only with a timeout */
    ADMIN_WAIT_MS = 15000, /* so that the queue is never destroyed under a request */
    FLUSH_MS = 5000,
    QUEUE_WAIT_MS = 50,
    LEADER_TRIES = 100,
    LEADER_WAIT_MS = 100
};

static const char *const topic_names[BROKER_TOPICS] = {"spans", "orders", "shipments"};

struct broker {
    struct broker_options options;
    rd_kafka_t *host; /* of the mock cluster; NULL with a real broker */
    rd_kafka_mock_cluster_t *mock;
    rd_kafka_t *producer;
    bool topics_made;
    bool down; /* no broker could be connected to */
    char bootstrap[BOOTSTRAP_LEN];
    char topics[BROKER_TOPICS][NAMES_LEN];
    char group[NAMES_LEN];
    char *cluster_id;         /* librdkafka's memory */
    char trouble[REASON_LEN]; /* the last error that librdkafka told */
};

static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    (void)kafka, (void)level, (void)facility, (void)text; /* errors come by on_error */
}

static void on_error(rd_kafka_t *kafka, int err, const char *reason, void *arg)
{
    (void)kafka;
    struct broker *broker = arg;
    /* "All brokers down" says less than what came before it. */
    broker->down = broker->down || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && broker->trouble[0] != '\0')
        return;
    snprintf(broker->trouble, sizeof(broker->trouble), "%s", reason);
    char *details = strstr(broker->trouble, " (after "); /* "0ms in state CONNECT, ..." */
    if (details != NULL)
        *details = '\0';
}

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    (void)kafka;
    struct broker *broker = arg;
    broker->options.on_delivered(broker->options.arg, message);
}

static enum sb_err fail(struct text *message, enum sb_err err, const char *format, ...)
    SB_PRINTF(3, 4);
static enum sb_err fail(struct text *message, enum sb_err err, const char *format, ...)
{
    char line[BOOTSTRAP_LEN + REASON_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text_append_text(message, line);
    return err;
}

static rd_kafka_t *new_handle(struct broker *broker, struct text *message)
{
    /* Everything that is produced has to be acknowledged soon: offsets are waited for. */
    static const char *const properties[][2] = {
        {"client.id", "spanbridge-demo"},
        {"enable.idempotence", "true"},
        {"linger.ms", "2"},
        {"message.timeout.ms", "15000"},
        {"socket.timeout.ms", "10000"},
        {"batch.size", "262144"},
    };
    char reason[REASON_LEN] = "memory is short";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, broker);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_res_t result = RD_KAFKA_CONF_OK;
    for (size_t i = 0;
         result == RD_KAFKA_CONF_OK && i < sizeof(properties) / sizeof(*properties); i++)
        result =
            rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, REASON_LEN);
    if (result == RD_KAFKA_CONF_OK && broker->bootstrap[0] != '\0')
        result =
            rd_kafka_conf_set(conf, "bootstrap.servers", broker->bootstrap, reason, REASON_LEN);
    rd_kafka_t *kafka = NULL;
    if (result == RD_KAFKA_CONF_OK)
        kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, REASON_LEN);
    if (kafka == NULL) {
        rd_kafka_conf_destroy(conf);
        text_printf(message, "librdkafka: %s", reason);
    }
    return kafka;
}

static enum sb_err start_mock(struct broker *broker, struct text *message)
{
    broker->host = new_handle(broker, message);
    if (broker->host == NULL)
        return SB_ERR_INTERNAL;
    broker->mock = rd_kafka_mock_cluster_new(broker->host, 1);
    if (broker->mock == NULL)
        return fail(message, SB_ERR_INTERNAL, "librdkafka's mock cluster does not start");
    rd_kafka_mock_group_initial_rebalance_delay_ms(broker->mock, 0);
    snprintf(broker->bootstrap, sizeof(broker->bootstrap), "%s",
             rd_kafka_mock_cluster_bootstraps(broker->mock));
    return SB_OK;
}

/* A broker that refuses the connection is given up soon, one that is silent later. */
static enum sb_err reach(struct broker *broker, struct text *message)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (uint32_t waited_ms = 0; waited_ms < REACH_MS; waited_ms += REACH_STEP_MS) {
        err = rd_kafka_metadata(broker->producer, 0, NULL, &metadata, REACH_STEP_MS);
        rd_kafka_poll(broker->producer, 0); /* on_error */
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR || (broker->down && waited_ms >= REFUSED_MS))
            break;
    }
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(message, SB_ERR_UNAVAILABLE, "no Kafka answers at %s: %s",
                    broker->bootstrap,
                    broker->trouble[0] != '\0' ? broker->trouble : rd_kafka_err2str(err));
    rd_kafka_metadata_destroy(metadata);
    broker->cluster_id = rd_kafka_clusterid(broker->producer, REACH_MS);
    return SB_OK;
}

static bool has_leaders(struct broker *broker, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(broker->producer, topic, NULL);
    bool ready = handle != NULL && rd_kafka_metadata(broker->producer, 0, handle, &metadata,
                                                     REACH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (ready) {
        const struct rd_kafka_metadata_topic *found = metadata->topics;
        ready = metadata->topic_cnt == 1 && found->partition_cnt == BROKER_PARTITIONS;
        for (int i = 0; ready && i < found->partition_cnt; i++)
            ready = found->partitions[i].leader >= 0;
        rd_kafka_metadata_destroy(metadata);
    }
    if (handle != NULL)
        rd_kafka_topic_destroy(handle);
    return ready;
}

/* A topic that was just created may not be known everywhere yet. */
static enum sb_err wait_for_topics(struct broker *broker, struct text *message)
{
    for (uint32_t i = 0; i < BROKER_TOPICS; i++) {
        uint32_t tries = 0;
        while (!has_leaders(broker, broker->topics[i])) {
            if (++tries == LEADER_TRIES)
                return fail(message, SB_ERR_UNAVAILABLE,
                            "topic %s is created, but has no leader", broker->topics[i]);
            rd_kafka_poll(broker->producer, LEADER_WAIT_MS);
        }
    }
    return SB_OK;
}

static rd_kafka_AdminOptions_t *admin_options(struct broker *broker)
{
    char reason[REASON_LEN];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(broker->producer, RD_KAFKA_ADMIN_OP_ANY);
    rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, reason, sizeof(reason));
    return options;
}

/* What the answer to CreateTopics complains about; NULL: nothing. */
static const char *creation_trouble(rd_kafka_event_t *event)
{
    if (event == NULL)
        return "no answer";
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_kafka_event_error_string(event);
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return rd_kafka_topic_result_error_string(results[i]);
    return NULL;
}

static enum sb_err create_topics(struct broker *broker, struct text *message)
{
    rd_kafka_NewTopic_t *wanted[BROKER_TOPICS];
    char reason[REASON_LEN];
    for (uint32_t i = 0; i < BROKER_TOPICS; i++)
        wanted[i] = rd_kafka_NewTopic_new(broker->topics[i], BROKER_PARTITIONS, -1, reason,
                                          sizeof(reason));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(broker->producer);
    rd_kafka_AdminOptions_t *options = admin_options(broker);
    rd_kafka_CreateTopics(broker->producer, wanted, BROKER_TOPICS, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_WAIT_MS);
    const char *trouble = creation_trouble(event);
    /* Some may have been made where others were not, or where the answer was lost. */
    broker->topics_made =
        event == NULL || rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR;
    enum sb_err err = SB_OK;
    if (trouble != NULL)
        err = fail(message, SB_ERR_UNAVAILABLE, "topics can not be created at %s: %s",
                   broker->bootstrap, trouble);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(wanted, BROKER_TOPICS);
    return err == SB_OK ? wait_for_topics(broker, message) : err;
}

static void choose_name(const char *name, bool foreign, uint32_t run, char ret[NAMES_LEN])
{
    if (foreign)
        names_make(name, run, ret);
    else
        snprintf(ret, NAMES_LEN, "%s", name);
}

/* On a broker that belongs to others, names that nobody else has. */
static void choose_names(struct broker *broker)
{
    bool foreign = broker->options.bootstrap != NULL;
    uint32_t run = (uint32_t)hash_random_seed();
    for (uint32_t i = 0; i < BROKER_TOPICS; i++)
        choose_name(topic_names[i], foreign, run, broker->topics[i]);
    choose_name("spanbridge", foreign, run, broker->group);
}

static enum sb_err make_topics(struct broker *broker, struct text *message)
{
    if (broker->mock == NULL)
        return create_topics(broker, message);
    for (uint32_t i = 0; i < BROKER_TOPICS; i++)
        if (rd_kafka_mock_topic_create(broker->mock, broker->topics[i], BROKER_PARTITIONS, 1) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return fail(message, SB_ERR_INTERNAL, "the mock cluster makes no topic");
    return SB_OK;
}

enum sb_err broker_new(const struct broker_options *options, struct broker **ret,
                       struct text *message)
{
    struct broker *broker = memory_zalloc(1, sizeof(*broker));
    if (broker == NULL)
        return fail(message, SB_ERR_MEMORY, "memory is short");
    broker->options = *options;
    choose_names(broker);
    enum sb_err err = SB_OK;
    if (options->bootstrap == NULL)
        err = start_mock(broker, message);
    else
        snprintf(broker->bootstrap, sizeof(broker->bootstrap), "%s", options->bootstrap);
    if (err == SB_OK) {
        broker->producer = new_handle(broker, message);
        err = broker->producer == NULL ? SB_ERR_INTERNAL : reach(broker, message);
    }
    if (err == SB_OK)
        err = make_topics(broker, message);
    if (err != SB_OK) {
        broker_free(broker, message);
        return err;
    }
    *ret = broker;
    return SB_OK;
}

static bool is_deleted(rd_kafka_event_t *event)
{
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return false;
    }
    return true;
}

static bool delete_topics(struct broker *broker)
{
    rd_kafka_DeleteTopic_t *gone[BROKER_TOPICS];
    for (uint32_t i = 0; i < BROKER_TOPICS; i++)
        gone[i] = rd_kafka_DeleteTopic_new(broker->topics[i]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(broker->producer);
    rd_kafka_AdminOptions_t *options = admin_options(broker);
    rd_kafka_DeleteTopics(broker->producer, gone, BROKER_TOPICS, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_WAIT_MS);
    bool deleted = is_deleted(event);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy_array(gone, BROKER_TOPICS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return deleted;
}

/* The group goes by itself after a while, too; so its fate is not looked at. */
static void delete_group(struct broker *broker)
{
    rd_kafka_DeleteGroup_t *group = rd_kafka_DeleteGroup_new(broker->group);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(broker->producer);
    rd_kafka_AdminOptions_t *options = admin_options(broker);
    rd_kafka_DeleteGroups(broker->producer, &group, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_WAIT_MS);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteGroup_destroy(group);
}

bool broker_remove_topics(struct broker *broker, struct text *message)
{
    if (!broker->topics_made)
        return true;
    delete_group(broker);
    broker->topics_made = false;
    if (delete_topics(broker))
        return true;
    text_printf(message, "%stopics %s, %s, %s could not be removed from %s",
                message->len > 0 ? "\n" : "", broker->topics[0], broker->topics[1],
                broker->topics[2], broker->bootstrap);
    return false;
}

bool broker_free(struct broker *broker, struct text *message)
{
    if (broker == NULL)
        return true;
    if (broker->producer != NULL)
        rd_kafka_flush(broker->producer, FLUSH_MS);
    bool clean = broker_remove_topics(broker, message);
    if (broker->cluster_id != NULL)
        rd_kafka_mem_free(broker->producer, broker->cluster_id);
    if (broker->producer != NULL)
        rd_kafka_destroy(broker->producer);
    if (broker->mock != NULL)
        rd_kafka_mock_cluster_destroy(broker->mock);
    if (broker->host != NULL)
        rd_kafka_destroy(broker->host);
    memory_free(broker);
    return clean;
}

const char *broker_bootstrap(const struct broker *broker)
{
    return broker->bootstrap;
}

const char *broker_group(const struct broker *broker)
{
    return broker->group;
}

const char *broker_topic_name(const struct broker *broker, enum broker_topic topic)
{
    return broker->topics[topic];
}

const char *broker_cluster_id(const struct broker *broker)
{
    return broker->cluster_id;
}

static rd_kafka_resp_err_t produce_now(struct broker *broker,
                                       const struct broker_record *record)
{
    /* An array, and not rd_kafka_producev: its macros are no ISO C, and clang says so. */
    enum { FIELDS_MAX = 8 };
    rd_kafka_vu_t fields[FIELDS_MAX] = {{.vtype = RD_KAFKA_VTYPE_END}};
    size_t count = 0;
    fields[count].vtype = RD_KAFKA_VTYPE_TOPIC;
    fields[count++].u.cstr = broker->topics[record->topic];
    fields[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[count++].u.i32 = record->partition;
    fields[count].vtype = RD_KAFKA_VTYPE_KEY;
    fields[count].u.mem.ptr = (void *)record->key.at;
    fields[count++].u.mem.size = record->key.len;
    fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[count].u.mem.ptr = (void *)record->value.at;
    fields[count++].u.mem.size = record->value.len;
    fields[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[count++].u.i64 = record->time_ms;
    fields[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields[count++].u.ptr = record->ticket;
    fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
    if (record->traceparent.len > 0) {
        fields[count].vtype = RD_KAFKA_VTYPE_HEADER;
        fields[count].u.header.name = "traceparent";
        fields[count].u.header.val = record->traceparent.at;
        fields[count++].u.header.size = (ssize_t)record->traceparent.len;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(broker->producer, fields, count);
    rd_kafka_resp_err_t err = rd_kafka_error_code(error); /* takes NULL */
    rd_kafka_error_destroy(error);
    return err;
}

rd_kafka_resp_err_t broker_produce(struct broker *broker, const struct broker_record *record)
{
    rd_kafka_resp_err_t err = produce_now(broker, record);
    while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(broker->producer, QUEUE_WAIT_MS);
        err = produce_now(broker, record);
    }
    return err;
}

rd_kafka_resp_err_t broker_flush(struct broker *broker, uint32_t wait_ms)
{
    return rd_kafka_flush(broker->producer, (int)wait_ms);
}
