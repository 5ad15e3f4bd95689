/*
 * reader: the handle of one role, its queues for the control thread, and the topics it is made
 * with.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_READER_H
#define SB_SOURCE_KAFKA_READER_H

#include "properties.h"
#include "state.h"

/* A handle of the library, made of the options.  SB_ERR_CONFIG: logged. */
enum sb_err reader_make_handle(struct source_kafka *source, enum properties_for handle,
                               rd_kafka_t **ret) SB_MUST_USE;

/* What comes into the queue makes the event fd readable. */
void reader_watch(struct source_kafka *source, rd_kafka_queue_t *queue);

/*
 * Makes the source's reader of that role, with the topics that are named; without a handle if no
 * topic has the role.  On failure reader_clear takes back what was made.
 */
enum sb_err reader_make(struct source_kafka *source, enum source_role role) SB_MUST_USE;

/*
 * Leaves the group and takes all apart, with topics and lanes.  No worker may poll any more,
 * unless no lane was ever made.
 */
void reader_clear(struct reader *reader);

#endif
