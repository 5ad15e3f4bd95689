/*
 * health: whether the service works, and if not, why not.
 *
 * Reasons come and go by what they are about (a topic, a sink, the cluster); at most 64 are kept,
 * further ones are only counted.  One thread.
 */
#ifndef SB_ADMIN_HEALTH_H
#define SB_ADMIN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define ADMIN_JSON_TYPE "application/json"

enum { HEALTH_REASONS_MAX = 64, HEALTH_NAME_LEN = 256, HEALTH_TEXT_LEN = 512 };

struct health_reason {
    const char *part; /* "topic", "sink", "cluster", "group": a constant */
    char name[HEALTH_NAME_LEN];
    char text[HEALTH_TEXT_LEN];
};

struct health_reasons {
    struct health_reason at[HEALTH_REASONS_MAX];
    uint32_t count;
    uint32_t more; /* that found no room */
};

/* Adds the reason, or replaces the text of the one with that part and name. */
void health_set(struct health_reasons *reasons, const char *part, const char *name,
                const char *text);
/* Nothing where there is none. */
void health_clear(struct health_reasons *reasons, const char *part, const char *name);

enum health_phase {
    HEALTH_STARTING, /* the group has not given this member its partitions yet */
    HEALTH_RUNNING,
    HEALTH_STOPPING
};

/*
 * {"status": "healthy" | "unhealthy" | "starting" | "stopping", "message": text, "reasons":
 * [{"part", "name", "text"}, ...]}; returns the HTTP status: 200 when running without a reason,
 * else 503.
 */
int health_write(const struct health_reasons *reasons, enum health_phase phase,
                 struct text *out);

/* For those who only ask whether the process is alive: always 200. */
int health_write_alive(struct text *out);

#endif
