#include "core/hex.h"

#include "core/assert.h"

enum { NOT_A_DIGIT = 16 };

void hex_encode(struct bytes in, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        ret[2 * i] = digits[in.at[i] >> 4];
        ret[2 * i + 1] = digits[in.at[i] & 15];
    }
}

static unsigned digit_value(uint8_t c, bool any_case)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    if (c >= 'a' && c <= 'f')
        return c - (unsigned)'a' + 10;
    if (any_case && c >= 'A' && c <= 'F')
        return c - (unsigned)'A' + 10;
    return NOT_A_DIGIT;
}

enum sb_err hex_decode(struct bytes text, bool any_case, uint8_t *ret, size_t len)
{
    SB_ASSERT(len <= SIZE_MAX / 2);
    if (text.len != 2 * len)
        return SB_ERR_INPUT;
    /* Checked as a whole first: outputs stay untouched on failure. */
    for (size_t i = 0; i < text.len; i++)
        if (digit_value(text.at[i], any_case) == NOT_A_DIGIT)
            return SB_ERR_INPUT;
    for (size_t i = 0; i < len; i++) {
        unsigned high = digit_value(text.at[2 * i], any_case);
        unsigned low = digit_value(text.at[2 * i + 1], any_case);
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return SB_OK;
}
