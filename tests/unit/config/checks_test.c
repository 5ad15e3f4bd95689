#include "checks.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

static void expect_bootstrap(const char *bootstrap, const char *report)
{
    char worker[1024];
    snprintf(worker, sizeof(worker),
             "kafka = { bootstrap = \"%s\"; };\n"
             "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
             "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n",
             bootstrap);
    memory_expect_report(worker, TOPIC, report);
}

static void test_bootstrap(void **state)
{
    (void)state;
    static const char *const good[] = {"a",
                                       "a:1",
                                       "a:9092,b:9092",
                                       "a:9092, b:9092 ",
                                       "PLAINTEXT://a:1,SSL://b:2",
                                       "127.0.0.1:65535",
                                       "[::1]:9092",
                                       "[::1]",
                                       "my_broker.example-x.com:1"};
    static const char *const bad[] = {"a:0",   "a:65536", "a:x",       "a:",       ":1",
                                      "a b:1", "a;b",     "[::1:9092", "a:123456", "a/b"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        expect_bootstrap(good[i], "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char report[256];
        snprintf(report, sizeof(report),
                 "worker.conf:1: error: kafka.bootstrap: \"%s\" is not host:port\n"
                 "  help: write host:port,host:port\n",
                 bad[i]);
        expect_bootstrap(bad[i], report);
    }
    expect_bootstrap("a:1,,b:2",
                     "worker.conf:1: error: kafka.bootstrap: \"\" is not host:port\n"
                     "  help: write host:port,host:port\n");
}

static void test_properties(void **state)
{
    (void)state;
    memory_expect_report(
        "kafka = { bootstrap = \"a\"; properties = (\n"
        "{ name = \"security.protocol\"; value = \"sasl_ssl\"; },\n"
        "{ name = \"group.instance.id\"; value = \"x\"; },\n"
        "{ name = \"security.protocol\"; value = \"ssl\"; } ); };\n"
        "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n",
        TOPIC,
        "worker.conf:3: error: group.instance.id can not be set here\n"
        "  help: use instance\n"
        "worker.conf:4: error: security.protocol is set twice\n"
        "  help: the first one is in worker.conf:2\n");
}

static void test_sink_names(void **state)
{
    (void)state;
    memory_expect_report(
        "kafka = { bootstrap = \"a\"; };\n"
        "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; },\n"
        "{ name = \"t\"; type = \"otlp_http\"; endpoint = \"http://a\"; },\n"
        "{ name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n",
        TOPIC,
        "worker.conf:5: error: two sinks are called \"s\"\n"
        "  help: the first one is in worker.conf:3\n");
}

static void test_memory(void **state)
{
    (void)state;
    memory_expect_errors("memory = \"160MiB\";", "");
    memory_expect_errors(
        "memory = \"128MiB\";",
        "worker.conf:1: error: memory = 128MiB leaves nothing for windows: queues and verdicts "
        "take 128MiB\n  help: raise memory, or lower the sinks' queue or decided.memory\n");
    memory_expect_errors(
        "memory = \"130MiB\";",
        "worker.conf:1: error: window.bytes_per_trace is more than what memory leaves for "
        "windows\n  help: lower it, or raise memory\n");
}

static void test_window(void **state)
{
    (void)state;
    memory_expect_errors("window = { wait = \"5m\"; };", "");
    memory_expect_errors(
        "window = { wait = \"5m\"; hold = \"1m\"; };",
        "worker.conf:1: warning: window.hold is below window.wait, so that it has no effect\n"
        "  help: a trace with a message on its way is held until hold\n");
    memory_expect_errors(
        "window = { idle = \"30s\"; };",
        "worker.conf:1: warning: window.idle is not below window.wait, so that "
        "it has no effect\n");
    memory_expect_errors("window = { idle = \"29s\"; after_root = \"5s\"; };", "");
    memory_expect_errors("repair = { ttl = \"29s\"; };",
                         "worker.conf:1: warning: repair.ttl is below window.wait\n"
                         "  help: messages are forgotten before their traces are decided\n");
}

static void test_admin(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:8083", "localhost:0", "[::1]:9090",
                                       "0.0.0.0:65535",  "8083",        "0"};
    static const char *const bad[] = {"localhost", ":8083", "[::1]",      "a:65536", "a:-1",
                                      "a:b",       "::1:1", "http://a:1", "a:1/x"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        char line[128];
        snprintf(line, sizeof(line), "admin = { listen = \"%s\"; };", good[i]);
        memory_expect_errors(line, "");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char line[128];
        char report[256];
        snprintf(line, sizeof(line), "admin = { listen = \"%s\"; };", bad[i]);
        snprintf(report, sizeof(report),
                 "worker.conf:1: error: admin.listen: \"%s\" is not host:port\n"
                 "  help: write 127.0.0.1:8083, or [::1]:8083\n",
                 bad[i]);
        memory_expect_errors(line, report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bootstrap),  cmocka_unit_test(test_properties),
        cmocka_unit_test(test_sink_names), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_window),     cmocka_unit_test(test_admin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
