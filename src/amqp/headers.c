#include "amqp/headers.h"

static struct amqp_header flat(const amqp_table_entry_t *entry)
{
    struct amqp_header header = {.name = amqp_view(entry->key)};
    if (entry->value.kind == AMQP_FIELD_KIND_UTF8 || entry->value.kind == AMQP_FIELD_KIND_BYTES)
        header.value = amqp_view(entry->value.value.bytes);
    return header;
}

size_t amqp_headers_flatten(const amqp_table_t *table, struct amqp_header *ret,
                            size_t count_max, size_t bytes_max, bool *ret_cut)
{
    size_t count = 0;
    *ret_cut = false;
    for (int i = 0; table != NULL && i < table->num_entries; i++) {
        struct amqp_header header = flat(&table->entries[i]);
        size_t len = header.name.len + header.value.len;
        if (count == count_max || len > bytes_max) {
            *ret_cut = true;
            continue; /* a shorter one may still fit: what carries a context is short */
        }
        bytes_max -= len;
        ret[count++] = header;
    }
    return count;
}

const amqp_field_value_t *amqp_headers_find(const amqp_table_t *table, const char *name)
{
    struct bytes wanted = bytes_text(name);
    for (int i = 0; table != NULL && i < table->num_entries; i++)
        if (bytes_equal(amqp_view(table->entries[i].key), wanted))
            return &table->entries[i].value;
    return NULL;
}

bool amqp_headers_integer(const amqp_table_t *table, const char *name, int64_t *ret)
{
    const amqp_field_value_t *value = amqp_headers_find(table, name);
    switch (value == NULL ? AMQP_FIELD_KIND_VOID : value->kind) {
    case AMQP_FIELD_KIND_I8:
        *ret = (int64_t)value->value.i8;
        return true;
    case AMQP_FIELD_KIND_U8:
        *ret = value->value.u8;
        return true;
    case AMQP_FIELD_KIND_I16:
        *ret = value->value.i16;
        return true;
    case AMQP_FIELD_KIND_U16:
        *ret = value->value.u16;
        return true;
    case AMQP_FIELD_KIND_I32:
        *ret = value->value.i32;
        return true;
    case AMQP_FIELD_KIND_U32:
        *ret = value->value.u32;
        return true;
    case AMQP_FIELD_KIND_I64:
        *ret = value->value.i64;
        return true;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
        if (value->value.u64 > INT64_MAX)
            return false;
        *ret = (int64_t)value->value.u64;
        return true;
    default:
        return false;
    }
}

bool amqp_headers_text(const amqp_table_t *table, const char *name, struct bytes *ret)
{
    const amqp_field_value_t *value = amqp_headers_find(table, name);
    if (value == NULL ||
        (value->kind != AMQP_FIELD_KIND_UTF8 && value->kind != AMQP_FIELD_KIND_BYTES))
        return false;
    *ret = amqp_view(value->value.bytes);
    return true;
}

const amqp_table_t *amqp_headers_table(const amqp_table_t *table, const char *name)
{
    const amqp_field_value_t *value = amqp_headers_find(table, name);
    return value != NULL && value->kind == AMQP_FIELD_KIND_TABLE ? &value->value.table : NULL;
}
