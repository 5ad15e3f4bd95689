/*
 * run: the service, from settings to exit code.
 */
#ifndef SB_APP_RUN_H
#define SB_APP_RUN_H

#include <stdbool.h>

#include "config/settings.h"

struct app_run_options {
    bool drain; /* end when everything has been read to where it ended at start */
    bool json;  /* with drain: one line of JSON with the totals on stdout at the end */
    /*
     * Looks only: reads with a group of its own, commits, exports and writes nothing, and reports
     * at the end.  Without `drain` it follows what is new.
     */
    bool observe;
    bool quiet;      /* log nothing below warnings, whatever the settings say */
    uint64_t for_ns; /* stops as SIGTERM does when it has run so long; 0: never */
    bool fail_fast;  /* a broker, topic or backend that is missing at start ends the run: 69 */
    /* Set: the final line goes here instead of stdout.  In the calling thread. */
    void (*on_summary)(void *arg, const char *json_line);
    void *on_summary_arg;
    /* Set: writing a byte to it stops the run as SIGTERM does (read end); else -1. */
    int stop_fd;
    /* Set: told where the admin server listens, before anything is read.  In the calling thread. */
    void (*on_listening)(void *arg, const char *address);
    void *on_listening_arg;
    bool keep_signals; /* leave SIGTERM and SIGINT to the caller */
};

/* Nothing set, stop_fd -1. */
struct app_run_options app_run_options_default(void);

/*
 * Runs until drained, stopped or failed; returns a sysexits code: 0, 69 unavailable, 70
 * internal, 75 stopped with work left, 78 configuration.
 */
int app_run(const struct settings *settings, const struct app_run_options *options);

#endif
