#include "core/text.h"

#include <stdio.h>

#include "core/assert.h"
#include "core/memory.h"

enum { FIRST_ROOM = 64 };

void text_init(struct text *text, size_t len_max)
{
    *text = (struct text){.len_max = len_max};
}

void text_clear(struct text *text)
{
    memory_free(text->at);
    text_init(text, text->len_max);
}

void text_reset(struct text *text)
{
    text->len = 0;
    text->error = SB_OK;
    if (text->at != NULL)
        text->at[0] = '\0';
}

/* Makes room for `len` more bytes and a NUL; false, with the error set, when it can not. */
static bool make_room(struct text *text, size_t len)
{
    if (text->error != SB_OK)
        return false;
    if (len > text->len_max - text->len || text->len + len == SIZE_MAX) {
        text->error = SB_ERR_LIMIT;
        return false;
    }
    size_t needed = text->len + len + 1;
    if (needed <= text->room)
        return true;
    size_t room = text->room == 0 ? FIRST_ROOM : text->room;
    while (room < needed)
        room = room > SIZE_MAX / 2 ? needed : room * 2;
    if (room - 1 > text->len_max)
        room = text->len_max + 1;
    char *at = memory_realloc(text->at, room, 1);
    if (at == NULL) {
        text->error = SB_ERR_MEMORY;
        return false;
    }
    text->at = at;
    text->room = room;
    return true;
}

uint8_t *text_grow(struct text *text, size_t len)
{
    if (!make_room(text, len))
        return NULL;
    uint8_t *at = (uint8_t *)text->at + text->len;
    text->len += len;
    text->at[text->len] = '\0';
    return at;
}

void text_append(struct text *text, struct bytes in)
{
    uint8_t *at = text_grow(text, in.len);
    if (at != NULL && in.len > 0)
        memcpy(at, in.at, in.len);
}

void text_append_text(struct text *text, const char *in)
{
    text_append(text, bytes_text(in));
}

void text_append_char(struct text *text, char c)
{
    text_append(text, bytes_of(&c, 1));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        if (text->error == SB_OK)
            text->error = SB_ERR_INTERNAL;
        return;
    }
    if (!make_room(text, (size_t)len))
        return;
    va_start(args, format);
    int written = vsnprintf(text->at + text->len, (size_t)len + 1, format, args);
    va_end(args);
    SB_ASSERT(written == len);
    text->len += (size_t)len;
}

const char *text_string(const struct text *text)
{
    return text->len == 0 ? "" : text->at;
}
