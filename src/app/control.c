/*
 * control: a libevent loop over signals, the source's event fd and a timer.
 *
 * It never touches span data: it tells the workers what to do, and watches them come to
 * rest.  The run moves through enum app_state, one way.
 */
#include "control.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/assert.h"
#include "watch.h"

enum { TICK_MS = 20 };

/* Half of librdkafka's default session timeout of 45 s: delivery.md, Ledger 3. */
#define REVOKE_BUDGET_NS (22 * NS_PER_S)

/* So long as this a partition may have no owner: twice the interval of looks at the cluster. */
#define SHARED_NS (60 * NS_PER_S)

static uint64_t now_ns(void)
{
    return clock_monotonic_ns(clock_system());
}

static void on_lane_open(void *arg, const struct source_lane *lane)
{
    struct app *app = arg;
    log_event(app->log, LOG_INFO, "source", lane->tap ? "tap_opened" : "partition_opened",
              LOG_TEXT("topic", lane->topic_name), LOG_NUMBER("partition", lane->partition),
              LOG_NUMBER("worker", lane->worker));
    app->await.lanes += !lane->tap;
    worker_group_open_lane(app->group, lane);
}

static void on_lanes_close(void *arg, const struct source_lane *lanes, size_t count, bool lost)
{
    struct app *app = arg;
    log_event(app->log, LOG_INFO, "source", "partitions_closed",
              LOG_NUMBER("partitions", count), LOG_NUMBER("lost", lost));
    for (size_t i = 0; i < count; i++)
        app->await.lanes -= !lanes[i].tap;
    worker_group_close_lanes(app->group, lanes, count, lost ? 0 : REVOKE_BUDGET_NS);
}

static void on_dead_letter(void *arg, void *ticket, enum sb_err result)
{
    struct app *app = arg;
    worker_group_dead_letter_done(app->group, ticket, result);
}

static void end(struct app *app, int exit_code)
{
    app->exit_code = exit_code;
    app->state = APP_ENDED;
    if (app->base != NULL)
        event_base_loopbreak(app->base);
}

/* What the sources call them; any other name is a topic's. */
static const char *part_of(const char *what)
{
    if (strcmp(what, "kafka") == 0 || strcmp(what, "rabbitmq") == 0)
        return "cluster";
    return strcmp(what, "group") == 0 ? "group" : "topic";
}

static void on_trouble(void *arg, const char *what, const char *text, bool fatal)
{
    struct app *app = arg;
    if (text == NULL) {
        health_clear(&app->troubles, part_of(what), what);
        log_event(app->log, LOG_INFO, "source", "recovered", LOG_TEXT("what", what));
        return;
    }
    health_set(&app->troubles, part_of(what), what, text);
    log_event(app->log, LOG_ERROR, "source", "trouble", LOG_TEXT("what", what),
              LOG_TEXT("text", text));
    if (fatal)
        end(app, EX_SOFTWARE);
    else if (app->run.fail_fast && app->state == APP_RUNNING)
        end(app, EX_UNAVAILABLE);
}

static void on_fenced(void *arg, const char *text)
{
    struct app *app = arg;
    health_set(&app->troubles, "group", "group", text);
    log_event(app->log, LOG_ERROR, "source", "fenced", LOG_TEXT("text", text));
    end(app, EX_NOPERM);
}

static void on_gap(void *arg, const char *text)
{
    const struct app *app = arg;
    log_event(app->log, LOG_ERROR, "source", "records_gone", LOG_TEXT("text", text));
}

struct source_events control_source_events(struct app *app)
{
    return (struct source_events){
        .on_open = on_lane_open,
        .on_close = on_lanes_close,
        .on_dead_letter = on_dead_letter,
        .on_trouble = on_trouble,
        .on_fenced = on_fenced,
        .on_gap = on_gap,
        .arg = app,
    };
}

/* Intake ends; what has a verdict goes out. */
static void begin_settling(struct app *app)
{
    SB_ASSERT(app->state == APP_RUNNING);
    app->state = APP_SETTLING;
    sources_stop_intake(app->sources);
    worker_group_set_phase(app->group, WORKER_SETTLE);
}

static void begin_stop(struct app *app, const char *why)
{
    if (app->stopping) {
        log_event(app->log, LOG_WARN, "app", "stopped_at_once", LOG_TEXT("why", why));
        _exit(EX_TEMPFAIL);
    }
    log_event(app->log, LOG_INFO, "app", "stopping", LOG_TEXT("why", why));
    app->stopping = true;
    app->deadline_ns = now_ns() + app->settings->shutdown.timeout_ns;
    if (app->state == APP_RUNNING)
        begin_settling(app);
}

static bool decides_at_end(const struct app *app)
{
    return !app->stopping || app->settings->shutdown.drain == SETTINGS_DRAIN_DECIDE;
}

/* Message topics first, so that what they tell is known when the spans come. */
static void step_drain(struct app *app)
{
    if (!app->taps_read && sources_taps_drained(app->sources)) {
        app->taps_read = true;
        worker_group_set_phase(app->group, WORKER_RUN);
    }
    if (app->taps_read && sources_spans_drained(app->sources))
        begin_settling(app);
}

static void step(struct app *app)
{
    switch (app->state) {
    case APP_RUNNING:
        if (app->run.drain)
            step_drain(app);
        break;
    case APP_SETTLING:
        if (decides_at_end(app) && worker_group_is_quiet(app->group)) {
            app->state = APP_DECIDING;
            worker_group_set_phase(app->group, WORKER_DECIDE);
        } else if (!decides_at_end(app) && worker_group_is_idle(app->group)) {
            end(app, EX_OK);
        }
        break;
    case APP_DECIDING:
        if (worker_group_is_idle(app->group))
            end(app, EX_OK);
        break;
    case APP_ENDED:
        break;
    }
    if (app->stopping && app->state != APP_ENDED && now_ns() >= app->deadline_ns) {
        log_event(app->log, LOG_WARN, "app", "shutdown_timeout",
                  LOG_TEXT("help", "a sink did not take what was decided; it is read again"));
        end(app, EX_TEMPFAIL);
    }
}

/*
 * Said once, and in the summary: what hops between instances look like needs an explanation.  A
 * topic that has just been made, or grown, is not dealt yet: only what lasts is said, or what is
 * so at the end.
 */
static void watch_share(struct app *app)
{
    if (sources_share(app->sources) != SOURCE_SHARE_PART)
        app->shared_since_ns = 0;
    else if (app->shared_since_ns == 0)
        app->shared_since_ns = now_ns();
    bool lasts = app->shared_since_ns != 0 &&
                 (app->state == APP_ENDED || now_ns() - app->shared_since_ns >= SHARED_NS);
    if (app->shared || !lasts)
        return;
    app->shared = true;
    log_event(app->log, LOG_INFO, "source", "spans_are_shared",
              LOG_TEXT("help", "other instances read a part of the spans: of a hop whose other "
                               "side they have, at most a link is made"));
}

static void await_sources(struct app *app)
{
    bool begins = !sources_is_assigned(app->sources) && app->troubles.count == 0;
    uint64_t until_ns = await_until_ns(&app->await, begins, now_ns());
    if (until_ns != 0)
        worker_group_await_sources(app->group, until_ns);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct app *app = arg;
    sources_service(app->sources);
    await_sources(app);
    if (app->run.for_ns > 0 && !app->stopping && now_ns() - app->started_ns >= app->run.for_ns)
        begin_stop(app, "its time is over");
    if (app->run.observe)
        observe_progress(app, now_ns());
    if (app->state != APP_ENDED)
        step(app);
    watch_share(app);
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    (void)what;
    begin_stop(arg, signal_number == SIGINT ? "SIGINT" : "SIGTERM");
}

static void on_stop_fd(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    char byte;
    if (read(fd, &byte, 1) >= 0)
        begin_stop(arg, "asked to");
}

static bool watch(struct app *app, evutil_socket_t fd, short what, event_callback_fn on_event)
{
    struct event *event = event_new(app->base, fd, (short)(what | EV_PERSIST), on_event, app);
    if (event == NULL)
        return false;
    app->events[app->event_count++] = event;
    const struct timeval tick = {.tv_usec = TICK_MS * 1000L};
    return event_add(event, what == EV_TIMEOUT ? &tick : NULL) == 0;
}

static bool watch_all(struct app *app)
{
    bool watched = watch(app, sources_event_fd(app->sources), EV_READ, on_tick) &&
                   watch(app, -1, EV_TIMEOUT, on_tick);
    if (watched && !app->run.keep_signals)
        watched = watch(app, SIGTERM, EV_SIGNAL, on_signal) &&
                  watch(app, SIGINT, EV_SIGNAL, on_signal);
    if (watched && app->run.stop_fd >= 0)
        watched = watch(app, app->run.stop_fd, EV_READ, on_stop_fd);
    return watched;
}

int control_open(struct app *app)
{
    app->base = event_base_new();
    enum sb_err err = app->base == NULL ? SB_ERR_MEMORY : SB_OK;
    /* A look may run beside the service itself, on the same host. */
    if (err == SB_OK && app->settings->admin.listen != NULL && !app->run.observe)
        err = watch_new(app, &app->watch);
    return exit_code_of(err);
}

void control_close(struct app *app)
{
    watch_free(app->watch);
    app->watch = NULL;
    if (app->base != NULL)
        event_base_free(app->base);
    app->base = NULL;
}

int control_run(struct app *app)
{
    app->started_ns = now_ns();
    app->await.wait_ns = app->settings->window.wait_ns;
    app->await.hold_ns = app->settings->window.hold_ns;
    if (!watch_all(app) || worker_group_start(app->group) != SB_OK ||
        sources_start(app->sources) != SB_OK)
        app->exit_code = EX_SOFTWARE;
    else if (app->state != APP_ENDED) /* starting may have failed fast already */
        event_base_dispatch(app->base);
    for (uint32_t i = 0; i < app->event_count; i++)
        event_free(app->events[i]);
    app->event_count = 0;
    return app->exit_code;
}
