/*
 * letters: dead letters on their way out, each in one block of its own.
 */
#ifndef SB_SOURCE_RABBITMQ_LETTERS_H
#define SB_SOURCE_RABBITMQ_LETTERS_H

#include "amqp/channel.h"
#include "core/mailbox.h"
#include "source/source.h"

struct letter {
    struct mailbox_item item; /* first: letters are taken out by a cast */
    void *ticket;
    uint64_t number;   /* of the publishing on its channel; 0: it is not under way */
    uint32_t failures; /* how often the broker gave it back */
    bool returned;
    enum sb_err result;
    size_t bytes; /* of the block */
    struct amqp_message message;
    struct amqp_header headers[];
};

/* NULL: no memory.  The topic's exchange and key are not copied. */
struct letter *letter_new(const struct source_topic *topic,
                          const struct source_dead_letter *from);

/* What a list of letters needs: in order, linked by their items. */
struct letter_list {
    struct letter *first;
    struct letter *last;
    uint32_t count;
};

void letters_append(struct letter_list *list, struct letter *letter);
struct letter *letters_take_first(struct letter_list *list);
/* Puts all of `back` before what is in the list. */
void letters_put_back(struct letter_list *list, struct letter_list *back);

#endif
