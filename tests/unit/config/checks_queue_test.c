#include "checks.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

#define BOUND "queue = \"q\"; exchange = \"e\"; declare = true; "

static void expect_with(const char *worker_lines, const char *role, const char *lines,
                        const char *report)
{
    char worker[2048];
    char topic[2048];
    snprintf(worker, sizeof(worker), "%s\n" WORKER_REST, worker_lines);
    snprintf(topic, sizeof(topic), "source = \"rabbitmq\"; role = \"%s\";\n%s\n", role, lines);
    if (strcmp(role, "spans") == 0) {
        memory_expect_report(worker, topic, report);
        return;
    }
    static const char *const names[] = {"topic.conf", "spans.conf"};
    struct memory_file list[] = {
        {"worker.conf", worker}, {"topic.conf", topic}, {"spans.conf", TOPIC}, {0}};
    struct config_files files = memory_files(list);
    struct config_sources sources = {
        .files = &files, .worker = "worker.conf", .topics = names, .topic_count = 2};
    struct config_report found;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&found);
    text_init(&shown, 1 << 16);
    enum sb_err err = config_load(&sources, &found, &settings);
    config_report_text(&found, false, &shown);
    assert_string_equal(text_string(&shown), report);
    assert_int_equal(err, found.errors > 0 ? SB_ERR_CONFIG : SB_OK);
    settings_free(settings);
    text_clear(&shown);
    config_report_clear(&found);
}

static void spans(const char *lines, const char *report)
{
    expect_with("", "spans", lines, report);
}

static void messages(const char *lines, const char *report)
{
    expect_with("", "messages", lines, report);
}

static void test_good(void **state)
{
    (void)state;
    spans("queue = \"q\";", "");
    spans(BOUND, "");
    spans(BOUND "binding = [ \"a.*\", \"\" ]; exchange_type = \"topic\";", "");
    spans(BOUND "binding = \"20\"; exchange_type = \"x-consistent-hash\"; "
                "queue_type = \"classic\"; consumers = 64; prefetch = 65535;",
          "");
    spans("queue = \"q\"; queue_type = \"stream\"; offsets = \"q.offset\"; start = \"latest\";",
          "");
    messages(BOUND, "");
    messages(BOUND "exchange_type = \"direct\"; binding = \"key\";", "");
    messages("queue = \"q\"; dedicated = true;", "");
    messages("queue = \"q\"; queue_type = \"stream\"; start = \"earliest\";", "");
    messages("queue = \"q\"; format = \"firehose\"; declare = true;", "");
    messages("queue = \"q\"; format = \"firehose\"; declare = true; exchange = \"copy\";", "");
}

/* Nobody else's messages are taken. */
static void test_taking(void **state)
{
    (void)state;
    messages("queue = \"q\";",
             "topic.conf:2: error: messages of queue \"q\" would be taken from those who wait "
             "for them\n"
             "  help: read copies: exchange = \"...\"; declare = true; or say that it is a "
             "stream: queue_type = \"stream\"; or that it is the bridge's alone: dedicated = "
             "true;\n");
    messages("queue = \"q\"; dedicated = false;",
             "topic.conf:2: error: messages of queue \"q\" would be taken from those who wait "
             "for them\n"
             "  help: read copies: exchange = \"...\"; declare = true; or say that it is a "
             "stream: queue_type = \"stream\"; or that it is the bridge's alone: dedicated = "
             "true;\n");
    messages(
        BOUND "exchange_type = \"x-consistent-hash\";",
        "topic.conf:2: error: a queue at an x-consistent-hash exchange takes messages from "
        "the others\n"
        "  help: the exchange gives each message to one of its queues: tap the one before "
        "it\n");
    messages(BOUND "dedicated = true;",
             "topic.conf:2: error: dedicated has no use here\n"
             "  help: a queue of our own takes nothing from anybody; leave it out\n");
    messages("queue = \"q\"; queue_type = \"stream\"; dedicated = true;",
             "topic.conf:2: error: dedicated has no use here\n"
             "  help: reading a stream takes nothing from anybody; leave it out\n");
}

static void test_declaring(void **state)
{
    (void)state;
    spans("queue = \"q\"; exchange = \"e\"; exchange_type = \"topic\"; queue_type = "
          "\"quorum\";",
          "topic.conf:2: error: exchange without declare\n"
          "  help: declare = true; makes the queue and binds it; a queue that exists stands "
          "alone\n"
          "topic.conf:2: error: exchange_type without declare\n"
          "  help: an exchange is made with declare = true; only\n"
          "topic.conf:2: error: queue_type without declare\n"
          "  help: a queue that exists is used as it is; only a stream has to be called one\n");
    spans("queue = \"q\"; declare = true; binding = \"b\";",
          "topic.conf:2: error: binding without exchange\n"
          "  help: name the exchange, or leave binding out: the queue is read as it is\n"
          "topic.conf:2: error: declare without exchange\n"
          "  help: name the exchange that the queue is bound to; a queue that exists needs no "
          "declare\n");
    spans("declare = true; exchange = \"e\";",
          "topic.conf: error: queue is missing\n"
          "  help: Queue that is read. With declare it is made and bound to the exchange; of "
          "messages that is a queue of our own, whose name ends in .INSTANCE where the worker "
          "file has an instance.\n");
    messages("queue = \"q\"; format = \"firehose\";",
             "topic.conf:2: error: format = \"firehose\" without declare\n"
             "  help: a queue of our own is bound to the tracing exchange: declare = true;\n");
}

static void test_roles(void **state)
{
    (void)state;
    spans(BOUND "format = \"firehose\";",
          "topic.conf:2: error: format = \"firehose\" with role = \"spans\"\n"
          "  help: the firehose wraps business messages: role = \"messages\";\n");
    spans("queue = \"q\"; dedicated = true;",
          "topic.conf:2: error: dedicated with role = \"spans\"\n"
          "  help: spans are always taken from their queue; leave it out\n");
    messages(BOUND "offsets = \"o\";",
             "topic.conf:2: error: offsets with role = \"messages\"\n"
             "  help: where messages are read from hangs on the spans: see start\n");
}

static void test_streams(void **state)
{
    (void)state;
    spans("queue = \"q\"; queue_type = \"stream\";",
          "topic.conf:2: error: a stream of spans needs offsets\n"
          "  help: the broker keeps no position in it: offsets = \"spans.offset\";\n");
    spans("queue = \"q\"; queue_type = \"stream\"; offsets = \"o\"; consumers = 2;",
          "topic.conf:2: error: a stream has one consumer\n"
          "  help: each further one would read the same records again\n");
    spans("queue = \"q\"; offsets = \"o\"; start = \"earliest\";",
          "topic.conf:2: error: offsets without queue_type = \"stream\"\n"
          "  help: the broker knows what was read of a queue, and has no positions\n"
          "topic.conf:2: error: start without queue_type = \"stream\"\n"
          "  help: a queue is read from its head, and has no positions\n");
    messages(BOUND "queue_type = \"stream\";",
             "topic.conf:2: warning: a stream that is declared here grows without a bound\n"
             "  help: give it one by a policy of the broker: max-age, max-length-bytes\n");
}

static void test_bindings(void **state)
{
    (void)state;
    spans(BOUND "exchange_type = \"direct\";",
          "topic.conf:2: error: a direct exchange needs a binding\n"
          "  help: it knows no patterns, so that # would be a key like any other\n");
    spans(BOUND "exchange_type = \"x-consistent-hash\"; binding = [ \"1\", \"#\" ];",
          "topic.conf:2: error: binding \"#\" is no weight\n"
          "  help: at an x-consistent-hash exchange it is a number: binding = \"1\";\n");
    spans(BOUND "exchange_type = \"x-consistent-hash\"; binding = \"00\";",
          "topic.conf:2: error: binding \"00\" is no weight\n"
          "  help: at an x-consistent-hash exchange it is a number: binding = \"1\";\n");
    spans(BOUND "binding = [ ];", "topic.conf:2: error: binding is empty\n");
    spans(BOUND "binding = 1;", "topic.conf:2: error: binding takes a list of texts, not 1\n"
                                "  help: write binding = [ \"...\", \"...\" ];\n");
}

static void test_names(void **state)
{
    (void)state;
    spans("queue = \"amq.gen\"; exchange = \"amq.topic\"; declare = true; exchange_type = "
          "\"topic\";",
          "topic.conf:2: error: exchange_type: exchanges that begin with amq. are the "
          "broker's own\n"
          "  help: it exists: leave exchange_type out\n"
          "topic.conf:2: error: queue: names that begin with amq. are the broker's own\n"
          "  help: a queue that is declared needs another name\n");
    spans("queue = \"amq.gen\";", "");
    spans("queue = \"a\\nb\";", "topic.conf:2: error: queue holds a control character\n");
}

/* 255 bytes are what AMQP takes, the instance among them. */
static void test_long_names(void **state)
{
    (void)state;
    char lines[512];
    snprintf(lines, sizeof(lines), "queue = \"%0*d\";", 255, 0);
    spans(lines, "");
    snprintf(lines, sizeof(lines), "queue = \"%0*d\";", 256, 0);
    spans(lines, "topic.conf:2: error: queue is longer than 255 bytes\n"
                 "  help: AMQP has no longer names and routing keys\n");
    snprintf(lines, sizeof(lines), "exchange = \"e\"; declare = true; queue = \"%0*d\";", 250,
             0);
    expect_with("instance = \"pod-7\";", "messages", lines,
                "topic.conf:2: error: queue with its .INSTANCE is longer than 255 bytes\n"
                "  help: AMQP has no longer names and routing keys\n");
    expect_with("instance = \"pod7\";", "messages", lines, "");
}

static void test_rate(void **state)
{
    (void)state;
    spans("queue = \"q\"; prefetch = 300;\nconsumers = 2;",
          "topic.conf:2: warning: at most 20 records per second pass: 300 prefetch * 2 "
          "consumers / 30s window.wait\n"
          "  help: a record is held until its traces are decided: raise prefetch or "
          "consumers\n");
    spans("queue = \"q\"; prefetch = 3000;", "");
    expect_with("window = { wait = \"2m\"; };", "spans", "queue = \"q\";",
                "topic.conf: warning: at most 83 records per second pass: 10000 prefetch * 1 "
                "consumers / 2m window.wait\n"
                "  help: a record is held until its traces are decided: raise prefetch or "
                "consumers\n");
    spans("queue = \"q\"; prefetch = 1;",
          "topic.conf:2: warning: at most 0.03 records per second pass: 1 prefetch * 1 "
          "consumers / 30s window.wait\n"
          "  help: a record is held until its traces are decided: raise prefetch or "
          "consumers\n");
    messages(BOUND "prefetch = 1;", ""); /* a tap finishes its records at once */
}

static void test_the_brokers_patience(void **state)
{
    (void)state;
    expect_with(
        "window = { wait = \"10s\"; hold = \"15m\"; };", "spans", "queue = \"q\";",
        "worker.conf:1: warning: window.hold = 15m is near RabbitMQ's "
        "consumer_timeout, 30m by default\n"
        "  help: a message that is not acknowledged by then ends its channel, and all of "
        "them come again: lower it, or raise the timeout\n");
    expect_with("window = { wait = \"10s\"; hold = \"14m\"; };", "spans", "queue = \"q\";", "");
    expect_with("window = { wait = \"10s\"; hold = \"15m\"; };", "messages", BOUND, "");
}

/* Keys of one source are no keys of the other, whatever the order. */
static void test_sources(void **state)
{
    (void)state;
    spans("queue = \"q\"; topic = \"t\"; isolation = \"read_committed\";",
          "topic.conf:2: error: topic is no parameter of rabbitmq\n"
          "  help: it belongs to source = \"kafka\"\n"
          "topic.conf:2: error: isolation is no parameter of rabbitmq\n"
          "  help: it belongs to source = \"kafka\"\n");
    memory_expect_report(WORKER_REST, TOPIC "prefetch = 7;\nurl = \"amqp://u:hunter2@h\";\n",
                         "topic.conf:2: error: prefetch is no parameter of kafka\n"
                         "  help: it belongs to source = \"rabbitmq\"\n"
                         "topic.conf:3: error: url is no parameter of kafka\n"
                         "  help: it belongs to source = \"rabbitmq\"\n");
    memory_expect_report(WORKER_REST,
                         "source = \"${SRC:-rabbitmq}\"; role = \"spans\";\n"
                         "topic = \"t\"; queue = \"q\";\n",
                         "topic.conf:2: error: topic is no parameter of rabbitmq\n"
                         "  help: it belongs to source = \"kafka\"\n");
    memory_expect_report(WORKER_REST, "source = \"rabbit\"; role = \"spans\"; queue = \"q\";\n",
                         "topic.conf:1: error: source: unknown value \"rabbit\"\n"
                         "  help: did you mean \"rabbitmq\"? known: kafka, rabbitmq\n");
    memory_expect_report(WORKER_REST, "source = \"amqp\"; role = \"spans\"; queue = \"q\";\n",
                         "topic.conf:1: error: source: unknown value \"amqp\"\n"
                         "  help: did you mean \"rabbitmq\"? known: kafka, rabbitmq\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_taking),
        cmocka_unit_test(test_declaring),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_the_brokers_patience),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
