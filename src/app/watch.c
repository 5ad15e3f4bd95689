/*
 * watch: what the admin server's pages show, taken from the stages when somebody asks.
 *
 * The control thread, which also tells what is in trouble; nothing here waits for another
 * thread for longer than the copy of some counters takes.
 */
#include <librdkafka/rdkafka.h>
#include <string.h>
#include <sysexits.h>

#include "admin/metrics.h"
#include "core/memory.h"
#include "watch.h"

enum { LAGS_ROOM = 1024 };

struct watch {
    struct app *app;
    struct admin_server *server;
    struct health_reasons reasons; /* these and all others, while they are being shown */
    struct worker_topic_counters *topic_counters;
    struct admin_topic *topics;
    const char **policies;
    struct admin_sink *sinks;
    struct source_lag *lags;
    size_t lag_room;
};

static const char *text_of(enum sink_state state)
{
    static const char *const texts[] = {
        [SINK_CONNECTING] = "has not connected yet",
        [SINK_READY] = "takes spans",
        [SINK_BACKING_OFF] = "does not take what is sent: it is sent again after a while",
        [SINK_UNAUTHORISED] = "does not let spanbridge in: credentials are read again",
        [SINK_STOPPED] = "has stopped",
    };
    return texts[state];
}

static void add_sink_reason(struct watch *watch, struct sink *sink)
{
    char why[SINK_WHY_LEN];
    enum sink_state state = sink->ops->state(sink);
    if (state == SINK_CONNECTING || state == SINK_READY)
        return;
    sink->ops->read_why(sink, why);
    health_set(&watch->reasons, "sink", sink->name, why[0] == '\0' ? text_of(state) : why);
}

static void add_reasons(struct watch *watch)
{
    struct app *app = watch->app;
    watch->reasons = app->troubles;
    for (uint32_t i = 0; i < app->settings->topic_count; i++) {
        if (worker_group_topic_has_failed(app->group, i))
            health_set(&watch->reasons, "topic", app->settings->topics[i].name,
                       "stopped: a record of it could not be taken, and errors.tolerance is "
                       "none");
    }
    for (uint32_t i = 0; i < app->sink_count; i++)
        add_sink_reason(watch, app->sinks[i]);
}

static int write_health(void *arg, struct text *out)
{
    struct watch *watch = arg;
    const struct app *app = watch->app;
    add_reasons(watch);
    enum health_phase phase = HEALTH_RUNNING;
    if (app->state != APP_RUNNING)
        phase = HEALTH_STOPPING;
    else if (!sources_is_assigned(app->sources))
        phase = HEALTH_STARTING;
    return health_write(&watch->reasons, phase, out);
}

static int write_alive(void *arg, struct text *out)
{
    (void)arg;
    return health_write_alive(out);
}

/* Partitions come and go: the room grows with them, and no page is without those that fit. */
static size_t read_lags(struct watch *watch)
{
    const struct sources *sources = watch->app->sources;
    size_t count = sources_lags(sources, watch->lags, watch->lag_room);
    if (count > watch->lag_room) {
        struct source_lag *lags = memory_realloc(watch->lags, count, sizeof(*lags));
        if (lags == NULL)
            return watch->lag_room;
        watch->lags = lags;
        watch->lag_room = count;
        count = sources_lags(sources, lags, count);
    }
    return count < watch->lag_room ? count : watch->lag_room;
}

static void read_sinks(struct watch *watch)
{
    for (uint32_t i = 0; i < watch->app->sink_count; i++) {
        struct sink *sink = watch->app->sinks[i];
        struct admin_sink *ret = &watch->sinks[i];
        *ret = (struct admin_sink){
            .name = sink->name,
            .state = sink->ops->state(sink),
            .queued_bytes = sink->ops->queued_bytes(sink),
            .queue_bytes_max = sink->queue_bytes_max,
        };
        sink->ops->read_counters(sink, &ret->counters);
    }
}

static int write_metrics(void *arg, struct text *out)
{
    struct watch *watch = arg;
    struct app *app = watch->app;
    struct worker_account account;
    worker_group_take_account(app->group, &account, watch->topic_counters);
    read_sinks(watch);
    for (uint32_t i = 0; i < app->settings->topic_count; i++) {
        watch->topics[i].failed = worker_group_topic_has_failed(app->group, i);
        watch->topics[i].unreadable = sources_unreadable(app->sources, i);
    }
    size_t lag_count = read_lags(watch);
    const struct admin_snapshot snapshot = {
        .version = SPANBRIDGE_VERSION,
        .librdkafka = rd_kafka_version_str(),
        .account = &account,
        .topic_counters = watch->topic_counters,
        .topics = watch->topics,
        .topic_count = app->settings->topic_count,
        .policies = watch->policies,
        .policy_count = app->settings->sampling.policy_count,
        .sinks = watch->sinks,
        .sink_count = app->sink_count,
        .lags = watch->lags,
        .lag_count = lag_count,
    };
    admin_write_metrics(&snapshot, out);
    return 200;
}

static const struct admin_page pages[] = {
    {"/metrics", ADMIN_METRICS_TYPE, write_metrics},
    {"/health", ADMIN_JSON_TYPE, write_health},
    {"/health/live", ADMIN_JSON_TYPE, write_alive},
};

static enum sb_err make_room(struct watch *watch)
{
    const struct settings *settings = watch->app->settings;
    size_t topics = (size_t)settings->topic_count + 1;
    watch->topic_counters = memory_zalloc(topics, sizeof(*watch->topic_counters));
    watch->topics = memory_zalloc(topics, sizeof(*watch->topics));
    watch->policies =
        memory_zalloc((size_t)settings->sampling.policy_count + 1, sizeof(char *));
    watch->sinks = memory_zalloc((size_t)watch->app->sink_count + 1, sizeof(*watch->sinks));
    watch->lags = memory_zalloc(LAGS_ROOM, sizeof(*watch->lags));
    watch->lag_room = watch->lags == NULL ? 0 : LAGS_ROOM;
    if (watch->topic_counters == NULL || watch->topics == NULL || watch->policies == NULL ||
        watch->sinks == NULL || watch->lags == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < settings->topic_count; i++)
        watch->topics[i] = (struct admin_topic){
            .name = settings->topics[i].name,
            .spans = settings->topics[i].role == SETTINGS_ROLE_SPANS,
        };
    for (uint32_t i = 0; i < settings->sampling.policy_count; i++)
        watch->policies[i] = settings->sampling.policies[i].name;
    return SB_OK;
}

enum sb_err watch_new(struct app *app, struct watch **ret)
{
    struct watch *watch = memory_zalloc(1, sizeof(*watch));
    if (watch == NULL)
        return SB_ERR_MEMORY;
    watch->app = app;
    const struct admin_options options = {
        .base = app->base,
        .listen = app->settings->admin.listen,
        .pages = pages,
        .page_count = sizeof(pages) / sizeof(*pages),
        .arg = watch,
        .clock = clock_system(),
        .log = app->log,
    };
    enum sb_err err = make_room(watch);
    if (err == SB_OK)
        err = admin_server_new(&options, &watch->server);
    if (err != SB_OK) {
        watch_free(watch);
        return err;
    }
    if (app->run.on_listening != NULL)
        app->run.on_listening(app->run.on_listening_arg, admin_server_address(watch->server));
    *ret = watch;
    return SB_OK;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    admin_server_free(watch->server);
    memory_free(watch->topic_counters);
    memory_free(watch->topics);
    memory_free(watch->policies);
    memory_free(watch->sinks);
    memory_free(watch->lags);
    memory_free(watch);
}
