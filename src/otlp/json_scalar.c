#include "json_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "core/assert.h"
#include "core/hex.h"

static struct bytes text_of(const json_t *value)
{
    return bytes_of(json_string_value(value), json_string_length(value));
}

/* All of `text` as digits. */
static bool parse_digits(struct bytes text, uint64_t *ret)
{
    uint64_t number = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)text.at[i] - '0';
        if (text.at[i] < '0' || text.at[i] > '9' || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret = number;
    return true;
}

/* A number or a string of digits; 64-bit ones come as strings to survive JavaScript. */
static bool read_unsigned(const json_t *value, uint64_t max, uint64_t *ret)
{
    uint64_t number;
    if (json_is_integer(value)) {
        if (json_integer_value(value) < 0)
            return false;
        number = (uint64_t)json_integer_value(value);
    } else if (!json_is_string(value) || !parse_digits(text_of(value), &number)) {
        return false;
    }
    *ret = number;
    return number <= max;
}

static bool read_signed(const json_t *value, int64_t *ret)
{
    if (json_is_integer(value)) {
        *ret = json_integer_value(value);
        return true;
    }
    if (!json_is_string(value))
        return false;
    struct bytes text = text_of(value);
    bool negative = text.len > 0 && text.at[0] == '-';
    uint64_t number;
    if (!parse_digits(bytes_of(text.at + negative, text.len - negative), &number) ||
        number > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

/* A number, or as a string: a number, NaN, Infinity or -Infinity. */
static bool read_double(const json_t *value, double *ret)
{
    if (json_is_number(value)) {
        *ret = json_number_value(value);
        return true;
    }
    if (!json_is_string(value))
        return false;
    struct bytes text = text_of(value);
    if (bytes_equal(text, BYTES_LITERAL("NaN"))) {
        *ret = (double)NAN;
        return true;
    }
    bool negative = text.len > 0 && text.at[0] == '-';
    if (bytes_equal(bytes_of(text.at + negative, text.len - negative),
                    BYTES_LITERAL("Infinity"))) {
        *ret = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    /* strtod knows more forms than JSON: only the characters of JSON's may come. */
    if (text.len == 0 || strspn(json_string_value(value), "+-.0123456789eE") != text.len)
        return false;
    char *end;
    *ret = strtod(json_string_value(value), &end);
    return end == json_string_value(value) + text.len;
}

static bool put_varint(struct backward *out, const struct schema_field *field, uint64_t number)
{
    backward_put_varint(out, number);
    backward_put_varint(out, WIRE_TAG(field->number, WIRE_VARINT));
    return true;
}

static bool put_bool(struct backward *out, const struct schema_field *field,
                     const json_t *value)
{
    return json_is_boolean(value) && put_varint(out, field, json_is_true(value));
}

/*
 * Numbers beyond the known ones pass, as they do in protobuf.  Negative ones do not: nothing
 * sends them, and their ten bytes would be more than their text.
 */
static bool put_enum(struct backward *out, const struct schema_field *field,
                     const json_t *value)
{
    if (json_is_integer(value))
        return json_integer_value(value) >= 0 &&
               put_varint(out, field, (uint64_t)json_integer_value(value));
    if (!json_is_string(value))
        return false;
    for (uint64_t i = 0; field->names[i] != NULL; i++) {
        if (bytes_equal(text_of(value), bytes_text(field->names[i])))
            return put_varint(out, field, i);
    }
    return false;
}

static bool put_text(struct backward *out, const struct schema_field *field,
                     const json_t *value)
{
    if (!json_is_string(value))
        return false;
    backward_put(out, text_of(value));
    backward_put_head(out, field->number, json_string_length(value));
    return true;
}

/* Ids of a wrong length pass: the scan judges them, and only their span is refused. */
static bool put_id(struct backward *out, const struct schema_field *field, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) % 2 != 0)
        return false;
    size_t len = json_string_length(value) / 2;
    uint8_t *at = backward_grow(out, len);
    if (at == NULL)
        return true; /* the overflow sticks */
    if (hex_decode(text_of(value), true, at, len) != SB_OK)
        return false;
    backward_put_head(out, field->number, len);
    return true;
}

static bool put_base64(struct backward *out, const struct schema_field *field,
                       const json_t *value)
{
    if (!json_is_string(value))
        return false;
    /* Decoded from the start, so the bytes are made elsewhere and moved to the end. */
    size_t room = json_string_length(value) / 4 * 3 + 3;
    size_t len;
    uint8_t *at = backward_grow(out, room);
    if (at == NULL)
        return true;
    if (base64_decode(text_of(value), at, &len) != SB_OK)
        return false;
    SB_ASSERT(len <= room);
    memmove(at + room - len, at, len);
    backward_shrink(out, room - len);
    backward_put_head(out, field->number, len);
    return true;
}

static bool put_number(struct backward *out, const struct schema_field *field,
                       const json_t *value)
{
    uint64_t number;
    int64_t with_sign;
    double real;
    switch (field->type) {
    case SCHEMA_UINT32:
        return read_unsigned(value, UINT32_MAX, &number) && put_varint(out, field, number);
    case SCHEMA_INT64:
        return read_signed(value, &with_sign) && put_varint(out, field, (uint64_t)with_sign);
    case SCHEMA_FIXED32:
        if (!read_unsigned(value, UINT32_MAX, &number))
            return false;
        backward_put_fixed32(out, (uint32_t)number);
        backward_put_varint(out, WIRE_TAG(field->number, WIRE_FIXED32));
        return true;
    case SCHEMA_FIXED64:
        if (!read_unsigned(value, UINT64_MAX, &number))
            return false;
        break;
    default:
        if (!read_double(value, &real))
            return false;
        memcpy(&number, &real, sizeof(number));
        break;
    }
    backward_put_fixed64(out, number);
    backward_put_varint(out, WIRE_TAG(field->number, WIRE_FIXED64));
    return true;
}

bool json_scalar_put(struct backward *out, const struct schema_field *field,
                     const json_t *value)
{
    switch (field->type) {
    case SCHEMA_TEXT:
        return put_text(out, field, value);
    case SCHEMA_ID:
        return put_id(out, field, value);
    case SCHEMA_BASE64:
        return put_base64(out, field, value);
    case SCHEMA_BOOL:
        return put_bool(out, field, value);
    case SCHEMA_ENUM:
        return put_enum(out, field, value);
    default:
        return put_number(out, field, value);
    }
}
