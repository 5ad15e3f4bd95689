/*
 * confirms: the messages of a channel that the broker has not confirmed, by delivery tag.
 *
 * Tags count from 1 on; confirms come in any order, each for one tag or for all up to one.  A
 * ring with a place for each tag from the oldest open one on: it grows with what is under way.
 * Whatever tags a broker sends, only those that are open are settled.  One thread.
 */
#ifndef SB_SINK_CONFIRMS_H
#define SB_SINK_CONFIRMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct shipment_record;

struct confirms_place {
    struct shipment_record *record; /* NULL: settled */
    bool returned;                  /* no queue takes it: its ack is no success */
};

struct confirms {
    struct confirms_place *places;
    uint32_t room;   /* a power of two, or 0 */
    uint64_t oldest; /* tag of the oldest place; all before are settled */
    uint64_t next;   /* tag of the next message */
};

void confirms_init(struct confirms *confirms);
void confirms_clear(struct confirms *confirms);
/* A new channel: nothing is open, and tags count from 1 on. */
void confirms_reset(struct confirms *confirms);

/* Makes sure of a place for one more message.  SB_ERR_MEMORY. */
enum sb_err confirms_reserve(struct confirms *confirms) SB_MUST_USE;
/* The place that was reserved gets the next tag. */
void confirms_push(struct confirms *confirms, struct shipment_record *record);

/* Says that the message came back.  False: the tag is not open. */
bool confirms_mark_returned(struct confirms *confirms, uint64_t tag);

typedef void (*confirms_fn)(void *arg, struct shipment_record *record, bool returned);
/*
 * Settles the tag, or all open ones up to it, oldest first; `on_settled` must not push.
 * False: no message of that tag was ever sent on this channel.
 */
bool confirms_settle(struct confirms *confirms, uint64_t tag, bool multiple,
                     confirms_fn on_settled, void *arg);

/* The longest of the open messages; 0: none is open. */
uint64_t confirms_longest(const struct confirms *confirms);

#endif
