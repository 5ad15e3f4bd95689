#include "core/hex.h"

#include "core/assert.h"

/* The value of a character in its low four bits, and what it is. */
enum { IS_DIGIT = 0x10, IS_LOWER = 0x20, VALUE_MASK = 0x0f };
#define DIGIT(value) ((value) | IS_DIGIT | IS_LOWER)
#define UPPER(value) ((value) | IS_DIGIT)

/* A table, since ids are read from every span and message header there is. */
static const uint8_t digits[256] = {
    ['0'] = DIGIT(0),  ['1'] = DIGIT(1),  ['2'] = DIGIT(2),  ['3'] = DIGIT(3),
    ['4'] = DIGIT(4),  ['5'] = DIGIT(5),  ['6'] = DIGIT(6),  ['7'] = DIGIT(7),
    ['8'] = DIGIT(8),  ['9'] = DIGIT(9),  ['a'] = DIGIT(10), ['b'] = DIGIT(11),
    ['c'] = DIGIT(12), ['d'] = DIGIT(13), ['e'] = DIGIT(14), ['f'] = DIGIT(15),
    ['A'] = UPPER(10), ['B'] = UPPER(11), ['C'] = UPPER(12), ['D'] = UPPER(13),
    ['E'] = UPPER(14), ['F'] = UPPER(15)};

void hex_encode(struct bytes in, char *ret)
{
    static const char letters[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        ret[2 * i] = letters[in.at[i] >> 4];
        ret[2 * i + 1] = letters[in.at[i] & 15];
    }
}

/* Returns what all of the 2 * len characters have in common: IS_DIGIT, IS_LOWER. */
static uint8_t decode(const uint8_t *text, uint8_t *ret, size_t len)
{
    uint8_t common = IS_DIGIT | IS_LOWER;
    for (size_t i = 0; i < len; i++) {
        uint8_t high = digits[text[2 * i]];
        uint8_t low = digits[text[2 * i + 1]];
        common &= high & low;
        ret[i] = (uint8_t)((unsigned)high << 4 | (low & VALUE_MASK));
    }
    return common;
}

enum sb_err hex_decode(struct bytes text, bool any_case, uint8_t *ret, size_t len)
{
    SB_ASSERT(len <= SIZE_MAX / 2);
    if (text.len != 2 * len)
        return SB_ERR_INPUT;
    uint8_t wanted = any_case ? IS_DIGIT : IS_LOWER;
    /* Outputs stay untouched on failure: ids go through a copy, longer texts are checked first. */
    enum { COPY_LEN = 16 };
    if (len <= COPY_LEN) {
        uint8_t copy[COPY_LEN];
        if ((decode(text.at, copy, len) & wanted) == 0)
            return SB_ERR_INPUT;
        memcpy(ret, copy, len);
        return SB_OK;
    }
    uint8_t common = wanted;
    for (size_t i = 0; i < text.len; i++)
        common &= digits[text.at[i]];
    if (common == 0)
        return SB_ERR_INPUT;
    (void)decode(text.at, ret, len);
    return SB_OK;
}
