/*
 * fact: what one span says about the hop it is a side of.
 *
 * The alias table turns every generation of attribute keys into the fields below; the quirk
 * table holds what single libraries do differently.  Both are data, one file each
 * (aliases.c, quirks.c).  Values arrive decoded: this stage knows nothing of encodings.
 * Sources: repair.md (Input facts), context-propagation notes 1.1, measured notes.
 */
#ifndef SB_REPAIR_FACT_H
#define SB_REPAIR_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"

enum repair_value_type {
    REPAIR_VALUE_TEXT,
    REPAIR_VALUE_INT,
    REPAIR_VALUE_DOUBLE,
    REPAIR_VALUE_BOOL
};

struct repair_value {
    enum repair_value_type type;
    struct bytes text;
    int64_t integer; /* INT and BOOL */
    double number;
};

/* The attribute keys of the alias table, to be registered with the scanner. */
size_t repair_alias_count(void);
const char *repair_alias_key(size_t alias);

enum repair_role {
    REPAIR_ROLE_UNKNOWN,
    REPAIR_ROLE_CREATE,
    REPAIR_ROLE_SEND,
    REPAIR_ROLE_RECEIVE,
    REPAIR_ROLE_PROCESS,
    REPAIR_ROLE_SETTLE
};

enum repair_system { REPAIR_SYSTEM_UNKNOWN, REPAIR_SYSTEM_KAFKA, REPAIR_SYSTEM_RABBITMQ };

enum { REPAIR_FACT_RANKS = 12 };

/* Views borrow from the values that were added. */
struct repair_fact {
    struct bytes destination; /* empty: unknown */
    struct bytes message_id;
    struct bytes conversation_id;
    struct bytes key;
    struct bytes group;
    struct bytes cluster_id;
    struct bytes operation; /* as written */
    int64_t partition;      /* -1: unknown */
    int64_t offset;         /* -1: unknown */
    uint32_t batch_count;   /* 0: not said */
    enum repair_role role;
    enum repair_system system;
    bool any;                        /* a messaging attribute was seen */
    uint8_t rank[REPAIR_FACT_RANKS]; /* of the keys the fields came from; for fact.c alone */
};

void repair_fact_init(struct repair_fact *fact);

/* Takes the value of the attribute with that alias into account; types are coerced. */
void repair_fact_add(struct repair_fact *fact, size_t alias, const struct repair_value *value);

/* The span's own features that decide its role besides the attributes. */
struct repair_span_traits {
    uint8_t kind; /* as in OTLP: 1 INTERNAL .. 4 PRODUCER, 5 CONSUMER */
    uint32_t link_count;
    struct bytes scope_name;
    struct bytes scope_version;
};

/* Applies sentinels and quirks, and settles the role.  Call once, last. */
void repair_fact_finish(struct repair_fact *fact, const struct repair_span_traits *traits);

/* Is the span one side of a hop at all? */
bool repair_fact_is_producer(const struct repair_fact *fact);
bool repair_fact_is_consumer(const struct repair_fact *fact);

/* Does the fact name a whole coordinate: destination, partition, offset? */
bool repair_fact_has_coordinate(const struct repair_fact *fact);

/* Identity of a coordinate: 128 bits that are equal in every process. */
struct repair_key {
    uint64_t word[2];
};
struct repair_key repair_coordinate_key(struct bytes cluster, struct bytes destination,
                                        int64_t partition, int64_t offset);

/* The low 64 bits of the destination's stable hash: to compare destinations without text. */
uint64_t repair_destination_hash(struct bytes destination);

#endif
