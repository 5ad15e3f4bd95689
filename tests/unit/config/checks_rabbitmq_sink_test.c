#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* A worker file whose only sink is a RabbitMQ sink with those lines must give this report. */
static void expect(const char *lines, const char *report)
{
    char worker[2048];
    snprintf(worker, sizeof(worker),
             "sinks = ( { name = \"s\"; type = \"rabbitmq\"; %s } );\n"
             "kafka = { bootstrap = \"a\"; };\n"
             "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n",
             lines);
    memory_expect_report(worker, TOPIC, report);
}

static void test_good(void **state)
{
    (void)state;
    expect("exchange = \"kept\";", "");
    expect("exchange = \"\"; routing_key = \"kept\";", "");
    expect(
        "exchange = \"kept\"; routing_key = \"{{{trace_id}.}{{{trace_id}\"; persistent = "
        "false; mandatory = false; url = \"amqps://h/v\"; tls = { ca = \"c\"; }; heartbeat = "
        "\"10s\"; batch = { spans = 100; bytes = \"1MiB\"; linger = \"1s\"; }; queue = "
        "\"8MiB\"; in_flight = 8; timeout = \"30s\"; retry = { initial = \"2s\"; };",
        "");
    expect("exchange = \"kept\"; routing_key = \"\";", "");
}

static void test_keys(void **state)
{
    (void)state;
    expect("exchange = \"e\"; routing_key = \"a.{trace}.b\";",
           "worker.conf:1: error: sink \"s\": routing_key: {trace} is no variable\n"
           "  help: the only one is {trace_id}; a brace is written {{\n");
    expect("exchange = \"e\"; routing_key = \"{trace_id\";",
           "worker.conf:1: error: sink \"s\": routing_key: {trace_id is no variable\n"
           "  help: the only one is {trace_id}; a brace is written {{\n");
    expect("exchange = \"e\"; routing_key = \"{\";",
           "worker.conf:1: error: sink \"s\": routing_key: { is no variable\n"
           "  help: the only one is {trace_id}; a brace is written {{\n");
    expect("exchange = \"\";",
           "worker.conf:1: error: sink \"s\": routing_key is the name of no queue\n"
           "  help: at the default exchange the key names a queue: routing_key = "
           "\"spans.kept\";\n");
    expect("exchange = \"e\"; routing_key = \"a\\tb\";",
           "worker.conf:1: error: routing_key holds a control character\n");
}

/* Its length counts when the id is in it: 255 bytes. */
static void test_long_keys(void **state)
{
    (void)state;
    char lines[512];
    snprintf(lines, sizeof(lines), "exchange = \"e\"; routing_key = \"{{{trace_id}%0*d\";", 222,
             0);
    expect(lines, "");
    snprintf(lines, sizeof(lines), "exchange = \"e\"; routing_key = \"{{{trace_id}%0*d\";", 223,
             0);
    expect(lines, "worker.conf:1: error: sink \"s\": routing_key is longer than 255 bytes\n"
                  "  help: {trace_id} counts for 32\n");
    snprintf(lines, sizeof(lines), "exchange = \"%0*d\";", 256, 0);
    expect(lines, "worker.conf:1: error: sink \"s\": exchange is longer than 255 bytes\n"
                  "  help: AMQP has no longer names and routing keys\n");
}

static void test_kinds(void **state)
{
    (void)state;
    expect("exchange = \"e\"; key = \"hex\"; endpoint = \"http://h:4318\";",
           "worker.conf:1: error: sinks[0].key is no parameter of rabbitmq\n"
           "  help: it belongs to type = \"kafka\"\n"
           "worker.conf:1: error: sinks[0].endpoint is no parameter of rabbitmq\n"
           "  help: it belongs to type = \"otlp_http, otlp_grpc\"\n");
    expect("",
           "worker.conf:1: error: sinks[0].exchange is missing\n"
           "  help: Exchange that kept spans go to, a message holding spans of one trace; "
           "\"\" is the default exchange, where routing_key names a queue. It must exist.\n");
    /* What other programs call an endpoint. */
    memory_expect_report(
        "kafka = { bootstrap = \"a\"; };\n"
        "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://h:4318\";\n"
        "url = \"http://h:4318\"; } );\n",
        TOPIC,
        "worker.conf:4: error: sinks[0].url is no parameter of otlp_http\n"
        "  help: it is called endpoint here\n");
}

static void test_broker(void **state)
{
    (void)state;
    expect("exchange = \"e\"; url = \"amqp://h/a/b\";",
           "worker.conf:1: error: sink \"s\": url: it holds a : / @ [ or ] that is not "
           "percent-encoded\n"
           "  help: in a user, a password or a vhost write %3A %2F %40 %5B %5D\n");
    expect("exchange = \"e\"; url = \"amqps://h/\"; tls = { key = \"k\"; };",
           "worker.conf:1: error: sink \"s\": tls.key without sink \"s\": tls.certificate\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),      cmocka_unit_test(test_keys),
        cmocka_unit_test(test_long_keys), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
