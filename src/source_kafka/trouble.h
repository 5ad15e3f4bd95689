/*
 * trouble: what fails now, by topic or for the cluster, told once and taken back once.
 *
 * A trouble that goes on with another text is told again at most every ten seconds.  Control
 * thread, except trouble_copy_text and the log callback.
 */
#ifndef SB_SOURCE_KAFKA_TROUBLE_H
#define SB_SOURCE_KAFKA_TROUBLE_H

#include "state.h"

/* `what` of trouble that is not a topic's: with the cluster, with the group. */
#define TROUBLE_CLUSTER "kafka"
#define TROUBLE_GROUP   "group"

enum sb_err troubles_new(struct troubles **ret) SB_MUST_USE;
void troubles_free(struct troubles *troubles);

void trouble_report(struct source_kafka *source, const char *what, const char *text,
                    bool fatal);
void trouble_clear(struct source_kafka *source, const char *what);
bool trouble_is_active(const struct source_kafka *source, const char *what);

/* An error the library raised for a partition, or (lane NULL) for a handle. */
void trouble_of_lane(struct source_kafka *source, struct lane *lane, rd_kafka_resp_err_t err,
                     const char *text);
void trouble_of_handle(struct source_kafka *source, rd_kafka_t *rk, rd_kafka_resp_err_t err,
                       const char *reason);

/* The library's callbacks; their opaque is the source. */
void trouble_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);
void trouble_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);

/* Any thread: cuts `text` to a note's length. */
void trouble_copy_text(char ret[NOTE_TEXT_LEN], const char *text);

#endif
