/*
 * looks: what a feed looks at once a second: how much waits in its queue, whether all that there
 * was has been read, and whether the prefetch is too small for the window.
 */
#ifndef SB_SOURCE_RABBITMQ_LOOKS_H
#define SB_SOURCE_RABBITMQ_LOOKS_H

#include "state.h"

/* The feed's thread: after its topology, with what is ready before anything is consumed. */
void looks_begin(struct feed *feed, uint64_t ready);

/* The broker sends from now on: silence counts only from here. */
void looks_take_answer(struct feed *feed);

/* The feed's thread: looks, and asks if it is time to.  Errors as those of amqp/channel.h. */
enum sb_err looks_run(struct feed *feed) SB_MUST_USE;

/* The feed's thread: a delivery came, or an answer. */
void looks_take_delivery(struct feed *feed);
void looks_take_ready(struct feed *feed, uint32_t ready, uint32_t consumers);
/* What the broker said of its consumers, ours among them. */
void looks_take_consumers(struct feed *feed, uint32_t consumers);

/* Any thread. */
bool looks_is_drained(const struct feed *feed);
/* False: nothing is known yet. */
bool looks_lag(const struct feed *feed, struct source_lag *ret);
uint64_t looks_tap_time_ns(const struct feed *feed);
enum source_share looks_share(const struct feed *feed);

#endif
