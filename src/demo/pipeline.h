/*
 * pipeline: the whole service, app_run, in a thread of its own.
 *
 * The functions are for the thread that started it.
 */
#ifndef SB_DEMO_PIPELINE_H
#define SB_DEMO_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "core/err.h"

struct pipeline;

/* `settings` must outlive it.  `drain`: it ends by itself.  SB_ERR_MEMORY, SB_ERR_IO. */
enum sb_err pipeline_start(const struct settings *settings, bool drain,
                           struct pipeline **ret) SB_MUST_USE;

/*
 * As SIGTERM does.  Once it is stopped nothing more happens: a second SIGTERM would end the process
 * on the spot, and with it whoever has to clean up.
 */
void pipeline_stop(struct pipeline *pipeline);

/* True when it has ended, within `wait_ms`. */
bool pipeline_ended(struct pipeline *pipeline, uint32_t wait_ms);

/* Once it has ended: app_run's exit code, and its totals as JSON; NULL: there are none. */
int pipeline_exit_code(const struct pipeline *pipeline);
const char *pipeline_summary(const struct pipeline *pipeline);

/* Stops it if need be, and waits for its end.  Takes NULL. */
void pipeline_free(struct pipeline *pipeline);

#endif
