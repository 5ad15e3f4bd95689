/*
 * poster: dead letters out to one broker: a thread with a publishing connection of its own, since
 * a broker that is short of memory stops whoever publishes.
 *
 * Letters are persistent and mandatory.  One is delivered when the broker has confirmed it and has
 * not given it back before; what it gives back, or can not take, is sent again after a while, a
 * bounded number of times.  While the broker is away letters wait.
 */
#ifndef SB_SOURCE_RABBITMQ_POSTER_H
#define SB_SOURCE_RABBITMQ_POSTER_H

#include "state.h"

/* For the letters of topics of that broker.  Errors as those of source_rabbitmq_new. */
enum sb_err poster_new(struct source_rabbitmq *source,
                       const struct source_rabbitmq_broker *broker,
                       struct poster **ret) SB_MUST_USE;

/* Control thread. */
enum sb_err poster_start(struct poster *poster) SB_MUST_USE;

/* Is that the broker that it posts to? */
bool poster_is_for(const struct poster *poster, const struct source_rabbitmq_broker *broker);

/* Any thread: as source_ops. */
enum sb_err poster_take(struct poster *poster,
                        const struct source_dead_letter *from) SB_MUST_USE;

/* Control thread: ends and troubles of all posters' letters are told. */
void posters_serve(struct source_rabbitmq *source);

/* Control thread: waits a while for what is under way, then tells that the rest has failed. */
void poster_free(struct poster *poster);

#endif
