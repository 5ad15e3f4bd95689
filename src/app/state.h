/*
 * state: the wired service, private to the app room.  Lives in the control thread.
 */
#ifndef SB_APP_STATE_H
#define SB_APP_STATE_H

#include <event2/event.h>

#include "admin/health.h"
#include "app/run.h"
#include "await.h"
#include "core/log.h"
#include "sink/otlp.h"
#include "source/sources.h"
#include "source_kafka/kafka.h"
#include "source_rabbitmq/rabbitmq.h"
#include "worker/worker.h"

enum app_state {
    APP_RUNNING,
    APP_SETTLING, /* intake has stopped, messages between workers come to rest */
    APP_DECIDING, /* what the windows still hold is decided */
    APP_ENDED
};

enum { APP_LOG_MODULES = 5 };

struct app {
    const struct settings *settings;
    struct app_run_options run;
    struct log *log;
    struct log_module log_modules[APP_LOG_MODULES];

    struct otlp_keys *keys;
    struct decide *decide;
    uint16_t tenant_key; /* of settings.tenant among the keys, or OTLP_KEY_NONE */
    struct worker_topic *worker_topics;
    struct source_topic *source_topics;
    struct source_rabbitmq_topic *queues; /* by topic */
    struct worker_batching *batching;
    struct sink **sinks;
    uint32_t sink_count; /* those that were made */
    void **sink_parts;   /* of their options: one for each, and freed after them */
    uint32_t sink_part_count;
    struct source_property *properties;
    struct worker_group *group;
    struct source_numbers lane_numbers;
    struct sources *sources;

    struct event_base *base;
    struct watch *watch; /* NULL: no admin server */
    struct event *events[8];
    uint32_t event_count;
    enum app_state state;
    struct await await;
    bool taps_read;                 /* drain: message topics have been read to their ends */
    bool stopping;                  /* by a signal, not by drain */
    struct health_reasons troubles; /* that the sources have */
    char *look_group;               /* of --observe; owned */
    uint64_t started_ns;
    uint64_t progress_due_ns; /* of --observe, on a terminal */
    uint64_t deadline_ns;
    int exit_code;
    bool shared;              /* others were seen to read a part of the spans, for some time */
    uint64_t shared_since_ns; /* 0: not now */
};

/* wiring.c: makes the stages from the settings.  A sysexits code, 0 when all is there. */
int wiring_build(struct app *app);
void wiring_stop(struct app *app);  /* sinks and workers end; commits */
void wiring_clear(struct app *app); /* frees all */

/*
 * facts.c: how many workers there are; the greatest value of a member of settings->repair, over
 * the worker file and all topics; the exit code that an error stands for.
 */
uint32_t facts_worker_count(const struct settings *settings);
uint64_t facts_greatest(const struct settings *settings, const uint64_t *member);
int exit_code_of(enum sb_err err);

/* sources.c: makes app->sources and what they borrow, and frees what they borrowed. */
enum sb_err wiring_build_sources(struct app *app) SB_MUST_USE;
void wiring_clear_sources(struct app *app);

/* sinks.c: makes the sinks, and frees them when they have been stopped. */
enum sb_err sinks_build(struct app *app) SB_MUST_USE;
void sinks_free(struct app *app);

/*
 * control.c: makes the event loop and listens on the admin address; then runs until the service
 * has ended.  Sysexits codes.  close: after either.
 */
int control_open(struct app *app);
int control_run(struct app *app);
void control_close(struct app *app);

/* reach.c: does each sink's endpoint, or its broker and topic, answer?  Logs what does not. */
bool reach_sinks(const struct app *app);

/*
 * observe.c: what --observe sets otherwise: a consumer group that nobody has, and repairs that
 * are switched off are reported all the same.  NULL: memory is short.
 */
char *observe_group_name(const struct app *app);
enum repair_mode observe_mode(enum repair_mode mode);
enum source_start observe_start(const struct app *app, enum source_role role,
                                enum source_start start);
/* Reading it would keep its messages from those they are for, or leave something at the broker. */
bool observe_leaves_out(const struct settings_topic *topic);
/* Warns of those; SB_ERR_CONFIG: nothing is left to be looked at. */
enum sb_err observe_check_topics(const struct app *app) SB_MUST_USE;
/* The report on stdout, or with `json` as summary_json with one more member.  SB_ERR_MEMORY. */
enum sb_err observe_report(struct app *app, const struct worker_account *account) SB_MUST_USE;
/* A line on stderr now and then, if that is a terminal. */
void observe_progress(struct app *app, uint64_t now_ns);

/* summary.c */
/* The same as JSON, the caller's to free; NULL: memory is short. */
struct json_t *summary_object(const struct app *app, const struct worker_account *account);
/* The final line; the caller frees it with free().  NULL: memory is short. */
char *summary_json(const struct app *app, const struct worker_account *account);
void summary_print(const struct app *app, const struct worker_account *account);

#endif
