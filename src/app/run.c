/*
 * run: builds the service, runs it, tells what became of everything it read.
 */
#include "app/run.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "state.h"

struct app_run_options app_run_options_default(void)
{
    return (struct app_run_options){.stop_fd = -1};
}

static void report(struct app *app, const struct worker_account *account)
{
    if (app->run.observe) {
        if (observe_report(app, account) != SB_OK)
            log_event(app->log, LOG_ERROR, "app", "no_report",
                      LOG_TEXT("error", sb_err_text(SB_ERR_MEMORY)));
        return;
    }
    char *line = summary_json(app, account);
    if (line != NULL && app->run.on_summary != NULL)
        app->run.on_summary(app->run.on_summary_arg, line);
    else if (line != NULL && app->run.json)
        printf("%s\n", line);
    else if (app->run.drain)
        summary_print(app, account);
    fflush(stdout);
    free(line);
}

static int exit_code(const struct app *app, const struct worker_account *account)
{
    if (account->balance != 0) {
        log_event(app->log, LOG_ERROR, "app", "accounting_does_not_close",
                  LOG_NUMBER("balance", account->balance));
        return EX_SOFTWARE;
    }
    bool work_left = app->run.drain && !app->run.observe &&
                     (account->held > 0 || worker_group_failed_topic(app->group) != NULL);
    if (app->exit_code == EX_OK && work_left)
        return EX_TEMPFAIL;
    return app->exit_code;
}

/* A service that SIGTERM ends has nowhere else to say what became of its spans. */
static void log_end(const struct app *app, const struct worker_account *account, int code)
{
    const struct worker_counters *counters = &account->counters;
    log_event(app->log, LOG_INFO, "app", "ended", LOG_NUMBER("exit", code),
              LOG_NUMBER("read", counters->spans_read),
              LOG_NUMBER("exported", counters->exported),
              LOG_NUMBER("dropped", account->dropped), LOG_NUMBER("dead", account->dead),
              LOG_NUMBER("rejected", counters->rejected), LOG_NUMBER("lost", counters->lost),
              LOG_NUMBER("returned", counters->returned),
              LOG_NUMBER("observed", counters->observed), LOG_NUMBER("held", account->held));
}

/*
 * librdkafka's fetch buffers are about 1 MiB: by default each would be mapped afresh, cleared
 * by the kernel, and unmapped, which costs more than everything we do with its content.
 */
static void keep_large_blocks(void)
{
    enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 256 << 20 };
    /* NOLINTBEGIN(concurrency-mt-unsafe): no other thread runs yet */
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

int app_run(const struct settings *settings, const struct app_run_options *options)
{
    struct app app = {.settings = settings, .run = *options};
    keep_large_blocks();
    signal(SIGPIPE, SIG_IGN); /* a closed socket is an error of its call */
    int code = wiring_build(&app);
    if (code == EX_OK)
        code = control_open(&app);
    if (code == EX_OK && options->fail_fast && !options->observe && !reach_sinks(&app))
        code = EX_UNAVAILABLE;
    if (code == EX_OK) {
        log_event(app.log, LOG_INFO, "app", "started",
                  LOG_TEXT("group", app.look_group == NULL ? settings->group : app.look_group),
                  LOG_NUMBER("topics", settings->topic_count),
                  LOG_NUMBER("sinks", app.sink_count));
        app.exit_code = control_run(&app);
        control_close(&app); /* what it shows is about to go */
        struct worker_account account;
        wiring_stop(&app);
        worker_group_take_account(app.group, &account, NULL);
        report(&app, &account);
        code = exit_code(&app, &account);
        log_end(&app, &account, code);
    } else {
        control_close(&app);
        app.exit_code = EX_SOFTWARE; /* nothing was read: nothing to commit */
        wiring_stop(&app);
    }
    wiring_clear(&app);
    return code;
}
