/*
 * spanbridge/amqp.h: contexts in and out of librabbitmq's header tables.
 *
 * Inline functions over spanbridge/carrier.h: a program that includes this uses librabbitmq
 * anyway, in its own version, and libspanbridge itself is not linked to it.  Names that end in
 * an underscore are not for you.  Threads: one at a time for each table and pool.
 *
 * Values may be of any kind: strings and byte arrays are read (text arrives as either, see
 * docs/library.md), all other kinds are SPANBRIDGE_NOT_TEXT, and nested tables are not entered.
 *
 * Producer:  spanbridge_amqp_inject(&context, &properties.headers, &pool), then
 *            properties._flags |= AMQP_BASIC_HEADERS_FLAG, then amqp_basic_publish.
 * Consumer:  if (properties->_flags & AMQP_BASIC_HEADERS_FLAG) spanbridge_amqp_extract(
 *            &properties->headers, &context); the context is valid until the message or
 *            envelope is destroyed.
 */
#ifndef SPANBRIDGE_AMQP_H
#define SPANBRIDGE_AMQP_H

/* librabbitmq 0.12 moved its headers. */
#if defined __has_include
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif
#else
#include <amqp.h>
#endif
#include <string.h>

#include "spanbridge/carrier.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table and the pool that what is added to it lives in; NULL to read only. */
struct spanbridge_amqp_list_ {
    amqp_table_t table;
    amqp_pool_t *pool;
};

/* Entries, of which a table that nobody filled in may have fewer than none. */
static inline size_t spanbridge_amqp_count_(const amqp_table_t *table)
{
    return table->entries == NULL || table->num_entries < 0 ? 0 : (size_t)table->num_entries;
}

static inline bool spanbridge_amqp_get_(void *arg, size_t index, struct spanbridge_header *ret)
{
    const struct spanbridge_amqp_list_ *list = (const struct spanbridge_amqp_list_ *)arg;
    const amqp_table_entry_t *entry;
    if (index >= spanbridge_amqp_count_(&list->table))
        return false;
    entry = &list->table.entries[index];
    ret->name = (const char *)entry->key.bytes;
    ret->name_len = entry->key.bytes == NULL ? 0 : entry->key.len;
    ret->value = NULL;
    ret->value_len = 0;
    ret->kind = SPANBRIDGE_VALUE_TEXT;
    if (entry->value.kind == AMQP_FIELD_KIND_UTF8 ||
        entry->value.kind == AMQP_FIELD_KIND_BYTES) {
        /* An empty string may come without an address. */
        ret->value = entry->value.value.bytes.len == 0 ? "" : entry->value.value.bytes.bytes;
        ret->value_len = entry->value.value.bytes.len;
    } else if (entry->value.kind != AMQP_FIELD_KIND_VOID) {
        ret->kind = SPANBRIDGE_VALUE_OTHER;
    }
    return true;
}

static inline bool spanbridge_amqp_is_named_(const amqp_table_entry_t *entry, const char *name)
{
    const char *key = (const char *)entry->key.bytes;
    size_t len = strlen(name);
    size_t i = 0;
    if (entry->key.len != len || key == NULL)
        return false;
    while (i < len && (key[i] == name[i] || key[i] == name[i] - 'a' + 'A'))
        i++;
    return i == len;
}

static inline enum spanbridge_result spanbridge_amqp_remove_(void *arg, const char *name)
{
    amqp_table_t *table = &((struct spanbridge_amqp_list_ *)arg)->table;
    int kept = 0;
    int i;
    for (i = 0; i < table->num_entries; i++) {
        if (!spanbridge_amqp_is_named_(&table->entries[i], name))
            table->entries[kept++] = table->entries[i];
    }
    table->num_entries = kept;
    return SPANBRIDGE_OK;
}

static inline bool spanbridge_amqp_copy_(amqp_pool_t *pool, const void *at, size_t len,
                                         amqp_bytes_t *ret)
{
    amqp_pool_alloc_bytes(pool, len, ret);
    if (ret->bytes == NULL)
        return false;
    memcpy(ret->bytes, at, len);
    return true;
}

/* spanbridge_amqp_inject made room for it. */
static inline enum spanbridge_result
spanbridge_amqp_set_(void *arg, const struct spanbridge_header *header)
{
    struct spanbridge_amqp_list_ *list = (struct spanbridge_amqp_list_ *)arg;
    amqp_table_entry_t *entry = &list->table.entries[list->table.num_entries];
    entry->value.kind = AMQP_FIELD_KIND_UTF8;
    if (!spanbridge_amqp_copy_(list->pool, header->name, header->name_len, &entry->key) ||
        !spanbridge_amqp_copy_(list->pool, header->value, header->value_len,
                               &entry->value.value.bytes))
        return SPANBRIDGE_NO_MEMORY;
    list->table.num_entries++;
    return SPANBRIDGE_OK;
}

/*
 * spanbridge_extract from a table; NULL is a message without headers.  The tracestate borrows
 * from what the table points to.
 */
static inline enum spanbridge_result spanbridge_amqp_extract(const amqp_table_t *table,
                                                             struct spanbridge_context *ret)
{
    struct spanbridge_amqp_list_ list;
    struct spanbridge_carrier carrier;
    if (table == NULL)
        return SPANBRIDGE_ABSENT;
    list.table = *table;
    list.pool = NULL;
    carrier.on_get = spanbridge_amqp_get_;
    carrier.on_remove = NULL;
    carrier.on_set = NULL;
    carrier.arg = &list;
    return spanbridge_extract(&carrier, ret);
}

/*
 * spanbridge_inject into a table: `table` becomes a new array of entries in `pool`, of the old
 * ones and the context behind them (as long strings).  The old array is not written to: it may
 * be constant.  The entries borrow from where the old ones borrowed, and from the pool: valid
 * until it is recycled or emptied.  Takes 40 bytes of the pool for each entry and at most 700
 * more; a pool with pages of 4096 bytes allocates once and then not again.
 *
 * OK, ZERO_ID, or NO_MEMORY; on failure the table is untouched.
 */
static inline enum spanbridge_result
spanbridge_amqp_inject(const struct spanbridge_context *context, amqp_table_t *table,
                       amqp_pool_t *pool)
{
    enum { ADDED_MAX = 2 };
    struct spanbridge_amqp_list_ list;
    struct spanbridge_carrier carrier;
    enum spanbridge_result result;
    size_t count = spanbridge_amqp_count_(table);
    list.table.num_entries = (int)count;
    list.table.entries = (amqp_table_entry_t *)amqp_pool_alloc(
        pool, (count + ADDED_MAX) * sizeof(amqp_table_entry_t));
    if (list.table.entries == NULL)
        return SPANBRIDGE_NO_MEMORY;
    if (count > 0)
        memcpy(list.table.entries, table->entries, count * sizeof(amqp_table_entry_t));
    list.pool = pool;
    carrier.on_get = spanbridge_amqp_get_;
    carrier.on_remove = spanbridge_amqp_remove_;
    carrier.on_set = spanbridge_amqp_set_;
    carrier.arg = &list;
    result = spanbridge_inject(context, &carrier);
    if (result == SPANBRIDGE_OK)
        *table = list.table;
    return result;
}

#ifdef __cplusplus
}
#endif
#endif
