/*
 * workspace: the folder with the worker file and the topic files that the demo runs on: the
 * same that a user writes, loaded by the same code.
 */
#ifndef SB_DEMO_WORKSPACE_H
#define SB_DEMO_WORKSPACE_H

#include <stdbool.h>

#include "config/settings.h"
#include "core/err.h"
#include "core/text.h"

enum { WORKSPACE_PATH_LEN = 1024, WORKSPACE_POLICIES = 4 };

/* Names of the policies in the worker file, in its order. */
extern const char *const workspace_policies[WORKSPACE_POLICIES];

struct workspace {
    char path[WORKSPACE_PATH_LEN];
    bool keep;
};

/* What goes into the files; borrowed. */
struct workspace_options {
    const char *keep; /* a folder that is made if it is not there; NULL: a temporary one */
    const char *bootstrap;
    const char *group;
    const char *backend_url;
    const char *spans_topic;
    const char *message_topics[2];
    const char *rabbitmq_url;   /* NULL: none */
    const char *rabbitmq_queue; /* that holds spans, too */
    bool once;                  /* all is at the brokers before anything is read */
    bool verbose;
};

/*
 * Writes the files, for their owner alone: the URL may hold a password.  SB_ERR_IO with
 * `message`.
 */
enum sb_err workspace_make(const struct workspace_options *options, struct workspace *ret,
                           struct text *message) SB_MUST_USE;

/* Loads them through the stage config.  SB_ERR_CONFIG with `message`, SB_ERR_MEMORY. */
enum sb_err workspace_load(const struct workspace *workspace, struct settings **ret,
                           struct text *message) SB_MUST_USE;

/* Removes the folder, unless it is to be kept. */
void workspace_remove(const struct workspace *workspace);

#endif
