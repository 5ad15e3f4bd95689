/*
 * drain: have all lanes been polled to where they ended when the source started?
 */
#ifndef SB_SOURCE_KAFKA_DRAIN_H
#define SB_SOURCE_KAFKA_DRAIN_H

#include "state.h"

/* Control thread: looks at all lanes and stores the answers for source_kafka_*_drained. */
void drain_refresh(struct source_kafka *source);

#endif
