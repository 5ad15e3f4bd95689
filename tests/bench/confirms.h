/*
 * confirms: which messages of a channel the broker has confirmed.
 *
 * Confirms come in any order, one by one or for all up to one.  At most CONFIRMS_MAX messages
 * are out at once, the oldest unconfirmed one and all after it.  A plain value; one thread.
 */
#ifndef SB_BENCH_CONFIRMS_H
#define SB_BENCH_CONFIRMS_H

#include <stdbool.h>
#include <stdint.h>

enum { CONFIRMS_MAX = 16384 };

struct confirms {
    uint64_t sent;                /* tags are 1 ... sent */
    uint64_t done;                /* all up to this tag are confirmed */
    bool confirmed[CONFIRMS_MAX]; /* by tag % CONFIRMS_MAX, of the tags after `done` */
};

/* Whether another message may be sent. */
static inline bool confirms_has_room(const struct confirms *confirms)
{
    return confirms->sent - confirms->done < CONFIRMS_MAX;
}

/* A message was sent; there must have been room. */
static inline void confirms_add(struct confirms *confirms)
{
    confirms->confirmed[++confirms->sent % CONFIRMS_MAX] = false;
}

/* False: such a tag was never sent, or has been confirmed before. */
bool confirms_take(struct confirms *confirms, uint64_t tag, bool multiple);

#endif
