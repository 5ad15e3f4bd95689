#include "properties.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "capture.h"
#include "command.h"
#include "config_files.h"
#include "support/test.h"

static void test_check(void **state)
{
    (void)state;
    char why[CONFIG_WHY_LEN] = "";
    assert_true(properties_check("fetch.wait.max.ms", "100", why));
    assert_true(properties_check("sasl.mechanism", "SCRAM-SHA-256", why));
    assert_true(properties_check("security.protocol", "sasl_ssl", why));
    assert_true(properties_check("partition.assignment.strategy", "cooperative-sticky", why));
    assert_false(properties_check("fetch.wait.max.msx", "100", why));
    assert_non_null(strstr(why, "fetch.wait.max.msx"));
    assert_false(properties_check("fetch.wait.max.ms", "often", why));
    assert_false(properties_check("security.protocol", "carrier-pigeon", why));
}

/* With the place; and no value of a secret. */
static void test_report(void **state)
{
    (void)state;
    struct config_folder folder;
    char worker[TEMP_DIR_PATH_LEN];
    struct capture capture;
    char line[TEMP_DIR_PATH_LEN + 100];
    config_folder_make(&folder);
    config_folder_write(&folder, "p.conf",
                        "kafka = { bootstrap = \"a\"; properties = (\n"
                        "{ name = \"fetch.wait.max.msx\"; value = \"1\"; },\n"
                        "{ name = \"ssl.key.password\"; value = \"hunter2\"; },\n"
                        "{ name = \"ssl.key.passwordx\"; value = \"hunter2\"; } ); };\n"
                        "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; "
                        "} ); };\n"
                        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = "
                        "\"http://a\"; } );\n",
                        worker);
    capture_run(&capture, command_check.run, WORDS("check", worker, folder.topic));
    assert_int_equal(capture.code, EX_CONFIG);
    snprintf(line, sizeof(line),
             "%s:2: error: librdkafka does not take fetch.wait.max.msx: ", worker);
    assert_non_null(strstr(capture.err, line));
    snprintf(line, sizeof(line), "%s:4: error: librdkafka does not take ssl.key.passwordx\n",
             worker);
    assert_non_null(strstr(capture.err, line));
    assert_null(strstr(capture.err, "hunter2"));
    assert_non_null(strstr(capture.err, "2 errors"));
    capture_clear(&capture);
    temp_dir_remove(&folder.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
