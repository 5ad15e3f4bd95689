#include "base64.h"

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool base64_decode_in_place(struct text *text, struct bytes *ret)
{
    size_t len = text->len;
    while (len > 0 && text->len - len < 2 && text->at[len - 1] == '=')
        len--;
    if (len % 4 == 1)
        return false;
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        int digit = digit_of(text->at[from]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            text->at[to++] = (char)(bits >> bit_count & 0xff);
        }
    }
    *ret = bytes_of(text->at, to);
    return true;
}
