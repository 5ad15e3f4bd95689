#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "properties.h"

static const struct source_topic TOPICS[] = {{.pattern = "spans", .role = SOURCE_SPANS},
                                             {.pattern = "orders", .role = SOURCE_MESSAGES}};

static struct source_kafka_options make_options(const struct source_property *properties,
                                                uint32_t count)
{
    return (struct source_kafka_options){
        .bootstrap = "localhost:9092",
        .group = "bridge",
        .instance = "one",
        .properties = properties,
        .property_count = count,
        .topics = TOPICS,
        .topic_count = 2,
        .workers = 4,
        .prefetch_bytes = 64 << 20,
        .clock = clock_system(),
    };
}

static void assert_value(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    size_t len = sizeof(text);
    assert_int_equal(rd_kafka_conf_get(conf, name, text, &len), RD_KAFKA_CONF_OK);
    assert_string_equal(text, value);
}

static void defaults_are_ours_and_the_user_wins(void **state)
{
    (void)state;
    const struct source_property properties[] = {{"fetch.queue.backoff.ms", "7"},
                                                 {"auto.offset.reset", "latest"},
                                                 {"security.protocol", "sasl_ssl"}};
    struct source_kafka_options options = make_options(properties, 3);
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(properties_build(&options, PROPERTIES_GROUP, &conf), SB_OK);
    assert_value(conf, "client.id", "bridge");
    assert_value(conf, "group.id", "bridge");
    assert_value(conf, "group.instance.id", "one");
    assert_value(conf, "enable.auto.commit", "false");
    assert_value(conf, "enable.auto.offset.store", "false");
    assert_value(conf, "enable.partition.eof", "true");
    assert_value(conf, "isolation.level", "read_committed");
    assert_value(conf, "allow.auto.create.topics", "false");
    assert_value(conf, "check.crcs", "true");
    assert_value(conf, "queued.min.messages", "1000000");
    assert_value(conf, "partition.assignment.strategy", "range");
    /* Three quarters of 64 MiB for spans, over four workers. */
    assert_value(conf, "queued.max.messages.kbytes", "12288");
    assert_value(conf, "fetch.queue.backoff.ms", "7");
    assert_value(conf, "auto.offset.reset", "largest");
    assert_value(conf, "security.protocol", "sasl_ssl");
    rd_kafka_conf_destroy(conf);
}

static void taps_and_producer_leave_the_group_out(void **state)
{
    (void)state;
    const struct source_property properties[] = {{"group.protocol", "consumer"},
                                                 {"group.remote.assignor", "uniform"}};
    struct source_kafka_options options = make_options(properties, 2);
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(properties_build(&options, PROPERTIES_TAP, &conf), SB_OK);
    assert_value(conf, "group.protocol", "classic");
    assert_value(conf, "queued.max.messages.kbytes", "4096");
    rd_kafka_conf_destroy(conf);
    assert_int_equal(properties_build(&options, PROPERTIES_PRODUCER, &conf), SB_OK);
    assert_value(conf, "enable.idempotence", "true");
    assert_value(conf, "acks", "-1");
    rd_kafka_conf_destroy(conf);

    /* The new protocol is accepted by the library as a whole. */
    assert_int_equal(properties_build(&options, PROPERTIES_GROUP, &conf), SB_OK);
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(rk);
    rd_kafka_destroy(rk);
}

/* Builds with one property, and gives what was logged. */
static enum sb_err build_logged(const char *name, const char *value, char *ret, size_t len)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log_options log_options = {
        .level = LOG_DEBUG, .fd = fds[1], .clock = clock_system()};
    struct log *log = NULL;
    assert_int_equal(log_new(&log_options, &log), SB_OK);
    const struct source_property property = {name, value};
    struct source_kafka_options options = make_options(&property, 1);
    options.log = log;
    rd_kafka_conf_t *conf = NULL;
    enum sb_err err = properties_build(&options, PROPERTIES_GROUP, &conf);
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    log_free(log);
    close(fds[1]);
    ssize_t got = read(fds[0], ret, len - 1);
    ret[got < 0 ? 0 : got] = '\0';
    close(fds[0]);
    return err;
}

static void wrong_properties_are_named(void **state)
{
    (void)state;
    char line[1024];
    assert_int_equal(build_logged("fetch.wait.maks.ms", "1", line, sizeof(line)),
                     SB_ERR_CONFIG);
    assert_non_null(strstr(line, "property=fetch.wait.maks.ms"));
    assert_non_null(strstr(line, "No such configuration property"));
    assert_int_equal(build_logged("fetch.wait.max.ms", "soon", line, sizeof(line)),
                     SB_ERR_CONFIG);
    assert_non_null(strstr(line, "property=fetch.wait.max.ms"));
    assert_int_equal(build_logged("enable.auto.commit", "true", line, sizeof(line)),
                     SB_ERR_CONFIG);
    assert_non_null(strstr(line, "by the ledger"));
    assert_int_equal(build_logged("group.id", "other", line, sizeof(line)), SB_ERR_CONFIG);
    assert_non_null(strstr(line, "worker file"));
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    char line[1024];
    const char *const secrets[] = {"sasl.password",          "ssl.key.pem",
                                   "ssl.key.password",       "ssl.keystore.password",
                                   "sasl.username",          "sasl.oauthbearer.client.secret",
                                   "sasl.oauthbearer.config"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        assert_true(properties_is_secret(secrets[i]));
    assert_false(properties_is_secret("fetch.wait.max.ms"));
    assert_false(properties_is_secret("ssl.ca.location"));
    /* No secret property refuses a value in this version: the worst case is a wrong name. */
    assert_int_equal(build_logged("sasl.pasword", "hunter2", line, sizeof(line)),
                     SB_ERR_CONFIG);
    assert_null(strstr(line, "hunter2"));
    assert_non_null(strstr(line, "sasl.pasword"));
    assert_int_equal(build_logged("ssl.key.password", "hunter2", line, sizeof(line)), SB_OK);
    assert_null(strstr(line, "hunter2"));
}

static void the_metadata_interval_follows_the_property(void **state)
{
    (void)state;
    struct source_property property = {"topic.metadata.refresh.interval.ms", "500"};
    struct source_kafka_options options = make_options(&property, 1);
    assert_int_equal(properties_metadata_interval_ms(&options), 500);
    property.value = "-1";
    assert_int_equal(properties_metadata_interval_ms(&options), 30000);
    property.value = "10";
    assert_int_equal(properties_metadata_interval_ms(&options), 100);
    options.property_count = 0;
    assert_int_equal(properties_metadata_interval_ms(&options), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_ours_and_the_user_wins),
        cmocka_unit_test(taps_and_producer_leave_the_group_out),
        cmocka_unit_test(wrong_properties_are_named),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(the_metadata_interval_follows_the_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
