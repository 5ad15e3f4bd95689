/*
 * offsets: questions to the brokers where partitions end, and where a time is, without waiting.
 *
 * One question of a reader is under way at a time; the answers go to the lanes, for whoever
 * asked to look at in its next turn.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_OFFSETS_H
#define SB_SOURCE_KAFKA_OFFSETS_H

#include "state.h"

/* True when a question may be asked now. */
bool offsets_may_ask(const struct reader *reader);

/*
 * Asks; each element's offset is RD_KAFKA_OFFSET_SPEC_LATEST, or a time in ms since 1970.
 * Takes `list`.
 */
void offsets_ask(struct reader *reader, enum offsets_question question,
                 rd_kafka_topic_partition_list_t *list);

/* Asks where the assigned lanes of the spans end, as long as that is not known. */
void offsets_ask_ends(struct reader *reader);

/* Takes answers of commits and of questions; waits `wait_ms` at most for the first. */
void offsets_take_answers(struct source_kafka *source, struct reader *reader, uint32_t wait_ms);

#endif
