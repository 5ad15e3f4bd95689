#include "aliases.h"

#include "core/assert.h"

#define NONE   REPAIR_SYSTEM_UNKNOWN
#define KAFKA  REPAIR_SYSTEM_KAFKA
#define RABBIT REPAIR_SYSTEM_RABBITMQ

/*
 * Newer generations rank higher, as a library that writes two of them (the opt-in
 * "messaging/dup") means the newer one.  source.* outranks destination.*: where a consumer
 * writes both, the latter is where the message was once published to.
 *
 * Source: semantic conventions 1.4 to 1.44 (context-propagation notes, 1.1).
 */
static const struct alias aliases[] = {
    {"messaging.system", CONCEPT_SYSTEM, 2, NONE},

    {"messaging.source.name", CONCEPT_DESTINATION, 4, NONE},      /* 1.17, consumers */
    {"messaging.destination.name", CONCEPT_DESTINATION, 3, NONE}, /* 1.17 */
    {"messaging.destination", CONCEPT_DESTINATION, 2, NONE},
    {"kafka.topic", CONCEPT_DESTINATION, 1, KAFKA}, /* Brave */

    {"messaging.kafka.source.partition", CONCEPT_PARTITION, 4, KAFKA},  /* 1.17, consumers */
    {"messaging.destination.partition.id", CONCEPT_PARTITION, 3, NONE}, /* 1.25, a string */
    {"messaging.kafka.destination.partition", CONCEPT_PARTITION, 2, KAFKA}, /* 1.17 */
    {"messaging.kafka.partition", CONCEPT_PARTITION, 1, KAFKA},

    {"messaging.kafka.offset", CONCEPT_OFFSET, 2, KAFKA},         /* 1.27 */
    {"messaging.kafka.message.offset", CONCEPT_OFFSET, 1, KAFKA}, /* 1.16 */

    {"messaging.kafka.message.key", CONCEPT_KEY, 3, KAFKA}, /* 1.17 */
    {"messaging.kafka.message_key", CONCEPT_KEY, 2, KAFKA},
    {"kafka.key", CONCEPT_KEY, 1, KAFKA}, /* Brave */

    {"messaging.message.id", CONCEPT_MESSAGE_ID, 3, NONE}, /* 1.17 */
    {"messaging.message_id", CONCEPT_MESSAGE_ID, 2, NONE},
    {"messaging.masstransit.message_id", CONCEPT_MESSAGE_ID, 1, NONE},

    {"messaging.message.conversation_id", CONCEPT_CONVERSATION_ID, 2, NONE}, /* 1.17 */
    {"messaging.conversation_id", CONCEPT_CONVERSATION_ID, 1, NONE},

    {"messaging.consumer.group.name", CONCEPT_GROUP, 3, NONE},   /* 1.27 */
    {"messaging.kafka.consumer.group", CONCEPT_GROUP, 2, KAFKA}, /* 1.17 */
    {"messaging.kafka.consumer_group", CONCEPT_GROUP, 1, KAFKA},

    {"messaging.kafka.cluster.id", CONCEPT_CLUSTER_ID, 1, KAFKA}, /* 1.44 */

    {"messaging.operation.type", CONCEPT_OPERATION, 3, NONE}, /* 1.26 */
    {"messaging.operation", CONCEPT_OPERATION, 2, NONE},
    {"messaging.operation.name", CONCEPT_OPERATION, 1, NONE}, /* 1.26, free text */

    {"messaging.batch.message_count", CONCEPT_BATCH_COUNT, 1, NONE}, /* 1.17 */

    {"messaging.rabbitmq.destination.routing_key", CONCEPT_OTHER, 1, RABBIT}, /* 1.17 */
    {"messaging.rabbitmq.routing_key", CONCEPT_OTHER, 1, RABBIT},
    {"messaging.rabbitmq.message.delivery_tag", CONCEPT_OTHER, 1, RABBIT}, /* 1.25 */
    {"messaging.rabbitmq.delivery_tag", CONCEPT_OTHER, 1, RABBIT},         /* RabbitMQ.Client */
    {"messaging.destination_kind", CONCEPT_OTHER, 1, NONE},
    {"messaging.destination.kind", CONCEPT_OTHER, 1, NONE}, /* 1.17 to 1.19 */
    {"messaging.source.kind", CONCEPT_OTHER, 1, NONE},      /* 1.17 to 1.19 */
};

enum { ALIAS_COUNT = sizeof(aliases) / sizeof(aliases[0]) };

size_t repair_alias_count(void)
{
    return ALIAS_COUNT;
}

const struct alias *alias_at(size_t index)
{
    SB_ASSERT(index < ALIAS_COUNT);
    return &aliases[index];
}

const char *repair_alias_key(size_t alias)
{
    return alias_at(alias)->key;
}
