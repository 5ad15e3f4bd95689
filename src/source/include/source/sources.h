/*
 * sources: all sources of the process, as workers and the control thread see them.
 *
 * A worker polls them by turns and sleeps in one of them, the bed: a source that has something
 * for a worker says so with sources_wake, whichever it is.
 *
 * Threads and meanings are those of source_ops, where a call has the same name.
 */
#ifndef SB_SOURCE_SOURCES_H
#define SB_SOURCE_SOURCES_H

#include "source/source.h"

enum sb_err sources_new(uint32_t workers, uint32_t topic_count,
                        struct sources **ret) SB_MUST_USE;

/* Before the start: takes a source.  The first one is the bed.  SB_ERR_MEMORY: not taken. */
enum sb_err sources_add(struct sources *sources, struct source *source) SB_MUST_USE;

enum sb_err sources_start(struct sources *sources) SB_MUST_USE;
int sources_event_fd(const struct sources *sources);
void sources_service(struct sources *sources);

size_t sources_poll(struct sources *sources, uint32_t worker, uint32_t wait_ms,
                    struct record *ret, size_t max);
size_t sources_poll_taps(struct sources *sources, uint32_t worker, struct record *ret,
                         size_t max);
void sources_wake(struct sources *sources, uint32_t worker);

bool sources_find_topic(const struct sources *sources, enum source_role role, const char *name,
                        uint32_t *ret_index);
/* Besides: SB_ERR_UNAVAILABLE where no source takes the letters of that topic. */
enum sb_err sources_dead_letter(struct sources *sources,
                                const struct source_dead_letter *letter) SB_MUST_USE;
bool sources_spans_drained(const struct sources *sources);
bool sources_taps_drained(const struct sources *sources);
uint64_t sources_tap_time_ns(const struct sources *sources, uint32_t topic);
/* Of the first that has one. */
char *sources_cluster_id(struct sources *sources);
size_t sources_lags(const struct sources *sources, struct source_lag *ret, size_t max);
uint64_t sources_unreadable(const struct sources *sources, uint32_t topic);
bool sources_is_assigned(const struct sources *sources);
/* Of all together: PART if one has a part, ALL if each has all. */
enum source_share sources_share(const struct sources *sources);

void sources_stop_intake(struct sources *sources);
void sources_free(struct sources *sources, bool commit); /* the sources with it */

#endif
