#include "core/utf8.h"

size_t utf8_sequence(struct bytes in)
{
    if (in.len == 0)
        return 0;
    uint8_t first = in.at[0];
    if (first < 0x80)
        return 1;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || in.len < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((in.at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF (RFC 3629, section 4). */
    uint8_t second = in.at[1];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return len;
}
