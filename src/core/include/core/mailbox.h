/*
 * mailbox: a queue of items from any thread to one reader, for what is passed by the batch
 * (never by the span): a short lock around a linked list.
 *
 * Items are linked through a struct mailbox_item at their start or inside them; whoever
 * posts gives the item away, whoever takes it owns it.
 */
#ifndef SB_CORE_MAILBOX_H
#define SB_CORE_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

struct mailbox_item {
    struct mailbox_item *next;
};

struct mailbox {
    pthread_mutex_t lock;
    struct mailbox_item *first;
    struct mailbox_item *last;
};

void mailbox_init(struct mailbox *box);
void mailbox_clear(struct mailbox *box); /* must be empty */

/* True when the box was empty before: the reader may need to be woken. */
bool mailbox_post(struct mailbox *box, struct mailbox_item *item);

/* All items, oldest first, or NULL. */
struct mailbox_item *mailbox_take_all(struct mailbox *box);

#endif
