#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"
#include "workspace.h"

static const struct workspace_options options = {
    .bootstrap = "127.0.0.1:19092",
    .group = "demo-group",
    .backend_url = "http://127.0.0.1:4318",
    .spans_topic = "spans-1",
    .message_topics = {"orders-1", "shipments-1"},
};

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static void test_files_load_and_say_what_was_asked(void **state)
{
    (void)state;
    struct workspace workspace;
    struct settings *settings;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(workspace_make(&options, &workspace, &message), SB_OK);
    if (workspace_load(&workspace, &settings, &message) != SB_OK)
        fail_msg("%s", text_string(&message));
    assert_string_equal(settings->group, "demo-group");
    assert_string_equal(settings->kafka.bootstrap, "127.0.0.1:19092");
    assert_true(settings->window.wait_ns == 2 * NS_PER_S);
    assert_int_equal(settings->shutdown.drain, SETTINGS_DRAIN_DECIDE);
    assert_int_equal(settings->sampling.policy_count, WORKSPACE_POLICIES);
    for (uint32_t i = 0; i < WORKSPACE_POLICIES; i++)
        assert_string_equal(settings->sampling.policies[i].name, workspace_policies[i]);
    assert_int_equal(settings->topic_count, 3);
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        bool spans = topic->role == SETTINGS_ROLE_SPANS;
        /* Mock clusters answer offsets by time with the end. */
        assert_int_equal(topic->start, SETTINGS_START_EARLIEST);
        assert_true(spans || topic->repair.queue_span);
        assert_int_equal(spans, strcmp(topic->topic, "spans-1") == 0);
    }
    assert_string_equal(settings->sinks[0].endpoints[0], "http://127.0.0.1:4318");
    settings_free(settings);
    workspace_remove(&workspace);
    assert_false(exists(workspace.path));
    text_clear(&message);
}

static struct settings *load(const struct workspace *workspace)
{
    struct settings *settings = NULL;
    struct text message;
    text_init(&message, 4096);
    if (workspace_load(workspace, &settings, &message) != SB_OK)
        fail_msg("%s", text_string(&message));
    text_clear(&message);
    return settings;
}

/* However slow the machine is, all is read before a trace is decided for its age. */
static void test_what_is_read_once_is_waited_for(void **state)
{
    (void)state;
    struct workspace workspace;
    struct workspace_options once = options;
    struct text message;
    text_init(&message, 4096);
    once.once = true;
    assert_int_equal(workspace_make(&once, &workspace, &message), SB_OK);
    struct settings *settings = load(&workspace);
    assert_true(settings->window.wait_ns == 60 * NS_PER_S);
    assert_true(settings->window.hold_ns >= settings->window.wait_ns);
    settings_free(settings);
    workspace_remove(&workspace);
    text_clear(&message);
}

/* The password is one that libconfig would take for the end of a text, and for a variable. */
static void test_rabbitmq_has_a_queue_of_spans(void **state)
{
    (void)state;
    struct workspace workspace;
    struct workspace_options both = options;
    struct text message;
    text_init(&message, 4096);
    both.rabbitmq_url = "amqp://me:a\"b\\c${D}@127.0.0.1:5672/";
    both.rabbitmq_queue = "mailer-spans-1";
    assert_int_equal(workspace_make(&both, &workspace, &message), SB_OK);
    struct settings *settings = load(&workspace);
    assert_string_equal(settings->rabbitmq.url, "amqp://me:a%22b%5Cc%24{D}@127.0.0.1:5672/");
    assert_true(settings->repair.queue_span);
    assert_int_equal(settings->topic_count, 4);
    uint32_t queues = 0;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *topic = &settings->topics[i];
        if (topic->source != SETTINGS_SOURCE_RABBITMQ)
            continue;
        assert_string_equal(topic->name, "mailer_spans");
        assert_string_equal(topic->rabbitmq.queue, "mailer-spans-1");
        assert_int_equal(topic->role, SETTINGS_ROLE_SPANS);
        assert_false(topic->rabbitmq.declare);
        queues++;
    }
    assert_int_equal(queues, 1);
    settings_free(settings);
    workspace_remove(&workspace);
    assert_false(exists(workspace.path));
    text_clear(&message);
}

static void test_files_are_their_owners(void **state)
{
    (void)state;
    struct workspace workspace;
    struct text message;
    char path[WORKSPACE_PATH_LEN + 16];
    struct stat status;
    text_init(&message, 4096);
    assert_int_equal(workspace_make(&options, &workspace, &message), SB_OK);
    snprintf(path, sizeof(path), "%s/worker.conf", workspace.path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    workspace_remove(&workspace);
    text_clear(&message);
}

/* Its queue would be missed by the next demo. */
static void test_kept_folder_forgets_rabbitmq(void **state)
{
    (void)state;
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    struct workspace workspace;
    struct workspace_options both = options;
    struct text message;
    text_init(&message, 4096);
    temp_dir_make(&dir);
    temp_dir_path(&dir, "kept", path);
    both.keep = path;
    both.rabbitmq_url = "amqp://127.0.0.1/";
    both.rabbitmq_queue = "mailer-spans-1";
    assert_int_equal(workspace_make(&both, &workspace, &message), SB_OK);
    both.rabbitmq_url = NULL;
    assert_int_equal(workspace_make(&both, &workspace, &message), SB_OK);
    struct settings *settings = load(&workspace);
    assert_int_equal(settings->topic_count, 3);
    settings_free(settings);
    temp_dir_remove(&dir);
    text_clear(&message);
}

static void test_kept_folder_stays(void **state)
{
    (void)state;
    struct temp_dir dir;
    char keep[TEMP_DIR_PATH_LEN];
    struct workspace workspace;
    struct workspace_options kept = options;
    struct text message;
    text_init(&message, 4096);
    temp_dir_make(&dir);
    temp_dir_path(&dir, "kept", keep);
    kept.keep = keep;
    for (int again = 0; again < 2; again++) { /* the second one writes over the first */
        assert_int_equal(workspace_make(&kept, &workspace, &message), SB_OK);
        workspace_remove(&workspace);
        temp_dir_path(&dir, "kept/topics/orders.conf", keep);
        assert_true(exists(keep));
        temp_dir_path(&dir, "kept", keep);
    }
    temp_dir_remove(&dir);
    text_clear(&message);
}

static void test_folder_that_can_not_be_made_is_named(void **state)
{
    (void)state;
    struct workspace workspace;
    struct workspace_options bad = options;
    struct text message;
    text_init(&message, 4096);
    bad.keep = "/proc/no/such/folder";
    assert_int_equal(workspace_make(&bad, &workspace, &message), SB_ERR_IO);
    assert_non_null(strstr(text_string(&message), "/proc/no/such/folder"));
    text_clear(&message);
}

static void test_file_that_does_not_load_is_reported(void **state)
{
    (void)state;
    struct workspace workspace;
    struct workspace_options bad = options;
    struct settings *settings;
    struct text message;
    text_init(&message, 4096);
    bad.backend_url = "no url";
    assert_int_equal(workspace_make(&bad, &workspace, &message), SB_OK);
    assert_int_equal(workspace_load(&workspace, &settings, &message), SB_ERR_CONFIG);
    assert_non_null(strstr(text_string(&message), "worker.conf"));
    workspace_remove(&workspace);
    text_clear(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_load_and_say_what_was_asked),
        cmocka_unit_test(test_what_is_read_once_is_waited_for),
        cmocka_unit_test(test_rabbitmq_has_a_queue_of_spans),
        cmocka_unit_test(test_files_are_their_owners),
        cmocka_unit_test(test_kept_folder_forgets_rabbitmq),
        cmocka_unit_test(test_kept_folder_stays),
        cmocka_unit_test(test_folder_that_can_not_be_made_is_named),
        cmocka_unit_test(test_file_that_does_not_load_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
