/*
 * Extract and inject over the carriers of both clients: whatever a message holds, a context that
 * is found is one, and what is injected is found again, once, with the other headers in place.
 *
 * Input: 'w' and an AMQP field table as on the wire; else headers side by side, each a name up to
 * '=' and a value up to the end of the line (none without '='), into librdkafka's list.
 */
#include <string.h>
#include <strings.h>

#include "core/assert.h"
#include "spanbridge/amqp.h"
#include "spanbridge/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { POOL_PAGE_SIZE = 4096, WIRE_LEN_MAX = 8192 };

static void check_found(const struct spanbridge_context *context)
{
    char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
    struct spanbridge_context again;
    spanbridge_format_traceparent(context, text);
    SB_ASSERT(spanbridge_parse_traceparent(text, strlen(text), &again) == SPANBRIDGE_OK);
    SB_ASSERT((context->tracestate == NULL) == (context->tracestate_len == 0));
    if (context->tracestate != NULL)
        SB_ASSERT(spanbridge_check_tracestate(context->tracestate, context->tracestate_len) ==
                  SPANBRIDGE_OK);
}

/* What to inject: the context that was found, with its tracestate in memory of its own. */
static struct spanbridge_context choose(enum spanbridge_result result,
                                        const struct spanbridge_context *found,
                                        char text[SPANBRIDGE_TRACESTATE_LEN_MAX + 1])
{
    struct spanbridge_context context = {.trace_id = {1}, .span_id = {2}};
    SB_ASSERT(strcmp(spanbridge_result_text(result), "unknown result") != 0);
    if (result != SPANBRIDGE_OK)
        return context;
    check_found(found);
    context = *found;
    if (found->tracestate != NULL) {
        context.tracestate_len = spanbridge_format_tracestate(
            found->tracestate, found->tracestate_len, text, SPANBRIDGE_TRACESTATE_LEN_MAX + 1);
        context.tracestate = context.tracestate_len == 0 ? NULL : text;
    }
    return context;
}

static void check_same(const struct spanbridge_context *a, const struct spanbridge_context *b)
{
    SB_ASSERT(memcmp(a->trace_id, b->trace_id, sizeof(a->trace_id)) == 0);
    SB_ASSERT(memcmp(a->span_id, b->span_id, sizeof(a->span_id)) == 0);
    SB_ASSERT(a->flags == b->flags && a->tracestate_len == b->tracestate_len);
    if (a->tracestate_len > 0)
        SB_ASSERT(memcmp(a->tracestate, b->tracestate, a->tracestate_len) == 0);
}

static bool is_of_context(const char *name, size_t len)
{
    return (len == 11 && strncasecmp(name, "traceparent", len) == 0) ||
           (len == 10 && strncasecmp(name, "tracestate", len) == 0);
}

static int count_others(const amqp_table_t *table)
{
    int count = 0;
    for (int i = 0; i < table->num_entries; i++)
        count += !is_of_context(table->entries[i].key.bytes, table->entries[i].key.len);
    return count;
}

static void try_amqp(const uint8_t *at, size_t len)
{
    char text[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    amqp_pool_t pool;
    amqp_table_t table;
    size_t offset = 0;
    amqp_bytes_t wire = {.len = len, .bytes = (void *)(uintptr_t)at};
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    if (len <= WIRE_LEN_MAX &&
        amqp_decode_table(wire, &pool, &table, &offset) == AMQP_STATUS_OK) {
        struct spanbridge_context found;
        struct spanbridge_context again;
        enum spanbridge_result result = spanbridge_amqp_extract(&table, &found);
        struct spanbridge_context context = choose(result, &found, text);
        int others = count_others(&table);
        SB_ASSERT(spanbridge_amqp_inject(&context, &table, &pool) == SPANBRIDGE_OK);
        SB_ASSERT(spanbridge_amqp_extract(&table, &again) == SPANBRIDGE_OK);
        check_same(&context, &again);
        SB_ASSERT(count_others(&table) == others);
        SB_ASSERT(table.num_entries == others + 1 + (context.tracestate != NULL));
    }
    empty_amqp_pool(&pool);
}

static rd_kafka_headers_t *split(const char *text, size_t len)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    while (len > 0) {
        const char *line_end = memchr(text, '\n', len);
        size_t line = line_end == NULL ? len : (size_t)(line_end - text);
        const char *equals = memchr(text, '=', line);
        size_t name = equals == NULL ? line : (size_t)(equals - text);
        rd_kafka_header_add(headers, text, (ssize_t)name, equals == NULL ? NULL : equals + 1,
                            equals == NULL ? 0 : (ssize_t)(line - name - 1));
        size_t step = line_end == NULL ? line : line + 1;
        text += step;
        len -= step;
    }
    return headers;
}

static void try_kafka(const uint8_t *at, size_t len)
{
    char text[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    rd_kafka_headers_t *headers = split((const char *)at, len);
    struct spanbridge_context found;
    struct spanbridge_context again;
    enum spanbridge_result result = spanbridge_kafka_extract(headers, &found);
    struct spanbridge_context context = choose(result, &found, text);
    SB_ASSERT(spanbridge_kafka_inject(&context, headers) == SPANBRIDGE_OK);
    SB_ASSERT(spanbridge_kafka_extract(headers, &again) == SPANBRIDGE_OK);
    check_same(&context, &again);
    const char *name;
    const void *value;
    size_t value_len;
    size_t ours = 0;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &value_len) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        ours += is_of_context(name, strlen(name));
    SB_ASSERT(ours == (context.tracestate != NULL ? 2 : 1));
    rd_kafka_headers_destroy(headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len > 0 && at[0] == 'w')
        try_amqp(at + 1, len - 1);
    else
        try_kafka(at, len);
    return 0;
}
