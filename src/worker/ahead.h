/*
 * ahead: memory that the next verdicts will look at is asked for while this one is reached.
 *
 * All that a window holds is cold by the time of its verdict, and what hangs together by hops is
 * a chain of pointers.  So each of the next trees is taken one step further with every verdict.
 */
#ifndef SB_WORKER_AHEAD_H
#define SB_WORKER_AHEAD_H

#include "state.h"

/* To be called with each trace that is about to be decided, before that. */
void ahead_prefetch(const struct worker *worker, window_trace trace);

#endif
