#include "repair/fact.h"

#include "aliases.h"
#include "core/assert.h"
#include "quirks.h"

enum { KIND_PRODUCER = 4, KIND_CONSUMER = 5 };

/* What doubles hold exactly. */
#define INTEGER_MAX_OF_DOUBLE 9007199254740992.0

static bool equal_any_case(struct bytes a, const char *lower)
{
    size_t len = strlen(lower);
    if (a.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = a.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if (c != (uint8_t)lower[i])
            return false;
    }
    return true;
}

static enum repair_system read_system(struct bytes text)
{
    if (equal_any_case(text, "kafka"))
        return REPAIR_SYSTEM_KAFKA;
    if (equal_any_case(text, "rabbitmq") || equal_any_case(text, "amqp"))
        return REPAIR_SYSTEM_RABBITMQ;
    return REPAIR_SYSTEM_UNKNOWN;
}

/* The words of the conventions, and those that libraries put into operation.name. */
static enum repair_role read_role(struct bytes text)
{
    static const struct {
        const char *word;
        enum repair_role role;
    } words[] = {
        {"create", REPAIR_ROLE_CREATE},
        {"send", REPAIR_ROLE_SEND},
        {"publish", REPAIR_ROLE_SEND},
        {"basic.publish", REPAIR_ROLE_SEND},
        {"receive", REPAIR_ROLE_RECEIVE},
        {"poll", REPAIR_ROLE_RECEIVE},
        {"consume", REPAIR_ROLE_RECEIVE},
        {"basic.get", REPAIR_ROLE_RECEIVE},
        {"process", REPAIR_ROLE_PROCESS},
        {"deliver", REPAIR_ROLE_PROCESS},
        {"basic.deliver", REPAIR_ROLE_PROCESS},
        {"settle", REPAIR_ROLE_SETTLE},
        {"ack", REPAIR_ROLE_SETTLE},
        {"nack", REPAIR_ROLE_SETTLE},
        {"reject", REPAIR_ROLE_SETTLE},
        {"commit", REPAIR_ROLE_SETTLE},
        {"basic.ack", REPAIR_ROLE_SETTLE},
        {"basic.nack", REPAIR_ROLE_SETTLE},
        {"basic.reject", REPAIR_ROLE_SETTLE},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (equal_any_case(text, words[i].word))
            return words[i].role;
    return REPAIR_ROLE_UNKNOWN;
}

/* A whole decimal number of 0 or more; -1: the text is something else, or too great. */
static int64_t read_decimal(struct bytes text)
{
    if (text.len == 0 || text.len > 19)
        return -1;
    uint64_t number = 0; /* 19 digits fit */
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return number > INT64_MAX ? -1 : (int64_t)number;
}

/* A number in whatever type it came; below 0: none.  So sentinels of -1 are unknown. */
static int64_t read_number(const struct repair_value *value)
{
    switch (value->type) {
    case REPAIR_VALUE_TEXT:
        return read_decimal(value->text);
    case REPAIR_VALUE_INT:
        return value->integer;
    case REPAIR_VALUE_DOUBLE:
        if (!(value->number >= 0 && value->number <= INTEGER_MAX_OF_DOUBLE))
            return -1;
        return value->number == (double)(int64_t)value->number ? (int64_t)value->number : -1;
    case REPAIR_VALUE_BOOL:
        return -1;
    }
    return -1;
}

void repair_fact_init(struct repair_fact *fact)
{
    *fact = (struct repair_fact){.partition = -1, .offset = -1};
}

/* Is the key of at least the generation that the concept's value is from?  Then it is noted. */
static bool outranks(struct repair_fact *fact, enum concept concept, uint8_t rank)
{
    if (rank < fact->rank[concept])
        return false;
    fact->rank[concept] = rank;
    return true;
}

static void add_operation(struct repair_fact *fact, uint8_t rank, struct bytes text)
{
    enum repair_role role = read_role(text);
    /* A word nobody knows does not hide one of an older key that everybody knows. */
    if (role == REPAIR_ROLE_UNKNOWN && fact->role != REPAIR_ROLE_UNKNOWN)
        return;
    bool better = role != REPAIR_ROLE_UNKNOWN && fact->role == REPAIR_ROLE_UNKNOWN;
    if (better)
        fact->rank[CONCEPT_OPERATION] = 0;
    if (!outranks(fact, CONCEPT_OPERATION, rank))
        return;
    fact->role = role;
    fact->operation = text;
}

static void add_text(struct repair_fact *fact, const struct alias *alias, struct bytes text)
{
    struct bytes *field = NULL;
    switch (alias->concept) {
    case CONCEPT_DESTINATION:
        field = &fact->destination;
        break;
    case CONCEPT_KEY:
        field = &fact->key;
        break;
    case CONCEPT_MESSAGE_ID:
        field = &fact->message_id;
        break;
    case CONCEPT_CONVERSATION_ID:
        field = &fact->conversation_id;
        break;
    case CONCEPT_GROUP:
        field = &fact->group;
        break;
    case CONCEPT_CLUSTER_ID:
        field = &fact->cluster_id;
        break;
    default:
        SB_ASSERT(false);
    }
    if (text.len > 0 && outranks(fact, alias->concept, alias->rank))
        *field = text;
}

static void add_number(struct repair_fact *fact, const struct alias *alias, int64_t number)
{
    if (number < 0 || !outranks(fact, alias->concept, alias->rank))
        return;
    if (alias->concept == CONCEPT_PARTITION)
        fact->partition = number;
    else if (alias->concept == CONCEPT_OFFSET)
        fact->offset = number;
    else
        fact->batch_count = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

void repair_fact_add(struct repair_fact *fact, size_t alias_number,
                     const struct repair_value *value)
{
    const struct alias *alias = alias_at(alias_number);
    bool is_text = value->type == REPAIR_VALUE_TEXT;
    fact->any = true;
    if (alias->implies != REPAIR_SYSTEM_UNKNOWN && outranks(fact, CONCEPT_SYSTEM, 1))
        fact->system = alias->implies;
    switch (alias->concept) {
    case CONCEPT_SYSTEM:
        if (is_text && outranks(fact, CONCEPT_SYSTEM, alias->rank))
            fact->system = read_system(value->text);
        break;
    case CONCEPT_OPERATION:
        if (is_text)
            add_operation(fact, alias->rank, value->text);
        break;
    case CONCEPT_PARTITION:
    case CONCEPT_OFFSET:
    case CONCEPT_BATCH_COUNT:
        add_number(fact, alias, read_number(value));
        break;
    case CONCEPT_OTHER:
    case CONCEPT_COUNT:
        break;
    default:
        if (is_text)
            add_text(fact, alias, value->text);
    }
}

/*
 * "topic.partition.offset", from the right, as topics may contain dots.  Taken only where it
 * agrees with what the span says besides; the id is then no message id of an application.
 */
static void take_dotted_offset(struct repair_fact *fact)
{
    struct bytes id = fact->message_id;
    size_t dot[2];
    size_t at = id.len;
    for (int i = 0; i < 2; i++) {
        while (at > 0 && id.at[at - 1] != '.')
            at--;
        if (at == 0)
            return;
        dot[i] = --at;
    }
    int64_t offset = read_decimal(bytes_of(id.at + dot[0] + 1, id.len - dot[0] - 1));
    int64_t partition = read_decimal(bytes_of(id.at + dot[1] + 1, dot[0] - dot[1] - 1));
    struct bytes topic = bytes_of(id.at, dot[1]);
    if (offset < 0 || partition < 0 || topic.len == 0)
        return;
    if (fact->destination.len > 0 && !bytes_equal(fact->destination, topic))
        return;
    if (fact->partition >= 0 && fact->partition != partition)
        return;
    fact->destination = topic;
    fact->partition = partition;
    if (fact->offset < 0)
        fact->offset = offset;
    fact->message_id = bytes_of(NULL, 0);
}

static void take_bare_offset(struct repair_fact *fact)
{
    int64_t offset = read_decimal(fact->message_id);
    if (offset < 0)
        return;
    if (fact->offset < 0)
        fact->offset = offset;
    fact->message_id = bytes_of(NULL, 0);
}

/* RabbitMQ's default exchange has three names, none of which tells destinations apart. */
static bool is_default_exchange(struct bytes destination)
{
    return bytes_equal(destination, BYTES_LITERAL("amq.default")) ||
           bytes_equal(destination, BYTES_LITERAL("<default>"));
}

/* "exchange,routing key" becomes the exchange, or the key where there is none. */
static void split_destination(struct repair_fact *fact)
{
    const uint8_t *comma = fact->destination.len == 0
                               ? NULL
                               : memchr(fact->destination.at, ',', fact->destination.len);
    if (comma == NULL)
        return;
    size_t exchange_len = (size_t)(comma - fact->destination.at);
    fact->destination = exchange_len > 0 ? bytes_of(fact->destination.at, exchange_len)
                                         : bytes_of(comma + 1, fact->destination.len - 1);
}

static enum repair_role role_of_kind(uint8_t kind, bool any)
{
    if (kind == KIND_PRODUCER)
        return REPAIR_ROLE_SEND;
    if (kind != KIND_CONSUMER)
        return REPAIR_ROLE_UNKNOWN;
    /* Without a single attribute: the poll span of confluent-kafka. */
    return any ? REPAIR_ROLE_PROCESS : REPAIR_ROLE_RECEIVE;
}

void repair_fact_finish(struct repair_fact *fact, const struct repair_span_traits *traits)
{
    const struct quirk *quirk = quirk_find(traits->scope_name);
    if (fact->role == REPAIR_ROLE_UNKNOWN)
        fact->role = role_of_kind(traits->kind, fact->any);
    if (quirk->offset == QUIRK_OFFSET_DOTTED)
        take_dotted_offset(fact);
    else if (quirk->offset == QUIRK_OFFSET_BARE)
        take_bare_offset(fact);
    if (quirk->zero_offset_is_unknown && fact->offset == 0 && repair_fact_is_producer(fact))
        fact->offset = -1;
    if (fact->system == REPAIR_SYSTEM_RABBITMQ) {
        if (quirk->comma_destination && repair_fact_is_producer(fact))
            split_destination(fact);
        if (is_default_exchange(fact->destination))
            fact->destination = bytes_of(NULL, 0);
    }
}

bool repair_fact_is_producer(const struct repair_fact *fact)
{
    return fact->role == REPAIR_ROLE_CREATE || fact->role == REPAIR_ROLE_SEND;
}

bool repair_fact_is_consumer(const struct repair_fact *fact)
{
    return fact->role == REPAIR_ROLE_RECEIVE || fact->role == REPAIR_ROLE_PROCESS;
}

bool repair_fact_has_coordinate(const struct repair_fact *fact)
{
    return fact->destination.len > 0 && fact->partition >= 0 && fact->offset >= 0;
}
