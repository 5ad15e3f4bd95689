#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

#define INPUT "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";"
#define BOUND INPUT " exchange = \"e\"; declare = true;"

#define SINK_HEAD                                                                              \
    "kafka = { bootstrap = \"localhost:9092\"; };\n"                                           \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"          \
    "sinks = ( { name = \"s\"; type = "

static void letters(const char *topic, const char *errors, const char *report)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s\nerrors = { %s };\n", topic, errors);
    memory_expect_report(WORKER_REST, text, report);
}

static void test_letters(void **state)
{
    (void)state;
    letters(INPUT, "deadletterexchange = \"\"; deadletterkey = \"q\";",
            "topic.conf:2: error: the dead-letter queue \"q\" is an input of topic file "
            "topic.conf\n"
            "  help: dead letters would come back as records: name another queue in "
            "errors.deadletterkey\n");
    /* The name of the topic file is the key where none is set, and the queue is its name. */
    letters(INPUT, "deadletterexchange = \"\";",
            "topic.conf:2: error: the dead-letter queue \"q\" is an input of topic file "
            "topic.conf\n"
            "  help: dead letters would come back as records: name another queue in "
            "errors.deadletterkey\n");
    letters(BOUND, "deadletterexchange = \"e\"; deadletterkey = \"k\";",
            "topic.conf:2: error: the dead-letter exchange \"e\" is an input of topic file "
            "topic.conf\n"
            "  help: dead letters would come back as records: name another exchange\n");
    letters(BOUND, "deadletterexchange = \"\"; deadletterkey = \"q.dlq\";", "");
    letters(BOUND, "deadletterexchange = \"dlx\";", "");
    letters(INPUT " name = \"n\";", "deadletterexchange = \"\";", "");
    letters(
        TOPIC, "deadletterqueue = \"otlp_spans\";",
        "topic.conf:3: error: the dead-letter topic \"otlp_spans\" is an input of topic file "
        "topic.conf\n"
        "  help: dead letters would come back as records: name another topic\n");
}

/* Letters of Kafka topics go to the worker's broker; another one has queues of its own. */
static void test_brokers(void **state)
{
    (void)state;
    static const char worker[] =
        "errors = { deadletterexchange = \"\"; deadletterkey = \"q\"; };\n" WORKER_REST;
    char report[512];
    snprintf(report, sizeof(report), "%s%s",
             "worker.conf:1: error: the dead-letter queue \"q\" is an input of topic file ",
             "topic.conf\n  help: dead letters would come back as records: name another queue "
             "in errors.deadletterkey\n");
    memory_expect_report(worker, INPUT, report);
    memory_expect_report(worker, INPUT " url = \"amqp://LOCALHOST\";", report);
    memory_expect_report(
        worker, INPUT " url = \"amqp://other/\"; errors = { deadletterkey = \"d\"; };", "");
}

static void test_sinks(void **state)
{
    (void)state;
    memory_expect_report(SINK_HEAD "\"rabbitmq\"; exchange = \"e\"; } );\n", BOUND,
                         "worker.conf:3: error: a sink's exchange \"e\" is an input of topic "
                         "file topic.conf\n"
                         "  help: kept spans would come back as records: name another "
                         "exchange\n");
    memory_expect_report(
        SINK_HEAD "\"rabbitmq\"; exchange = \"\"; routing_key = \"q\"; } );\n", INPUT,
        "worker.conf:3: error: a sink's queue \"q\" is an input of topic file topic.conf\n"
        "  help: kept spans would come back as records: name another queue in routing_key\n");
    memory_expect_report(
        SINK_HEAD "\"rabbitmq\"; exchange = \"e\"; url = \"amqp://other\"; } );\n", BOUND, "");
    memory_expect_report(SINK_HEAD "\"kafka\"; topic = \"otlp_spans\"; } );\n", TOPIC,
                         "worker.conf:3: error: a sink's topic \"otlp_spans\" is an input of "
                         "topic file topic.conf\n"
                         "  help: kept spans would come back as records: name another topic\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_brokers),
        cmocka_unit_test(test_sinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
