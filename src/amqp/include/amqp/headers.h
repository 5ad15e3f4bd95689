/*
 * headers: typed reads of an AMQP table, such as the headers of a message.
 *
 * Names may be empty and may come twice; values are of any type, nested up to what fits into a
 * frame.  Nothing here descends by itself, and only texts (longstr) and bytes have a value as
 * text: a number is never turned into one.  Views live as long as the table.
 */
#ifndef SB_AMQP_HEADERS_H
#define SB_AMQP_HEADERS_H

#include <amqp.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

struct amqp_header {
    struct bytes name;
    struct bytes value; /* at is NULL: of another type than text or bytes */
};

static inline struct bytes amqp_view(amqp_bytes_t in)
{
    return bytes_of(in.len == 0 ? "" : in.bytes, in.len);
}

/*
 * The entries of the table in order, `count_max` of them and `bytes_max` bytes of names and
 * values at most; returns how many were written.  What does not fit is left out, and `ret_cut`
 * says so.  A NULL table has none.
 */
size_t amqp_headers_flatten(const amqp_table_t *table, struct amqp_header *ret,
                            size_t count_max, size_t bytes_max, bool *ret_cut);

/* The first entry of that name, or NULL; a NULL table has none. */
const amqp_field_value_t *amqp_headers_find(const amqp_table_t *table, const char *name);

/* The integer of that name, of whatever width.  False: none, or past 63 bits. */
bool amqp_headers_integer(const amqp_table_t *table, const char *name, int64_t *ret);

/* The text of that name; false: none, or of another type. */
bool amqp_headers_text(const amqp_table_t *table, const char *name, struct bytes *ret);

/* The table of that name within the table, or NULL. */
const amqp_table_t *amqp_headers_table(const amqp_table_t *table, const char *name);

#endif
