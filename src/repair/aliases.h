/*
 * aliases: which concept an attribute key stands for, in every generation of the messaging
 * conventions.  Data; how values are read is fact.c.
 */
#ifndef SB_REPAIR_ALIASES_H
#define SB_REPAIR_ALIASES_H

#include <stddef.h>
#include <stdint.h>

#include "repair/fact.h"

/* In the order of repair_fact.rank. */
enum concept {
    CONCEPT_SYSTEM,
    CONCEPT_DESTINATION,
    CONCEPT_PARTITION,
    CONCEPT_OFFSET,
    CONCEPT_KEY,
    CONCEPT_MESSAGE_ID,
    CONCEPT_CONVERSATION_ID,
    CONCEPT_GROUP,
    CONCEPT_CLUSTER_ID,
    CONCEPT_OPERATION,
    CONCEPT_BATCH_COUNT,
    CONCEPT_OTHER, /* shows that the span is about messages, and no more */
    CONCEPT_COUNT
};

_Static_assert((int)CONCEPT_COUNT == (int)REPAIR_FACT_RANKS, "a rank for each concept");

struct alias {
    const char *key;
    enum concept concept;
    uint8_t rank; /* of several keys of one concept on a span the highest counts; from 1 */
    enum repair_system implies; /* the key alone says so, where messaging.system is missing */
};

const struct alias *alias_at(size_t index);

#endif
