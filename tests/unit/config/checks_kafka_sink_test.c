#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* A worker file whose only sink is a Kafka sink with those lines must give exactly this report. */
static void expect(const char *lines, const char *report)
{
    char worker[2048];
    snprintf(worker, sizeof(worker),
             "sinks = ( { name = \"s\"; type = \"kafka\"; %s } );\n"
             "kafka = { bootstrap = \"a\"; };\n"
             "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n",
             lines);
    memory_expect_report(worker, TOPIC, report);
}

static void test_good(void **state)
{
    (void)state;
    expect("topic = \"kept\";", "");
    expect("topic = \"kept\"; key = \"bytes\"; partitioner = \"fnv1a\"; queue = \"8MiB\"; "
           "kafka = { bootstrap = \"b:9092,[::1]:9093\"; properties = ( "
           "{ name = \"compression.type\"; value = \"lz4\"; } ); };",
           "");
}

static void test_topics(void **state)
{
    (void)state;
    expect("", "worker.conf:1: error: sinks[0].topic is missing\n"
               "  help: Topic that kept spans go to. A record holds spans of one trace; it "
               "should exist.\n");
    expect("topic = \"a b\";", "worker.conf:1: error: \"a b\" can not be the name of a topic\n"
                               "  help: up to 249 letters, digits, '.', '_' and '-'\n");
    expect("topic = \"^kept\";",
           "worker.conf:1: error: \"^kept\" can not be the name of a topic\n"
           "  help: up to 249 letters, digits, '.', '_' and '-'\n");
}

static void test_words(void **state)
{
    (void)state;
    expect("topic = \"kept\"; partitioner = \"murmur\";",
           "worker.conf:1: error: sinks[0].partitioner: unknown value \"murmur\"\n"
           "  help: did you mean \"murmur2\"? known: murmur2, crc32, fnv1a\n");
    expect("topic = \"kept\"; partitoner = \"murmur2\";",
           "worker.conf:1: error: unknown key sinks[0].partitoner\n"
           "  help: did you mean partitioner?\n");
}

static void test_clusters(void **state)
{
    (void)state;
    expect("topic = \"kept\"; kafka = { bootstrap = \"b:x\"; };",
           "worker.conf:1: error: a sink's kafka.bootstrap: \"b:x\" is not host:port\n"
           "  help: write host:port,host:port\n");
}

/* What the promises of the sink hang on. */
static void test_properties(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *help;
    } own[] = {
        {"acks", "a span is finished when all replicas have it"},
        {"enable.idempotence", "the sink needs it on"},
        {"message.timeout.ms", "the sink waits for as long as it takes"},
        {"partitioner", "use partitioner of the sink"},
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        char lines[256];
        char report[512];
        snprintf(lines, sizeof(lines),
                 "topic = \"kept\"; kafka = { properties = ( { name = \"%s\"; value = \"1\"; } "
                 "); };",
                 own[i].name);
        snprintf(report, sizeof(report),
                 "worker.conf:1: error: %s can not be set for a sink\n  help: %s\n",
                 own[i].name, own[i].help);
        expect(lines, report);
    }
    expect("topic = \"kept\"; kafka = { properties = ( { name = \"bootstrap.servers\"; "
           "value = \"b\"; } ); };",
           "worker.conf:1: error: bootstrap.servers can not be set here\n"
           "  help: use kafka.bootstrap\n");
}

/* Keys of the other sinks are not its own, and its own are not theirs. */
static void test_kinds(void **state)
{
    (void)state;
    expect("topic = \"kept\"; endpoint = \"http://a\";",
           "worker.conf:1: error: sinks[0].endpoint is no parameter of kafka\n"
           "  help: it belongs to type = \"otlp_http, otlp_grpc\"\n");
    memory_expect_report(
        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\";\n"
        "  topic = \"kept\"; } );\n"
        "kafka = { bootstrap = \"a\"; };\n"
        "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n",
        TOPIC,
        "worker.conf:2: error: sinks[0].topic is no parameter of otlp_http\n"
        "  help: it belongs to type = \"kafka\"\n");
}

/* What the bridge keeps must not come back to it. */
static void test_loops(void **state)
{
    (void)state;
    expect("topic = \"otlp_spans\";",
           "worker.conf:1: error: a sink's topic \"otlp_spans\" is an input of topic file "
           "topic.conf\n  help: kept spans would come back as records: name another "
           "topic\n");
    expect("topic = \"otlp_spans\"; kafka = { bootstrap = \"a\"; };",
           "worker.conf:1: error: a sink's topic \"otlp_spans\" is an input of topic file "
           "topic.conf\n  help: kept spans would come back as records: name another "
           "topic\n");
    expect("topic = \"otlp_spans\"; kafka = { bootstrap = \"other\"; };", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_topics),
        cmocka_unit_test(test_words),      cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_properties), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
