#include "utf8.h"

#include <stdbool.h>

static bool continues(uint8_t byte)
{
    return byte >= 0x80 && byte <= 0xbf;
}

unsigned utf8_length(const uint8_t *at)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    unsigned len = first >= 0xc2 && first <= 0xdf   ? 2
                   : first >= 0xe0 && first <= 0xef ? 3
                   : first >= 0xf0 && first <= 0xf4 ? 4
                                                    : 0;
    if (len == 0)
        return 0;
    /* Neither overlong, nor half of a pair, nor beyond the last plane. */
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most)
        return 0;
    for (unsigned i = 2; i < len; i++) {
        if (!continues(at[i]))
            return 0;
    }
    return len;
}
