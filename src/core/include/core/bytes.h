/*
 * bytes: a view of memory that somebody else owns.  Whoever hands one out says until when it
 * holds.  at may be NULL only where len is 0.
 */
#ifndef SB_CORE_BYTES_H
#define SB_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t len;
};

/* A view of a string literal, without its NUL. */
#define BYTES_LITERAL(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct bytes bytes_of(const void *at, size_t len)
{
    return (struct bytes){(const uint8_t *)at, len};
}

static inline struct bytes bytes_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

#endif
