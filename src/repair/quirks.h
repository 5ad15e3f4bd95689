/*
 * quirks: what single instrumentations do differently, by the name of their scope.  Data.
 */
#ifndef SB_REPAIR_QUIRKS_H
#define SB_REPAIR_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"

enum quirk_offset {
    QUIRK_OFFSET_PLAIN,  /* in an attribute of its own, or nowhere */
    QUIRK_OFFSET_DOTTED, /* message id "topic.partition.offset" */
    QUIRK_OFFSET_BARE    /* message id is the offset alone */
};

/* Which of several headers of one name the library's consumer goes by. */
enum quirk_header { QUIRK_HEADER_FIRST, QUIRK_HEADER_LAST };

/* How its consumer spans name the producer's. */
enum quirk_relation { QUIRK_RELATION_PARENT, QUIRK_RELATION_LINK };

struct quirk {
    /* The scope's name; a '*' at its end or its start stands for any text. */
    const char *scope;
    enum quirk_offset offset;
    enum quirk_header header;
    enum quirk_relation relation;
    /* Producers leave the offset at 0 when the broker does not tell it: there, 0 is unknown. */
    bool zero_offset_is_unknown;
    /* Producers write "exchange,routing key" where consumers write one of them. */
    bool comma_destination;
};

/* The row for a scope; one of defaults, with scope NULL, where there is none. */
const struct quirk *quirk_find(struct bytes scope_name);

/* All rows.  For tests: each must be met by a library that is tested. */
size_t quirk_count(void);
const struct quirk *quirk_at(size_t index);

#endif
