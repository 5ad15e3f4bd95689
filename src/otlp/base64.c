#include "base64.h"

#include <string.h>

enum { BITS_EACH = 6, GROUP_BYTES = 3, GROUP_CHARACTERS = 4 };

void base64_encode(struct bytes in, char *ret)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < in.len; i += GROUP_BYTES) {
        size_t left = in.len - i;
        uint32_t group = (uint32_t)in.at[i] << 16;
        if (left > 1)
            group |= (uint32_t)in.at[i + 1] << 8;
        if (left > 2)
            group |= in.at[i + 2];
        memset(ret, '=', GROUP_CHARACTERS); /* what is left of it is padding */
        ret[0] = alphabet[group >> 18];
        ret[1] = alphabet[group >> 12 & 63];
        if (left > 1)
            ret[2] = alphabet[group >> 6 & 63];
        if (left > 2)
            ret[3] = alphabet[group & 63];
        ret += GROUP_CHARACTERS;
    }
}

/* 0 ... 63, or -1. */
static int digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

enum sb_err base64_decode(struct bytes text, uint8_t *ret, size_t *ret_len)
{
    size_t len = text.len;
    size_t padding = 0;
    while (len > 0 && text.at[len - 1] == '=') {
        len--;
        padding++;
    }
    size_t odd = len % GROUP_CHARACTERS;
    if (odd == 1 || (padding > 0 && (odd == 0 || odd + padding != GROUP_CHARACTERS)))
        return SB_ERR_INPUT;

    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0)
            return SB_ERR_INPUT;
        bits = bits << BITS_EACH | (uint32_t)digit;
        bit_count += BITS_EACH;
        if (bit_count >= 8) {
            bit_count -= 8;
            ret[written++] = (uint8_t)(bits >> bit_count);
        }
    }
    *ret_len = written;
    return SB_OK;
}
