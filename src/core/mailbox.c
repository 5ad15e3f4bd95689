#include "core/mailbox.h"

#include <stddef.h>

#include "core/assert.h"

static void lock_box(struct mailbox *box)
{
    int failed = pthread_mutex_lock(&box->lock);
    SB_ASSERT(failed == 0);
}

static void unlock_box(struct mailbox *box)
{
    int failed = pthread_mutex_unlock(&box->lock);
    SB_ASSERT(failed == 0);
}

void mailbox_init(struct mailbox *box)
{
    int failed = pthread_mutex_init(&box->lock, NULL);
    SB_ASSERT(failed == 0);
    box->first = NULL;
    box->last = NULL;
}

void mailbox_clear(struct mailbox *box)
{
    SB_ASSERT(box->first == NULL);
    int failed = pthread_mutex_destroy(&box->lock);
    SB_ASSERT(failed == 0);
}

bool mailbox_post(struct mailbox *box, struct mailbox_item *item)
{
    item->next = NULL;
    lock_box(box);
    bool was_empty = box->first == NULL;
    if (was_empty)
        box->first = item;
    else
        box->last->next = item;
    box->last = item;
    unlock_box(box);
    return was_empty;
}

struct mailbox_item *mailbox_take_all(struct mailbox *box)
{
    lock_box(box);
    struct mailbox_item *first = box->first;
    box->first = NULL;
    box->last = NULL;
    unlock_box(box);
    return first;
}
