#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/run.h"
#include "config/load.h"
#include "support/random.h"

enum { FILE_MAX = 1 << 16 };

struct timespec scenario_deadline(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    return deadline;
}

struct trace_id scenario_trace(uint64_t number)
{
    struct random random;
    struct trace_id id;
    random_init(&random, number);
    random_fill(&random, id.byte, TRACE_ID_LEN);
    return id;
}

void scenario_start(struct scenario *scenario)
{
    *scenario = (struct scenario){
        .workers = 1,
        .window = "wait = \"10m\"; hold = \"10m\";",
        .policies = "{ name = \"all\"; type = \"always_sample\"; }",
        .batch = "linger = \"5ms\";",
        .sink = "",
        .more = "",
        .stop_fds = {-1, -1},
    };
    temp_dir_make(&scenario->dir);
    assert_int_equal(sem_init(&scenario->listening, 0, 0), 0);
    kafka_open(scenario);
    scenario_add_sink(scenario);
}

void scenario_end(struct scenario *scenario)
{
    if (scenario->running) {
        scenario_stop_run(scenario);
        pthread_join(scenario->thread, NULL);
    }
    for (uint32_t i = 0; i < scenario->sink_count; i++)
        backend_close(&scenario->backends[i]);
    kafka_close(scenario);
    settings_free(scenario->settings);
    json_decref(scenario->summary);
    for (int i = 0; i < 2; i++)
        if (scenario->stop_fds[i] >= 0)
            close(scenario->stop_fds[i]);
    sem_destroy(&scenario->listening);
    temp_dir_remove(&scenario->dir);
}

void scenario_add_sink(struct scenario *scenario)
{
    assert_true(scenario->sink_count < SINKS_MAX);
    backend_open(&scenario->backends[scenario->sink_count++]);
}

static void add_topic(struct scenario *scenario, const char *name, int partitions,
                      const char *lines, const char *more)
{
    assert_true(scenario->topic_count < TOPICS_MAX);
    scenario_bare_topic(scenario, name, partitions);
    struct text file;
    text_init(&file, FILE_MAX);
    text_printf(&file, "topic = \"%s\"; source = \"kafka\"; %s\n%s\n", name, lines, more);
    char leaf[TAG_LEN];
    snprintf(leaf, sizeof(leaf), "topic%u.conf", scenario->topic_count);
    temp_dir_write(&scenario->dir, leaf, file.at, file.len);
    temp_dir_path(&scenario->dir, leaf, scenario->topics[scenario->topic_count++]);
    text_clear(&file);
}

void scenario_span_topic(struct scenario *scenario, const char *name, int partitions,
                         const char *more)
{
    add_topic(scenario, name, partitions, "role = \"spans\"; start = \"earliest\";", more);
}

void scenario_message_topic(struct scenario *scenario, const char *name, int partitions,
                            const char *more)
{
    add_topic(scenario, name, partitions, "role = \"messages\"; start = \"earliest\";", more);
}

static void write_worker(struct scenario *scenario)
{
    struct text file;
    text_init(&file, FILE_MAX);
    text_printf(&file,
                "group = \"scenario\"; workers = %u;\n"
                "kafka = { bootstrap = \"%s\"; properties = (\n"
                "  { name = \"session.timeout.ms\"; value = \"2000\"; },\n"
                "  { name = \"heartbeat.interval.ms\"; value = \"200\"; } ); };\n"
                "window = { %s };\nsampling = { policies = ( %s ); };\n%s\nsinks = (\n",
                scenario->workers, rd_kafka_mock_cluster_bootstraps(scenario->cluster),
                scenario->window, scenario->policies, scenario->more);
    for (uint32_t i = 0; i < scenario->sink_count && !scenario->kafka_alone; i++)
        text_printf(&file,
                    "  %s{ name = \"sink%u\"; type = \"otlp_http\"; endpoint = \"%s\";\n"
                    "    batch = { %s };\n"
                    "    retry = { initial = \"5ms\"; max = \"50ms\"; }; %s }\n",
                    i == 0 ? "" : ", ", i, receiver_url(scenario->backends[i].receiver),
                    scenario->batch, scenario->sink);
    if (scenario->kafka_sink != NULL)
        text_printf(&file,
                    "  %s{ name = \"kept\"; type = \"kafka\"; topic = \"kept\";\n"
                    "    batch = { %s };\n"
                    "    retry = { initial = \"5ms\"; max = \"50ms\"; }; %s }\n",
                    scenario->kafka_alone ? "" : ", ", scenario->batch, scenario->kafka_sink);
    /* SB_SCENARIO_LOG=info shows what the service logs. */
    const char *level = getenv("SB_SCENARIO_LOG"); // NOLINT(concurrency-mt-unsafe)
    text_printf(&file, ");\nlog = { level = \"%s\"; };\n", level == NULL ? "off" : level);
    if (scenario->watched)
        text_append_text(&file, "admin = { listen = \"127.0.0.1:0\"; };\n");
    assert_int_equal(file.error, SB_OK);
    temp_dir_write(&scenario->dir, "worker.conf", file.at, file.len);
    text_clear(&file);
}

static void load(struct scenario *scenario)
{
    char worker[TEMP_DIR_PATH_LEN];
    const char *topics[TOPICS_MAX];
    temp_dir_path(&scenario->dir, "worker.conf", worker);
    for (uint32_t i = 0; i < scenario->topic_count; i++)
        topics[i] = scenario->topics[i];
    const struct config_sources sources = {
        .worker = worker, .topics = topics, .topic_count = scenario->topic_count};
    struct config_report report;
    config_report_init(&report);
    settings_free(scenario->settings);
    scenario->settings = NULL;
    if (config_load(&sources, &report, &scenario->settings) != SB_OK) {
        struct text why;
        text_init(&why, FILE_MAX);
        config_report_text(&report, false, &why);
        text_append(&why, bytes_of((const uint8_t *)"", 1));
        fail_msg("%s", (const char *)why.at);
    }
    config_report_clear(&report);
    if (scenario->memory_bytes != 0)
        scenario->settings->memory_bytes = scenario->memory_bytes;
}

static void on_summary(void *arg, const char *json_line)
{
    struct scenario *scenario = arg;
    scenario->summary = json_loads(json_line, 0, NULL);
}

static void on_listening(void *arg, const char *address)
{
    struct scenario *scenario = arg;
    snprintf(scenario->admin, sizeof(scenario->admin), "%s", address);
    sem_post(&scenario->listening);
}

static void *run_service(void *arg)
{
    struct scenario *scenario = arg;
    struct app_run_options options = app_run_options_default();
    options.drain = !scenario->stays;
    options.observe = scenario->observes;
    options.json = true;
    options.on_summary = on_summary;
    options.on_summary_arg = scenario;
    options.on_listening = on_listening;
    options.on_listening_arg = scenario;
    options.stop_fd = scenario->stop_fds[0];
    options.keep_signals = true;
    scenario->exit_code = app_run(scenario->settings, &options);
    return NULL;
}

void scenario_run(struct scenario *scenario)
{
    assert_false(scenario->running);
    scenario_flush(scenario);
    write_worker(scenario);
    load(scenario);
    json_decref(scenario->summary);
    scenario->summary = NULL;
    if (scenario->stop_fds[0] < 0)
        assert_int_equal(pipe(scenario->stop_fds), 0);
    assert_int_equal(pthread_create(&scenario->thread, NULL, run_service, scenario), 0);
    scenario->running = true;
}

const char *scenario_admin(struct scenario *scenario)
{
    struct timespec deadline = scenario_deadline();
    assert_true(scenario->watched);
    assert_int_equal(sem_timedwait(&scenario->listening, &deadline), 0);
    return scenario->admin;
}

void scenario_stop_run(struct scenario *scenario)
{
    assert_int_equal(write(scenario->stop_fds[1], "", 1), 1);
}

void scenario_join(struct scenario *scenario, int exit_code)
{
    struct timespec deadline = scenario_deadline();
    assert_int_equal(pthread_timedjoin_np(scenario->thread, NULL, &deadline), 0);
    scenario->running = false;
    assert_non_null(scenario->summary);
    assert_int_equal(scenario->exit_code, exit_code);
    assert_non_null(json_object_get(scenario->summary, "balance"));
    assert_int_equal(scenario_total(scenario, "balance"), 0);
}

void scenario_drain(struct scenario *scenario, int exit_code)
{
    scenario_run(scenario);
    scenario_join(scenario, exit_code);
}

int64_t scenario_total(const struct scenario *scenario, const char *path)
{
    const json_t *at = scenario->summary;
    while (at != NULL) {
        size_t len = strcspn(path, ".");
        char key[TAG_LEN];
        assert_true(len < sizeof(key));
        memcpy(key, path, len);
        key[len] = '\0';
        at = json_object_get(at, key);
        if (path[len] == '\0')
            break;
        path += len + 1;
    }
    return at == NULL ? 0 : json_integer_value(at);
}
