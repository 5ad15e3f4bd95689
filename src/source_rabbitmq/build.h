/*
 * build: feeds, lanes, posters and the workers' views of them, made out of the options.
 */
#ifndef SB_SOURCE_RABBITMQ_BUILD_H
#define SB_SOURCE_RABBITMQ_BUILD_H

#include "state.h"

/* Of a source that holds its options alone.  Errors as source_rabbitmq_new; clear it then, too. */
enum sb_err build_source(struct source_rabbitmq *source) SB_MUST_USE;

/* All threads of feeds have ended; posters are waited for here. */
void build_clear(struct source_rabbitmq *source);

#endif
