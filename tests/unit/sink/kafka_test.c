#include "sink/kafka.h"

#include <string.h>

#include "core/hex.h"
#include "kafka_rig.h"

/* Murmur2 as the default partitioner of Apache Kafka's Java clients has it (Utils.murmur2). */
static uint32_t murmur2(const uint8_t *at, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)len;
    for (; len >= 4; at += 4, len -= 4) {
        uint32_t k = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                     (uint32_t)at[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    assert_int_equal(len, 0); /* trace ids leave no rest */
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

static uint32_t crc32(const uint8_t *at, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (; len > 0; at++, len--) {
        crc ^= *at;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static uint32_t fnv1a(const uint8_t *at, size_t len)
{
    uint32_t hash = 2166136261u;
    for (; len > 0; at++, len--)
        hash = (hash ^ *at) * 16777619u;
    return hash;
}

/* Java takes the sign off; Sarama negates. */
static int32_t partition_of(enum sink_kafka_partitioner partitioner, struct bytes key)
{
    int32_t partitions = KAFKA_RIG_PARTITIONS;
    if (partitioner == SINK_KAFKA_MURMUR2)
        return (int32_t)(murmur2(key.at, key.len) & INT32_MAX) % partitions;
    if (partitioner == SINK_KAFKA_CRC32)
        return (int32_t)(crc32(key.at, key.len) % (uint32_t)partitions);
    int32_t remainder = (int32_t)fnv1a(key.at, key.len) % partitions;
    return remainder < 0 ? -remainder : remainder;
}

static void check_keys(enum sink_kafka_key key, enum sink_kafka_partitioner partitioner)
{
    enum { TRACES = 200 };
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    rig.options.key = key;
    rig.options.partitioner = partitioner;
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, TRACES, 2, 0);
    rig_send(&rig.base, batch);
    size_t count;
    struct kafka_rig_record *records = kafka_rig_read(&rig, &count);
    assert_int_equal(count, TRACES);
    uint32_t in_first = 0;
    for (size_t i = 0; i < count; i++) {
        struct trace_id trace;
        char hex[TRACE_ID_HEX_LEN + 1];
        assert_int_equal(rig_spans_of(text_bytes(&records[i].value), &trace), 2);
        trace_id_format(trace, hex);
        struct bytes expected = key == SINK_KAFKA_KEY_HEX ? bytes_of(hex, TRACE_ID_HEX_LEN)
                                                          : bytes_of(trace.byte, TRACE_ID_LEN);
        struct bytes found = text_bytes(&records[i].key);
        assert_true(bytes_equal(found, expected));
        assert_int_equal(records[i].partition, partition_of(partitioner, found));
        in_first += records[i].partition == 0;
    }
    assert_true(in_first > 0 && in_first < TRACES);
    kafka_rig_free_records(records, count);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

static void test_keys_and_partitions(void **state)
{
    (void)state;
    check_keys(SINK_KAFKA_KEY_HEX, SINK_KAFKA_MURMUR2);
    check_keys(SINK_KAFKA_KEY_BYTES, SINK_KAFKA_MURMUR2);
    check_keys(SINK_KAFKA_KEY_HEX, SINK_KAFKA_CRC32);
    check_keys(SINK_KAFKA_KEY_HEX, SINK_KAFKA_FNV1A);
}

static void test_many_batches_at_once(void **state)
{
    (void)state;
    enum { BATCHES = 50 };
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    for (int i = 0; i < BATCHES; i++)
        sink_submit(rig.base.sink, rig_fill(&rig.base, 20, 3, 100));
    sink_submit(rig.base.sink, rig_new_batch(1)); /* an empty one comes back as well */
    for (int i = 0; i < BATCHES + 1; i++) {
        struct sink_batch *batch = rig_take(&rig.base);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), batch->span_count);
        sink_batch_free(batch);
    }
    assert_int_equal(rig_counters(&rig.base).spans_exported, BATCHES * 60);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_READY);
    kafka_rig_clear(&rig);
}

static void test_bad_options(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    struct sink *sink = NULL;
    rig.options.in_flight_max = 0;
    assert_int_equal(sink_kafka_new(&rig.options, &sink), SB_ERR_CONFIG);
    rig.options.in_flight_max = 1;
    kafka_rig_set(&rig, "no.such.property", "1");
    assert_int_equal(sink_kafka_new(&rig.options, &sink), SB_ERR_CONFIG);
    assert_int_equal(rig_logged(&rig.base, "sink_config"), 2);
    assert_null(sink);
    kafka_rig_clear(&rig);
}

static void test_reach(void **state)
{
    (void)state;
    enum { WAIT_MS = 3000 };
    struct kafka_rig rig;
    char why[SINK_KAFKA_WHY_LEN];
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    assert_true(sink_kafka_reach(rig.base.sink, WAIT_MS, why));
    rd_kafka_mock_topic_set_error(rig.cluster, "kept",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_false(sink_kafka_reach(rig.base.sink, WAIT_MS, why));
    assert_non_null(strstr(why, "authorization"));
    rd_kafka_mock_broker_set_down(rig.cluster, 1);
    assert_false(sink_kafka_reach(rig.base.sink, WAIT_MS / 10, why));
    assert_true(why[0] != '\0');
    kafka_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_and_partitions),
        cmocka_unit_test(test_many_batches_at_once),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
