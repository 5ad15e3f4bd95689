#include "spanbridge/amqp.h"

#include "support/test.h"

#define PARENT "00-0123456789abcdef0123456789abcdef-1111111111111111-01"
#define OLD    "00-fedcba9876543210fedcba9876543210-2222222222222222-00"

enum { POOL_PAGE_SIZE = 4096 };

static struct spanbridge_context context_of(const char *tracestate)
{
    struct spanbridge_context context;
    assert_int_equal(spanbridge_parse_traceparent(PARENT, strlen(PARENT), &context),
                     SPANBRIDGE_OK);
    context.tracestate = tracestate;
    context.tracestate_len = tracestate == NULL ? 0 : strlen(tracestate);
    return context;
}

static amqp_table_entry_t text_entry(const char *key, amqp_field_value_kind_t kind,
                                     const char *value)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = (uint8_t)kind;
    entry.value.value.bytes = amqp_cstring_bytes(value);
    return entry;
}

static void expect(const amqp_table_t *table, int at, const char *name, const char *value)
{
    assert_true(at < table->num_entries);
    const amqp_table_entry_t *entry = &table->entries[at];
    assert_int_equal(entry->key.len, strlen(name));
    assert_memory_equal(entry->key.bytes, name, entry->key.len);
    assert_int_equal(entry->value.kind, AMQP_FIELD_KIND_UTF8);
    assert_int_equal(entry->value.value.bytes.len, strlen(value));
    assert_memory_equal(entry->value.value.bytes.bytes, value, strlen(value));
}

/* As on the wire: encoded by librabbitmq and decoded again. */
static void test_there_and_back_over_the_wire(void **state)
{
    (void)state;
    char wire[2000];
    amqp_pool_t pool;
    amqp_table_t table = {0};
    amqp_table_t read;
    struct spanbridge_context context = context_of("a=1");
    struct spanbridge_context again;
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    assert_int_equal(spanbridge_amqp_inject(&context, &table, &pool), SPANBRIDGE_OK);
    assert_int_equal(table.num_entries, 2);
    expect(&table, 0, "traceparent", PARENT);
    expect(&table, 1, "tracestate", "a=1");

    size_t end = 0;
    size_t at = 0;
    amqp_bytes_t bytes = {.len = sizeof(wire), .bytes = wire};
    assert_int_equal(amqp_encode_table(bytes, &table, &end), AMQP_STATUS_OK);
    bytes.len = end;
    assert_int_equal(amqp_decode_table(bytes, &pool, &read, &at), AMQP_STATUS_OK);
    assert_int_equal(spanbridge_amqp_extract(&read, &again), SPANBRIDGE_OK);
    assert_memory_equal(again.trace_id, context.trace_id, sizeof(again.trace_id));
    assert_memory_equal(again.span_id, context.span_id, sizeof(again.span_id));
    assert_memory_equal(again.tracestate, "a=1", 3);
    empty_amqp_pool(&pool);
}

static void test_no_headers(void **state)
{
    (void)state;
    struct spanbridge_context context;
    amqp_table_t none = {.num_entries = 3, .entries = NULL};
    assert_int_equal(spanbridge_amqp_extract(NULL, &context), SPANBRIDGE_ABSENT);
    assert_int_equal(spanbridge_amqp_extract(&none, &context), SPANBRIDGE_ABSENT);
    amqp_table_entry_t entry = text_entry("traceparent", AMQP_FIELD_KIND_UTF8, PARENT);
    amqp_table_t negative = {.num_entries = -1, .entries = &entry};
    assert_int_equal(spanbridge_amqp_extract(&negative, &context), SPANBRIDGE_ABSENT);
}

static void test_text_of_both_kinds(void **state)
{
    (void)state;
    amqp_table_entry_t entries[] = {text_entry("", AMQP_FIELD_KIND_UTF8, ""),
                                    text_entry("TraceParent", AMQP_FIELD_KIND_BYTES, PARENT),
                                    text_entry("tracestate", AMQP_FIELD_KIND_BYTES, "a=1")};
    amqp_table_t table = {.num_entries = 3, .entries = entries};
    struct spanbridge_context context;
    entries[0].key.bytes = NULL;
    assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_OK);
    assert_int_equal(context.span_id[0], 0x11);
    assert_memory_equal(context.tracestate, "a=1", 3);
}

/* Values of each other kind: their union is not read as text, which ASan would notice. */
static void test_values_of_other_kinds(void **state)
{
    (void)state;
    static const char kinds[] = "tbBsuIilLfdDATF?";
    amqp_table_entry_t entries[2];
    amqp_table_t table = {.num_entries = 1, .entries = entries};
    struct spanbridge_context context;
    for (size_t i = 0; i < sizeof(kinds) - 1; i++) {
        memset(entries, 0xa5, sizeof(entries));
        entries[0].key = amqp_cstring_bytes("traceparent");
        entries[0].value.kind = (uint8_t)kinds[i];
        assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_NOT_TEXT);
    }
    entries[0].value.kind = AMQP_FIELD_KIND_VOID;
    assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_NO_VALUE);
    entries[0].value.kind = AMQP_FIELD_KIND_UTF8;
    entries[0].value.value.bytes = amqp_empty_bytes;
    assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_BAD_LENGTH);

    entries[0] = text_entry("traceparent", AMQP_FIELD_KIND_UTF8, PARENT);
    entries[1].key = amqp_cstring_bytes("tracestate");
    entries[1].value.kind = AMQP_FIELD_KIND_TABLE;
    table.num_entries = 2;
    assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_OK);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_NOT_TEXT);
}

/* The old entries may be constant: they are copied, never written to. */
static void test_what_was_there_is_replaced(void **state)
{
    (void)state;
    amqp_pool_t pool;
    amqp_table_entry_t entries[] = {text_entry("order", AMQP_FIELD_KIND_UTF8, "7"),
                                    text_entry("TraceParent", AMQP_FIELD_KIND_BYTES, OLD),
                                    text_entry("tracestate", AMQP_FIELD_KIND_UTF8, "x=1"),
                                    text_entry("kind", AMQP_FIELD_KIND_UTF8, "new"),
                                    text_entry("traceparent", AMQP_FIELD_KIND_UTF8, OLD)};
    amqp_table_entry_t before[5];
    amqp_table_t table = {.num_entries = 5, .entries = entries};
    struct spanbridge_context context = context_of(NULL);
    memcpy(before, entries, sizeof(entries));
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    assert_int_equal(spanbridge_amqp_inject(&context, &table, &pool), SPANBRIDGE_OK);
    assert_memory_equal(entries, before, sizeof(entries));
    assert_int_equal(table.num_entries, 3);
    expect(&table, 0, "order", "7");
    expect(&table, 1, "kind", "new");
    expect(&table, 2, "traceparent", PARENT);
    empty_amqp_pool(&pool);
}

static void test_failure_leaves_the_table(void **state)
{
    (void)state;
    amqp_pool_t pool;
    amqp_table_entry_t entry = text_entry("traceparent", AMQP_FIELD_KIND_UTF8, OLD);
    amqp_table_t table = {.num_entries = 1, .entries = &entry};
    const struct spanbridge_context none = {.flags = 1};
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    assert_int_equal(spanbridge_amqp_inject(&none, &table, &pool), SPANBRIDGE_ZERO_ID);
    assert_int_equal(table.num_entries, 1);
    assert_ptr_equal(table.entries, &entry);
    empty_amqp_pool(&pool);
}

/* Deep tables are what other headers of the message hold: nobody walks into them. */
static void test_a_deep_table(void **state)
{
    (void)state;
    enum { DEPTH = 18700 };
    static amqp_table_entry_t nested[DEPTH];
    amqp_pool_t pool;
    for (int i = 0; i < DEPTH; i++) {
        nested[i].key = amqp_cstring_bytes("traceparent");
        nested[i].value.kind = AMQP_FIELD_KIND_TABLE;
        if (i + 1 < DEPTH)
            nested[i].value.value.table =
                (amqp_table_t){.num_entries = 1, .entries = &nested[i + 1]};
    }
    amqp_table_t table = {.num_entries = 1, .entries = nested};
    struct spanbridge_context context;
    assert_int_equal(spanbridge_amqp_extract(&table, &context), SPANBRIDGE_NOT_TEXT);
    context = context_of(NULL);
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    assert_int_equal(spanbridge_amqp_inject(&context, &table, &pool), SPANBRIDGE_OK);
    assert_int_equal(table.num_entries, 1);
    expect(&table, 0, "traceparent", PARENT);
    empty_amqp_pool(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back_over_the_wire),
        cmocka_unit_test(test_no_headers),
        cmocka_unit_test(test_text_of_both_kinds),
        cmocka_unit_test(test_values_of_other_kinds),
        cmocka_unit_test(test_what_was_there_is_replaced),
        cmocka_unit_test(test_failure_leaves_the_table),
        cmocka_unit_test(test_a_deep_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
