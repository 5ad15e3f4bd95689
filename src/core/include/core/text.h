/*
 * text: a growing byte buffer with a cap, for text and for encoded messages.
 *
 * Errors stick: after the first failed append all further ones do nothing, and text_error
 * tells at the end.  Always NUL-terminated where it holds anything.
 */
#ifndef SB_CORE_TEXT_H
#define SB_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct text {
    char *at; /* NULL until the first append; owned */
    size_t len;
    size_t room;
    size_t len_max;
    enum sb_err error;
};

void text_init(struct text *text, size_t len_max);
void text_clear(struct text *text);
void text_reset(struct text *text); /* empties it, keeps the memory, forgets the error */

void text_append(struct text *text, struct bytes in);
void text_append_text(struct text *text, const char *in);
void text_append_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) SB_PRINTF(2, 3);

/* Room for `len` more bytes, counted as written; NULL on failure.  Valid until the next append. */
uint8_t *text_grow(struct text *text, size_t len);

/* The content as a C string; "" when empty.  Valid until the next change. */
const char *text_string(const struct text *text);

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->at, text->len);
}

#endif
