#include "amqp/channel.h"
#include "core/assert.h"
#include "core/memory.h"
#include "reply.h"

/* What a header's entry takes besides name and value: their lengths and the type. */
enum { ENTRY_AROUND = 1 + 1 + 4 };
/* What a header frame takes besides headers, content type and message id, at most. */
enum { HEADER_AROUND = 64, ENTRY_COUNT_MIN = 16 };

static amqp_bytes_t lend(struct bytes in)
{
    return (amqp_bytes_t){.len = in.len, .bytes = (void *)in.at};
}

static bool make_room(struct amqp_link *link, size_t count)
{
    if (count <= link->entry_room)
        return true;
    size_t room = count < ENTRY_COUNT_MIN ? ENTRY_COUNT_MIN : count;
    amqp_table_entry_t *entries = memory_realloc(link->entries, room, sizeof(*entries));
    if (entries == NULL)
        return false;
    link->entries = entries;
    link->entry_room = room;
    return true;
}

/* A frame that can not be encoded would leave the message's method without its header. */
static bool fits(const struct amqp_link *link, const struct amqp_message *message)
{
    size_t left = (size_t)amqp_get_frame_max(link->connection) - HEADER_AROUND;
    if (message->exchange.len > AMQP_SHORT_TEXT_MAX ||
        message->routing_key.len > AMQP_SHORT_TEXT_MAX ||
        message->content_type.len > AMQP_SHORT_TEXT_MAX ||
        message->message_id.len > AMQP_SHORT_TEXT_MAX)
        return false;
    left -= message->content_type.len + message->message_id.len;
    for (size_t i = 0; i < message->header_count; i++) {
        const struct amqp_header *header = &message->headers[i];
        if (header->name.len > AMQP_SHORT_TEXT_MAX || header->value.len > AMQP_FRAME_BYTES_MAX)
            return false;
        size_t len = ENTRY_AROUND + header->name.len + header->value.len;
        if (len > left)
            return false;
        left -= len;
    }
    return true;
}

static void set_headers(struct amqp_link *link, const struct amqp_message *message,
                        amqp_basic_properties_t *properties)
{
    if (message->header_count == 0)
        return;
    for (size_t i = 0; i < message->header_count; i++) {
        const struct amqp_header *header = &message->headers[i];
        amqp_table_entry_t *entry = &link->entries[i];
        entry->key = lend(header->name);
        entry->value.kind =
            header->value.at == NULL ? AMQP_FIELD_KIND_VOID : AMQP_FIELD_KIND_UTF8;
        entry->value.value.bytes = lend(header->value);
    }
    properties->_flags |= AMQP_BASIC_HEADERS_FLAG;
    properties->headers.num_entries = (int)message->header_count;
    properties->headers.entries = link->entries;
}

static void set_properties(struct amqp_link *link, const struct amqp_message *message,
                           amqp_basic_properties_t *ret)
{
    ret->_flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    ret->delivery_mode =
        message->persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
    if (message->content_type.len > 0) {
        ret->_flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
        ret->content_type = lend(message->content_type);
    }
    if (message->message_id.len > 0) {
        ret->_flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
        ret->message_id = lend(message->message_id);
    }
    if (message->timestamp_s > 0) {
        ret->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
        ret->timestamp = message->timestamp_s;
    }
    set_headers(link, message, ret);
}

enum sb_err amqp_link_publish(struct amqp_link *link, uint16_t channel,
                              const struct amqp_message *message)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!fits(link, message))
        return reply_fail(link, SB_ERR_LIMIT,
                          "a message's names or headers are too large for AMQP");
    if (!make_room(link, message->header_count))
        return reply_fail(link, SB_ERR_MEMORY, "no memory for a message's headers");
    amqp_basic_properties_t properties = {._flags = 0};
    set_properties(link, message, &properties);
    int status = amqp_basic_publish(link->connection, channel, lend(message->exchange),
                                    lend(message->routing_key), message->mandatory,
                                    /* immediate */ 0, &properties, lend(message->body));
    return reply_of_status(link, status, "publishing");
}
