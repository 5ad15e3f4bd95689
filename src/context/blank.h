/*
 * blank: the optional white space of HTTP header values, which messages inherit: spaces and
 * tabs.  Source: RFC 9110, section 5.6.3.
 */
#ifndef SB_CONTEXT_BLANK_H
#define SB_CONTEXT_BLANK_H

#include <stdbool.h>
#include <stddef.h>

static inline bool blank_is(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes outer blanks off the view. */
static inline void blank_trim(const char **text, size_t *len)
{
    while (*len > 0 && blank_is((*text)[0])) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && blank_is((*text)[*len - 1]))
        (*len)--;
}

#endif
