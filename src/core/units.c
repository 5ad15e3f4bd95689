#include "core/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/assert.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Those that formatting prefers come first; an empty name ends the search. */
static const struct unit durations[] = {
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},
    {"ns", UINT64_C(1)},
    {NULL, 0},
};

static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"TB", UINT64_C(1000000000000)},
    {"GB", UINT64_C(1000000000)},
    {"MB", UINT64_C(1000000)},
    {"kB", UINT64_C(1000)},
    {"", UINT64_C(1)},
    {"B", UINT64_C(1)},
    {NULL, 0},
};

/* whole + numerator / denominator */
struct decimal {
    uint64_t whole;
    uint64_t numerator;
    uint64_t denominator;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the digits after the point; more than 18 that count can not be exact in any unit. */
static enum sb_err read_fraction(const char **at, struct decimal *ret)
{
    enum { DIGITS_MAX = 18 };
    const char *end = *at;
    while (is_digit(*end))
        end++;
    if (end == *at)
        return SB_ERR_INPUT;
    const char *last = end;
    while (last > *at && last[-1] == '0')
        last--;
    if (last - *at > DIGITS_MAX)
        return SB_ERR_INPUT;
    for (const char *digit = *at; digit < last; digit++) {
        ret->numerator = ret->numerator * 10 + (uint64_t)(*digit - '0');
        ret->denominator *= 10;
    }
    *at = end;
    return SB_OK;
}

static enum sb_err read_decimal(const char **at, struct decimal *ret)
{
    *ret = (struct decimal){.denominator = 1};
    if (!is_digit(**at))
        return SB_ERR_INPUT;
    bool too_large = false;
    for (; is_digit(**at); ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (__builtin_mul_overflow(ret->whole, UINT64_C(10), &ret->whole) ||
            __builtin_add_overflow(ret->whole, digit, &ret->whole))
            too_large = true;
    }
    if (**at == '.') {
        ++*at;
        enum sb_err err = read_fraction(at, ret);
        if (err != SB_OK)
            return err;
    }
    return too_large ? SB_ERR_LIMIT : SB_OK;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name != NULL; units++)
        if (strcmp(units->name, name) == 0)
            return units;
    return NULL;
}

static enum sb_err scale(struct decimal value, uint64_t factor, uint64_t *ret)
{
    /* factor < 2^47 and numerator < 10^18: the product needs more than 64 bits. */
    __extension__ typedef unsigned __int128 wide;
    wide part = (wide)value.numerator * factor;
    if (part % value.denominator != 0)
        return SB_ERR_INPUT;
    uint64_t sum;
    if (__builtin_mul_overflow(value.whole, factor, &sum) ||
        __builtin_add_overflow(sum, (uint64_t)(part / value.denominator), &sum))
        return SB_ERR_LIMIT;
    *ret = sum;
    return SB_OK;
}

static enum sb_err parse(const struct unit *units, const char *text, uint64_t *ret)
{
    struct decimal value;
    const char *at = text;
    enum sb_err err = read_decimal(&at, &value);
    if (err == SB_ERR_INPUT)
        return err;
    const struct unit *unit = find_unit(units, at);
    if (unit == NULL)
        return SB_ERR_INPUT;
    if (err != SB_OK)
        return err;
    return scale(value, unit->factor, ret);
}

enum sb_err units_parse_duration(const char *text, uint64_t *ret_ns)
{
    return parse(durations, text, ret_ns);
}

enum sb_err units_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse(sizes, text, ret_bytes);
}

static void format(const struct unit *units, uint64_t value, char ret[UNITS_TEXT_LEN])
{
    int shortest = UNITS_TEXT_LEN;
    for (; units->name != NULL; units++) {
        if (value % units->factor != 0)
            continue;
        char text[UNITS_TEXT_LEN];
        int len =
            snprintf(text, sizeof(text), "%" PRIu64 "%s", value / units->factor, units->name);
        SB_ASSERT(len > 0 && len < UNITS_TEXT_LEN);
        if (len < shortest) {
            shortest = len;
            memcpy(ret, text, (size_t)len + 1);
        }
    }
}

void units_format_duration(uint64_t ns, char ret[UNITS_TEXT_LEN])
{
    if (ns == 0)
        memcpy(ret, "0s", sizeof("0s")); /* rather than 0d */
    else
        format(durations, ns, ret);
}

void units_format_size(uint64_t bytes, char ret[UNITS_TEXT_LEN])
{
    format(sizes, bytes, ret);
}
