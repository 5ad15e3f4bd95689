#include "topology.h"

enum { ARGUMENTS_MAX = 4 };

struct arguments {
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_table_t table;
};

static void add(struct arguments *arguments, const char *name, amqp_field_value_t value)
{
    SB_ASSERT(arguments->table.num_entries < ARGUMENTS_MAX);
    arguments->entries[arguments->table.num_entries++] =
        (amqp_table_entry_t){.key = amqp_cstring_bytes(name), .value = value};
}

static void add_number(struct arguments *arguments, const char *name, int64_t number)
{
    add(arguments, name,
        (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value = {.i64 = number}});
}

static void add_type(struct arguments *arguments, enum source_queue_type type)
{
    static const char *const names[] = {[SOURCE_QUEUE_CLASSIC] = "classic",
                                        [SOURCE_QUEUE_QUORUM] = "quorum",
                                        [SOURCE_QUEUE_STREAM] = "stream"};
    if (type != SOURCE_QUEUE_AS_IS)
        add(arguments, "x-queue-type",
            (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8,
                                 .value = {.bytes = amqp_cstring_bytes(names[type])}});
}

static enum sb_err open_control(struct feed *feed)
{
    if (feed->control_open)
        return SB_OK;
    enum sb_err err = amqp_link_open_channel(feed->link, CHANNEL_CONTROL);
    feed->control_open = err == SB_OK;
    return err;
}

/* An error closes the channel, if not the link. */
static enum sb_err after(struct feed *feed, enum sb_err err)
{
    if (err != SB_OK)
        feed->control_open = false;
    return err;
}

static enum sb_err declare_queue(struct feed *feed, struct amqp_counts *ret)
{
    const struct source_rabbitmq_topic *queue = feed->queue;
    struct arguments arguments = {.table = {.num_entries = 0}};
    arguments.table.entries = arguments.entries;
    add_type(&arguments, queue->queue_type);
    if (feed->tap && !feed->stream)
        add_number(&arguments, "x-expires", TAP_EXPIRES_MS);
    if (feed->tap)
        add_number(&arguments, "x-max-length-bytes",
                   feed->stream ? TAP_STREAM_BYTES_MAX : TAP_QUEUE_BYTES_MAX);
    const struct amqp_queue wanted = {
        .name = queue->queue, .durable = true, .arguments = &arguments.table};
    return amqp_link_declare_queue(feed->link, CHANNEL_CONTROL, &wanted, ret);
}

static enum sb_err declare_all(struct feed *feed, struct amqp_counts *ret)
{
    const struct source_rabbitmq_topic *queue = feed->queue;
    struct amqp_link *link = feed->link;
    enum sb_err err = amqp_link_declare_exchange(link, CHANNEL_CONTROL, queue->exchange,
                                                 queue->exchange_type);
    if (err == SB_OK)
        err = declare_queue(feed, ret);
    for (uint32_t i = 0; err == SB_OK && i < queue->binding_count; i++)
        err = amqp_link_bind(link, CHANNEL_CONTROL, queue->queue, queue->exchange,
                             queue->bindings[i]);
    return err;
}

static enum sb_err look_for_queue(struct feed *feed, struct amqp_counts *ret)
{
    const struct amqp_queue wanted = {.name = feed->queue->queue, .passive = true};
    return amqp_link_declare_queue(feed->link, CHANNEL_CONTROL, &wanted, ret);
}

enum sb_err topology_ensure(struct feed *feed, struct amqp_counts *ret)
{
    enum sb_err err = open_control(feed);
    if (err != SB_OK)
        return err;
    err = feed->queue->declare ? declare_all(feed, ret) : look_for_queue(feed, ret);
    return after(feed, err);
}

enum sb_err topology_ask(struct feed *feed)
{
    enum sb_err err = open_control(feed);
    if (err != SB_OK)
        return err;
    return amqp_link_ask_counts(feed->link, CHANNEL_CONTROL, feed->queue->queue);
}
