/*
 * wiring: settings in, stages out.
 *
 * Here alone settings are turned into the options of the stages: no stage knows of files.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "control.h"
#include "core/memory.h"

static enum log_level log_level_of(const struct app *app, enum settings_log_level level)
{
    static const enum log_level levels[] = {
        [SETTINGS_LOG_DEBUG] = LOG_DEBUG, [SETTINGS_LOG_INFO] = LOG_INFO,
        [SETTINGS_LOG_WARN] = LOG_WARN,   [SETTINGS_LOG_ERROR] = LOG_ERROR,
        [SETTINGS_LOG_OFF] = LOG_OFF,
    };
    return app->run.quiet && levels[level] < LOG_WARN ? LOG_WARN : levels[level];
}

static enum sb_err build_log(struct app *app)
{
    const struct settings_log *settings = &app->settings->log;
    const struct settings_log_levels *levels = &settings->levels;
    const struct log_module modules[APP_LOG_MODULES] = {
        {"admin", log_level_of(app, levels->admin)},
        {"app", log_level_of(app, levels->app)},
        {"sink", log_level_of(app, levels->sink)},
        {"source", log_level_of(app, levels->source)},
        {"worker", log_level_of(app, levels->worker)},
    };
    memcpy(app->log_modules, modules, sizeof(modules));
    const struct log_options options = {
        .level = log_level_of(app, settings->level),
        .modules = app->log_modules,
        .module_count = APP_LOG_MODULES,
        .format = settings->format == SETTINGS_LOG_JSON ? LOG_JSON : LOG_LOGFMT,
        .per_second = settings->per_second,
        .fd = STDERR_FILENO,
        .clock = clock_system(),
    };
    return log_new(&options, &app->log);
}

static struct decide_policy policy_of(const struct settings_policy *settings)
{
    struct decide_policy policy = {.name = settings->name};
    switch (settings->type) {
    case SETTINGS_POLICY_ALWAYS_SAMPLE:
        policy.type = DECIDE_ALWAYS_SAMPLE;
        break;
    case SETTINGS_POLICY_STATUS_CODE:
        policy.type = DECIDE_STATUS_CODE;
        policy.statuses = (uint8_t)settings->status_code.codes;
        break;
    case SETTINGS_POLICY_LATENCY:
        policy.type = DECIDE_LATENCY;
        policy.threshold_ns = settings->latency.threshold_ns;
        policy.upper_threshold_ns = settings->latency.upper_threshold_ns;
        break;
    case SETTINGS_POLICY_STRING_ATTRIBUTE:
        policy.type = DECIDE_STRING_ATTRIBUTE;
        policy.key = settings->string_attribute.key;
        policy.values = settings->string_attribute.values;
        policy.value_count = settings->string_attribute.value_count;
        policy.regex = settings->string_attribute.regex;
        policy.invert = settings->string_attribute.invert;
        break;
    case SETTINGS_POLICY_PROBABILISTIC:
        policy.type = DECIDE_PROBABILISTIC;
        policy.percentage = settings->probabilistic.percentage;
        policy.hash_salt = settings->probabilistic.hash_salt;
        break;
    }
    return policy;
}

static enum sb_err build_decide(struct app *app)
{
    const struct settings_sampling *sampling = &app->settings->sampling;
    struct decide_policy policies[DECIDE_POLICIES_MAX];
    if (sampling->policy_count > DECIDE_POLICIES_MAX) {
        log_event(app->log, LOG_ERROR, "app", "too_many_policies",
                  LOG_NUMBER("policies_max", DECIDE_POLICIES_MAX));
        return SB_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < sampling->policy_count; i++)
        policies[i] = policy_of(&sampling->policies[i]);
    /* Who only looks may leave the policies out. */
    bool none = app->run.observe && sampling->policy_count == 0;
    if (none)
        policies[0] = (struct decide_policy){.name = "all", .type = DECIDE_ALWAYS_SAMPLE};
    const struct decide_options options = {
        .policies = policies,
        .policy_count = none ? 1 : sampling->policy_count,
        .first_match = sampling->first_match,
    };
    uint32_t wrong;
    char why[DECIDE_WHY_LEN] = "";
    enum sb_err err = decide_new(&options, app->keys, &app->decide, &wrong, why);
    if (err == SB_ERR_CONFIG)
        log_event(app->log, LOG_ERROR, "app", "policy_is_wrong",
                  LOG_TEXT("policy", policies[wrong].name), LOG_TEXT("why", why));
    app->tenant_key = OTLP_KEY_NONE;
    if (err == SB_OK && app->settings->tenant != NULL)
        err = otlp_keys_add(app->keys, bytes_text(app->settings->tenant), &app->tenant_key);
    for (size_t i = 0; err == SB_OK && i < repair_alias_count(); i++) {
        uint16_t id;
        err = otlp_keys_add(app->keys, bytes_text(repair_alias_key(i)), &id);
    }
    return err;
}

static enum repair_mode mode_of(enum settings_repair_mode mode)
{
    static const enum repair_mode modes[] = {
        [SETTINGS_REPAIR_OFF] = REPAIR_OFF,   [SETTINGS_REPAIR_REPORT] = REPAIR_REPORT,
        [SETTINGS_REPAIR_LINK] = REPAIR_LINK, [SETTINGS_REPAIR_PARENT] = REPAIR_PARENT,
        [SETTINGS_REPAIR_AUTO] = REPAIR_AUTO,
    };
    return modes[mode];
}

static enum worker_unseen unseen_of(enum settings_unseen unseen)
{
    static const enum worker_unseen unseens[] = {
        [SETTINGS_UNSEEN_AUTO] = WORKER_UNSEEN_MERGE_IF_ALONE,
        [SETTINGS_UNSEEN_MERGE] = WORKER_UNSEEN_MERGE,
        [SETTINGS_UNSEEN_LINK] = WORKER_UNSEEN_LINK,
    };
    return unseens[unseen];
}

static struct worker_repair repair_of(const struct app *app,
                                      const struct settings_repair *settings)
{
    enum repair_mode mode = mode_of(settings->mode);
    return (struct worker_repair){
        .mode = app->run.observe ? observe_mode(mode) : mode,
        .queue_span = settings->queue_span,
        .adopt_root = settings->adopt == SETTINGS_ADOPT_ROOT && mode != REPAIR_OFF,
        .unseen = unseen_of(settings->unseen),
        .links_max = settings->links_max,
    };
}

static enum sb_err build_topics(struct app *app)
{
    uint32_t count = app->settings->topic_count;
    app->worker_topics = memory_zalloc(count, sizeof(*app->worker_topics));
    if (app->worker_topics == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const struct settings_topic *topic = &app->settings->topics[i];
        bool spans = topic->role == SETTINGS_ROLE_SPANS;
        bool rabbitmq = topic->source == SETTINGS_SOURCE_RABBITMQ;
        app->worker_topics[i] = (struct worker_topic){
            .name = topic->name,
            .pattern = rabbitmq ? topic->rabbitmq.queue : topic->topic,
            .role = spans ? WORKER_SPANS : WORKER_MESSAGES,
            .rabbitmq = rabbitmq,
            .json = topic->encoding == SETTINGS_ENCODING_OTLP_JSON,
            .dead_letters = !app->run.observe && (topic->errors.deadletterqueue != NULL ||
                                                  topic->errors.deadletterexchange != NULL),
            .context_headers = topic->errors.context_headers,
            .tolerant = topic->errors.tolerance == SETTINGS_TOLERANCE_ALL,
            .repair = repair_of(app, &topic->repair),
        };
    }
    return SB_OK;
}

static struct otlp_limits limits_of(const struct settings_limits *settings)
{
    return (struct otlp_limits){
        .record_bytes_max = settings->record_bytes_max,
        .spans_max = settings->spans_max,
        .span_bytes_max = settings->span_bytes_max,
        .depth_max = settings->depth_max,
        .attributes_max = settings->attributes_max,
        .events_max = settings->events_max,
        .links_max = settings->links_max,
        .key_bytes_max = settings->key_bytes_max,
        .value_bytes_max = settings->value_bytes_max,
    };
}

static bool has_messages(const struct settings *settings)
{
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        if (settings->topics[i].role == SETTINGS_ROLE_MESSAGES)
            return true;
    }
    return false;
}

/* Of `memory`: windows get three quarters, hop facts an eighth; the rest is for queues. */
static enum sb_err build_workers(struct app *app)
{
    const struct settings *settings = app->settings;
    uint32_t count = facts_worker_count(settings);
    const struct worker_options options = {
        .worker_count = count,
        .taps_first = app->run.drain && has_messages(settings),
        .clock = clock_system(),
        .log = app->log,
        .topics = app->worker_topics,
        .topic_count = settings->topic_count,
        .default_repair = repair_of(app, &settings->repair),
        .repair_ttl_ns = facts_greatest(settings, &settings->repair.ttl_ns),
        .limits = limits_of(&settings->limits),
        .headers_max = settings->limits.headers_max,
        .header_bytes_max = settings->limits.header_bytes_max,
        .tenant_key = app->tenant_key,
        .keys = app->keys,
        .decide = app->decide,
        .sinks = app->sinks,
        .batching = app->batching,
        .sink_count = app->sink_count,
        .wait_ns = settings->window.wait_ns,
        .after_root_ns = settings->window.after_root_ns,
        .idle_ns = settings->window.idle_ns,
        .hold_ns = settings->window.hold_ns,
        .spans_per_trace_max = settings->window.spans_per_trace_max,
        .bytes_per_trace_max = (uint32_t)settings->window.bytes_per_trace_max,
        .window_bytes_max = settings->memory_bytes / 4 * 3 / count,
        .verdict_bytes_max = settings->decided.memory_bytes / count,
        .hop_bytes_max = settings->memory_bytes / 8 / count,
        .record_policy_all = settings->sampling.record_policy == SETTINGS_RECORD_ALL,
        .dry_run = settings->sampling.dry_run,
        .observe = app->run.observe,
        .observe_from_now = app->run.observe && !app->run.drain,
    };
    return worker_group_new(&options, &app->group);
}

int wiring_build(struct app *app)
{
    enum sb_err err = build_log(app);
    if (err == SB_OK && app->run.observe)
        err = observe_check_topics(app);
    if (err == SB_OK)
        err = otlp_keys_new(&app->keys);
    if (err == SB_OK)
        err = build_decide(app);
    if (err == SB_OK)
        err = build_topics(app);
    if (err == SB_OK)
        err = sinks_build(app);
    if (err == SB_OK)
        err = build_workers(app);
    if (err == SB_OK)
        err = wiring_build_sources(app);
    if (err != SB_OK) {
        log_event(app->log, LOG_ERROR, "app", "start_failed",
                  LOG_TEXT("error", sb_err_text(err)));
        return exit_code_of(err);
    }
    worker_group_attach(app->group, app->sources);
    return EX_OK;
}

void wiring_stop(struct app *app)
{
    if (app->group != NULL && app->sources != NULL)
        worker_group_publish(app->group);
    for (uint32_t i = 0; i < app->sink_count; i++)
        app->sinks[i]->ops->stop(app->sinks[i]);
    if (app->group != NULL && app->sources != NULL)
        worker_group_stop(app->group);
    bool leaves_well = app->exit_code != EX_SOFTWARE && app->exit_code != EX_NOPERM;
    sources_free(app->sources, leaves_well && !app->run.observe);
    app->sources = NULL;
}

void wiring_clear(struct app *app)
{
    worker_group_free(app->group);
    sinks_free(app);
    memory_free(app->worker_topics);
    wiring_clear_sources(app);
    decide_free(app->decide);
    otlp_keys_free(app->keys);
    log_free(app->log);
}
