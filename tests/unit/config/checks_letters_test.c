#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* `errors` of the worker file and of a topic file. */
static void expect(const char *worker_errors, const char *topic_errors, const char *report)
{
    char worker[2048];
    char topic[2048];
    snprintf(worker, sizeof(worker), "errors = { %s };\n" WORKER_REST, worker_errors);
    snprintf(topic, sizeof(topic), TOPIC "errors = { %s };\n", topic_errors);
    memory_expect_report(worker, topic, report);
}

static void test_good(void **state)
{
    (void)state;
    expect("", "deadletterqueue = \"d\";", "");
    expect("deadletterqueue = \"d\";", "deadletterexchange = \"x\"; deadletterkey = \"\";", "");
    expect("deadletterexchange = \"x\";", "deadletterkey = \"k\";", "");
    expect("deadletterexchange = \"x\";", "deadletterqueue = \"d\";", "");
    expect("", "deadletterexchange = \"\"; tolerance = \"all\";", "");
}

static void test_both(void **state)
{
    (void)state;
    expect("deadletterqueue = \"d\"; deadletterexchange = \"x\";", "",
           "worker.conf:1: error: errors has a deadletterqueue and a deadletterexchange\n"
           "  help: a Kafka topic or a RabbitMQ exchange: keep one of them\n");
    expect("", "deadletterqueue = \"d\"; deadletterexchange = \"x\";",
           "topic.conf:2: error: errors has a deadletterqueue and a deadletterexchange\n"
           "  help: a Kafka topic or a RabbitMQ exchange: keep one of them\n");
}

static void test_keys(void **state)
{
    (void)state;
    const char *report =
        "topic.conf:2: error: errors.deadletterkey without errors.deadletterexchange\n"
        "  help: \"\" is the default exchange, where the key is the name of a queue\n";
    expect("", "deadletterkey = \"k\";", report);
    expect("deadletterexchange = \"x\";", "deadletterqueue = \"d\"; deadletterkey = \"k\";",
           report);
    expect("", "deadletterexchange = \"\"; deadletterkey = \"\";",
           "topic.conf:2: error: errors.deadletterkey is empty, and no queue is called so\n"
           "  help: at the default exchange the key is the name of a queue\n");
}

static void test_names(void **state)
{
    (void)state;
    char lines[600];
    snprintf(lines, sizeof(lines), "deadletterexchange = \"a\\nb\"; deadletterkey = \"%0*d\";",
             256, 0);
    expect(lines, "",
           "worker.conf:1: error: errors.deadletterexchange holds a control character\n"
           "worker.conf:1: error: errors.deadletterkey is longer than 255 bytes\n"
           "  help: AMQP has no longer names and routing keys\n");
    expect("", "deadletterqueue = \"a b\";",
           "topic.conf:2: error: \"a b\" can not be the name of a dead-letter topic\n"
           "  help: up to 249 letters, digits, '.', '_' and '-'\n");
    expect("deadletterqueue = \"a b\";", "",
           "worker.conf:1: error: \"a b\" can not be the name of a dead-letter topic\n"
           "  help: up to 249 letters, digits, '.', '_' and '-'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
