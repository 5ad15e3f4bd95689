#include "pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app/run.h"
#include "core/clock.h"
#include "core/memory.h"

struct pipeline {
    const struct settings *settings;
    struct app_run_options options;
    int stop_fds[2];
    bool started;
    bool stopped;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool ended;
    int exit_code;
    char *summary;
};

static void on_summary(void *arg, const char *json_line)
{
    struct pipeline *pipeline = arg;
    pthread_mutex_lock(&pipeline->lock);
    pipeline->summary = memory_copy_text(json_line);
    pthread_mutex_unlock(&pipeline->lock);
}

static void *run(void *arg)
{
    struct pipeline *pipeline = arg;
    int code = app_run(pipeline->settings, &pipeline->options);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->exit_code = code;
    pipeline->ended = true;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->lock);
    return NULL;
}

/* Waits are on the clock that never jumps. */
static bool init_signalling(struct pipeline *pipeline)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool fine = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&pipeline->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return fine && pthread_mutex_init(&pipeline->lock, NULL) == 0;
}

enum sb_err pipeline_start(const struct settings *settings, bool drain, struct pipeline **ret)
{
    struct pipeline *pipeline = memory_zalloc(1, sizeof(*pipeline));
    if (pipeline == NULL)
        return SB_ERR_MEMORY;
    if (pipe(pipeline->stop_fds) != 0) {
        memory_free(pipeline);
        return SB_ERR_IO;
    }
    pipeline->settings = settings;
    pipeline->options = app_run_options_default();
    pipeline->options.drain = drain;
    pipeline->options.on_summary = on_summary;
    pipeline->options.on_summary_arg = pipeline;
    pipeline->options.stop_fd = pipeline->stop_fds[0];
    pipeline->options.keep_signals = true;
    pipeline->exit_code = EX_SOFTWARE;
    pipeline->started = init_signalling(pipeline) &&
                        pthread_create(&pipeline->thread, NULL, run, pipeline) == 0;
    if (!pipeline->started) {
        pipeline_free(pipeline);
        return SB_ERR_IO;
    }
    *ret = pipeline;
    return SB_OK;
}

void pipeline_stop(struct pipeline *pipeline)
{
    if (pipeline->stopped)
        return;
    ssize_t written = write(pipeline->stop_fds[1], "", 1);
    (void)written; /* the one byte fits */
    pipeline->stopped = true;
}

bool pipeline_ended(struct pipeline *pipeline, uint32_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / MS_PER_S;
    until.tv_nsec += (long)(wait_ms % MS_PER_S) * (long)NS_PER_MS;
    if (until.tv_nsec >= (long)NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= (long)NS_PER_S;
    }
    pthread_mutex_lock(&pipeline->lock);
    int result = 0;
    while (!pipeline->ended && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&pipeline->changed, &pipeline->lock, &until);
    bool ended = pipeline->ended;
    pthread_mutex_unlock(&pipeline->lock);
    return ended;
}

int pipeline_exit_code(const struct pipeline *pipeline)
{
    return pipeline->exit_code;
}

const char *pipeline_summary(const struct pipeline *pipeline)
{
    return pipeline->summary;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    if (pipeline->started) {
        pipeline_stop(pipeline);
        pthread_join(pipeline->thread, NULL);
        pthread_cond_destroy(&pipeline->changed);
        pthread_mutex_destroy(&pipeline->lock);
    }
    close(pipeline->stop_fds[0]);
    close(pipeline->stop_fds[1]);
    memory_free(pipeline->summary);
    memory_free(pipeline);
}
