#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* The worker's broker, and that of a topic; "" for no report. */
static void expect(const char *broker, const char *topic_broker, const char *report)
{
    char worker[2048];
    char topic[2048];
    snprintf(worker, sizeof(worker), "rabbitmq = { %s };\n" WORKER_REST, broker);
    snprintf(topic, sizeof(topic),
             "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n%s\n", topic_broker);
    memory_expect_report(worker, topic, report);
}

static void test_good(void **state)
{
    (void)state;
    expect("", "", "");
    expect("url = \"amqps://u:p@h/v\"; heartbeat = \"5s\"; tls = { ca = \"a\"; certificate = "
           "\"b\"; key = \"c\"; };",
           "", "");
    expect("heartbeat_ms = 10000;",
           "url = \"amqps://u:p@h/v\"; tls = { insecure = true; }; heartbeat = \"10m\";", "");
}

static void test_urls(void **state)
{
    (void)state;
    expect("url = \"amqp://u:hunter2@h:x/\";", "",
           "worker.conf:1: error: rabbitmq.url: its port is not from 1 to 65535\n");
    expect("", "url = \"amqp://u:hunter@2@h/\";",
           "topic.conf:2: error: url: it holds a : / @ [ or ] that is not percent-encoded\n"
           "  help: in a user, a password or a vhost write %3A %2F %40 %5B %5D\n");
    expect("url = \"\";", "", "worker.conf:1: error: rabbitmq.url is empty\n");
    expect("url = 5672;", "",
           "worker.conf:1: error: rabbitmq.url takes text, not 5672\n"
           "  help: write url = \"5672\";\n");
}

static void test_ports(void **state)
{
    (void)state;
    expect("url = \"amqp://h:15672/\";", "",
           "worker.conf:1: warning: rabbitmq.url: its port mostly is the management plug-in's\n"
           "  help: AMQP mostly has 5672, and 5671 with TLS\n");
    expect("url = \"amqp://h:5671/\";", "",
           "worker.conf:1: warning: rabbitmq.url: its port mostly speaks with TLS\n"
           "  help: write amqps://, or port 5672\n");
    expect("", "url = \"amqps://h:5672/\";",
           "topic.conf:2: warning: url: its port mostly speaks without TLS\n"
           "  help: write amqp://, or port 5671\n");
}

/* A file of the worker's is not completed by one of the topic's. */
static void test_tls(void **state)
{
    (void)state;
    expect("url = \"amqps://h\"; tls = { certificate = \"c\"; };", "",
           "worker.conf:1: error: rabbitmq.tls.certificate without rabbitmq.tls.key\n");
    expect("url = \"amqps://h\"; tls = { certificate = \"c\"; key = \"k\"; };",
           "tls = { key = \"l\"; };", "topic.conf:2: error: tls.key without tls.certificate\n");
    expect("tls = { ca = \"c\"; };", "",
           "worker.conf:1: warning: rabbitmq.tls has no effect on an amqp:// url\n"
           "  help: write amqps://\n");
    expect("", "tls = { insecure = true; };",
           "topic.conf:2: warning: tls has no effect on an amqp:// url\n"
           "  help: write amqps://\n");
    expect("url = \"amqps://h\";", "tls = { insecure = true; };", "");
}

static void test_heartbeat(void **state)
{
    (void)state;
    expect("heartbeat = \"1500ms\";", "",
           "worker.conf:1: error: rabbitmq.heartbeat is no whole number of seconds\n"
           "  help: AMQP counts it in seconds: heartbeat = \"30s\";\n");
    expect("", "heartbeat = \"4s\";",
           "topic.conf:2: warning: heartbeat is below 5s\n"
           "  help: a connection that is only slow is taken for a broken one\n");
    expect("heartbeat = \"0s\";", "",
           "worker.conf:1: error: rabbitmq.heartbeat is out of range: \"0s\"\n"
           "  help: from 1s to 10m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),      cmocka_unit_test(test_urls),
        cmocka_unit_test(test_ports),     cmocka_unit_test(test_tls),
        cmocka_unit_test(test_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
