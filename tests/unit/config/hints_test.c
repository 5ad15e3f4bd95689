#include "hints.h"

#include <string.h>

#include "config/settings.h"
#include "support/test.h"

struct hint_example {
    const struct schema *schema;
    const char *group;
    const char *name;
    unsigned kind;
    const char *help;
};

static void test_hints(void **state)
{
    (void)state;
    static const struct hint_example examples[] = {
        /* siblings */
        {&schema_worker, "", "workres", 0, "did you mean workers?"},
        {&schema_worker, "", "windw", 0, "did you mean window?"},
        {&schema_worker, "window", "wiat", 0, "did you mean window.wait?"},
        {&schema_sink, "batch", "span", 0, "did you mean batch.spans?"},
        /* the same word elsewhere in the file */
        {&schema_worker, "", "wait", 0, "move it under window: window = { wait = ...; };"},
        {&schema_worker, "window", "level", 0, "move it under log: log = { level = ...; };"},
        {&schema_worker, "window", "group", 0, "it stands at the top: group = ...;"},
        {&schema_topic, "", "deadletterqueue", 0,
         "move it under errors: errors = { deadletterqueue = ...; };"},
        /* in another kind of group */
        {&schema_worker, "", "topic", 0, "topic belongs in a topic file or a sink"},
        {&schema_worker, "", "percentage", 0, "percentage belongs in a policy"},
        {&schema_worker, "", "batch", 0, "batch belongs in a sink"},
        {&schema_topic, "", "sinks", 0, "sinks belongs in the worker file"},
        {&schema_topic, "", "window", 0, "window belongs in the worker file"},
        /* words of other programs */
        {&schema_worker, "", "decision_wait", 0, "it is called window.wait here"},
        {&schema_worker, "", "bootstrap_servers", 0, "it is called kafka.bootstrap here"},
        {&schema_sink, "", "insecure_skip_verify", 0, "it is called tls.insecure here"},
        {&schema_policy, "", "sampling_percentage", 0, "it is called percentage here"},
        {&schema_worker, "rabbitmq.tls", "ca_file", 0, "it is called rabbitmq.tls.ca here"},
        {&schema_worker, "", "amqp", 0, "it is called rabbitmq here"},
        {&schema_policy, "", "latency", 0,
         "parameters stand in the policy itself, beside its type"},
        /* near a word elsewhere */
        {&schema_worker, "", "window_wait", 0, "did you mean window.wait?"},
        {&schema_worker, "", "bootstrp", 0, "did you mean kafka.bootstrap?"},
        /* nothing near */
        {&schema_header, "", "xyzzy", 0, "known here: name, value, file"},
        {&schema_policy, "", "xyzzy", 1U << SETTINGS_POLICY_PROBABILISTIC,
         "known here: name, type, percentage, hash_salt, mode"},
        {&schema_policy, "", "xyzzy", 1U << SETTINGS_POLICY_ALWAYS_SAMPLE,
         "known here: name, type"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct config_report report;
        config_report_init(&report);
        report_error(&report, report_file(&report, "f"), "unknown");
        struct unknown_key unknown = {.schema = examples[i].schema,
                                      .group = examples[i].group,
                                      .name = examples[i].name,
                                      .kind = examples[i].kind};
        hint_unknown_key(&report, &unknown);
        assert_non_null(report.items[0].help);
        assert_string_equal(report.items[0].help, examples[i].help);
        config_report_clear(&report);
    }
}

/* Whatever the word, there is some help, and it has an end. */
static void test_any_word(void **state)
{
    (void)state;
    static const struct schema *const schemas[] = {
        &schema_worker,   &schema_topic,  &schema_sink, &schema_policy,
        &schema_property, &schema_header, NULL};
    char word[300];
    memset(word, 'q', sizeof(word) - 1);
    for (size_t len = 0; len < sizeof(word); len++) {
        word[len] = '\0';
        for (const struct schema *const *schema = schemas; *schema != NULL; schema++) {
            struct config_report report;
            config_report_init(&report);
            report_error(&report, report_file(&report, "f"), "unknown");
            hint_unknown_key(
                &report, &(struct unknown_key){.schema = *schema, .group = "", .name = word});
            assert_non_null(report.items[0].help);
            config_report_clear(&report);
        }
        word[len] = 'q';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_any_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
