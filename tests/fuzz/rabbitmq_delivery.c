/*
 * rabbitmq_delivery: a delivery out of what a broker may send.  The input is one byte of flags, the
 * announced length of the body in one byte (times 16), the length of the header's properties in
 * two, those as they stand in a frame, and the body, which comes in parts of 16 bytes.
 */
#include <amqp.h>

#include "assembly.h"
#include "core/assert.h"
#include "core/memory.h"

enum { HEAD = 4, PART = 16, BODY_MAX = 1024, PAGE = 4096, FIREHOSE = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void look_at(const struct delivery *delivery, size_t announced)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < delivery->header_count; i++) {
        const struct record_header header = delivery_header(delivery, i);
        for (size_t j = 0; j < header.name.len; j++)
            bytes += header.name.at[j];
        for (size_t j = 0; j < header.value.len; j++)
            bytes += header.value.at[j];
    }
    struct bytes body = delivery_body(delivery);
    for (size_t j = 0; j < body.len; j++)
        bytes += body.at[j];
    SB_ASSERT(bytes < SIZE_MAX); /* all of it has been read */
    SB_ASSERT(body.len == (delivery->flaw == RECORD_WHOLE ? announced : 0));
    SB_ASSERT((delivery->flaw == RECORD_TOO_LARGE) == (announced > BODY_MAX));
    SB_ASSERT(delivery->body_at + body.len <= delivery->bytes);
    SB_ASSERT(!delivery->has_time || delivery->time_ms >= 0);
    SB_ASSERT(delivery->offset >= 0);
}

static void assemble(struct assembly *assembly, amqp_basic_properties_t *properties,
                     size_t announced, struct bytes body)
{
    const struct amqp_event deliver = {
        .kind = AMQP_DELIVER, .tag = 1, .routing_key = BYTES_LITERAL("key")};
    struct amqp_event event = {
        .kind = AMQP_HEADER, .body_len = announced, .properties = properties};
    struct delivery *delivery = NULL;
    enum sb_err err = assembly_begin(assembly, &deliver);
    SB_ASSERT(err == SB_OK);
    err = assembly_add(assembly, &event, &delivery);
    while (err == SB_OK && delivery == NULL && body.len > 0) {
        size_t part = body.len < PART ? body.len : PART;
        event = (struct amqp_event){.kind = AMQP_BODY, .body = bytes_of(body.at, part)};
        body = bytes_of(body.at + part, body.len - part);
        err = assembly_add(assembly, &event, &delivery);
    }
    if (delivery != NULL)
        look_at(delivery, announced);
    memory_free(delivery);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len < HEAD)
        return 0;
    struct assembly assembly = {.body_max = BODY_MAX, .firehose = (at[0] & FIREHOSE) != 0};
    size_t announced = (size_t)at[1] * PART;
    size_t header = (size_t)at[2] << 8 | at[3];
    if (header > len - HEAD)
        header = len - HEAD;
    amqp_pool_t pool;
    void *properties = NULL;
    init_amqp_pool(&pool, PAGE);
    const amqp_bytes_t encoded = {.len = header, .bytes = (void *)(at + HEAD)};
    if (amqp_decode_properties(AMQP_BASIC_CLASS, &pool, encoded, &properties) == 0)
        assemble(&assembly, properties, announced,
                 bytes_of(at + HEAD + header, len - HEAD - header));
    assembly_clear(&assembly);
    empty_amqp_pool(&pool);
    return 0;
}
