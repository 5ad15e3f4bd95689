#include "otlp/value.h"

#include "wire.h"

enum { PAIR_KEY = 1, PAIR_VALUE = 2 };

/* Reads a field of AnyValue into *ret.  False: its type does not fit its number. */
static bool take_value(const struct wire_field *field, struct otlp_value *ret)
{
    static const struct {
        enum wire_type wire;
        enum otlp_value_type value;
    } known[] = {
        {WIRE_BYTES, OTLP_VALUE_EMPTY}, /* no field 0 */
        {WIRE_BYTES, OTLP_VALUE_STRING}, {WIRE_VARINT, OTLP_VALUE_BOOL},
        {WIRE_VARINT, OTLP_VALUE_INT},   {WIRE_FIXED64, OTLP_VALUE_DOUBLE},
        {WIRE_BYTES, OTLP_VALUE_ARRAY},  {WIRE_BYTES, OTLP_VALUE_MAP},
        {WIRE_BYTES, OTLP_VALUE_BYTES},
    };
    if (field->number >= sizeof(known) / sizeof(known[0]))
        return true;
    if (field->type != known[field->number].wire)
        return false;
    *ret = (struct otlp_value){.type = known[field->number].value, .bytes = field->body};
    if (ret->type == OTLP_VALUE_BOOL)
        ret->integer = field->value != 0;
    else if (ret->type == OTLP_VALUE_INT)
        ret->integer = (int64_t)field->value;
    else if (ret->type == OTLP_VALUE_DOUBLE)
        memcpy(&ret->number, &field->value, sizeof(ret->number));
    return true;
}

struct otlp_value otlp_value_read(struct bytes any_value)
{
    struct otlp_value value = {0};
    struct wire_cursor in = wire_open(any_value);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field) || !take_value(&field, &value))
            return (struct otlp_value){0};
    }
    return value;
}

/* As nesting_check reads it: of several the last, but an empty value replaces none. */
static bool read_pair(struct bytes body, struct otlp_attribute *ret)
{
    *ret = (struct otlp_attribute){0};
    struct wire_cursor in = wire_open(body);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return false;
        if (field.number != PAIR_KEY && field.number != PAIR_VALUE)
            continue;
        if (field.type != WIRE_BYTES)
            return false;
        if (field.number == PAIR_KEY)
            ret->key = field.body;
        else if (field.body.len > 0 || ret->value.at == NULL)
            ret->value = field.body;
    }
    return true;
}

bool otlp_attribute_next(struct bytes *rest, uint32_t field_number, struct otlp_attribute *ret)
{
    struct wire_cursor in = wire_open(*rest);
    struct otlp_attribute attribute;
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            break;
        if (field.number != field_number)
            continue;
        if (field.type != WIRE_BYTES || !read_pair(field.body, &attribute))
            break;
        *rest = wire_rest(&in);
        *ret = attribute;
        return true;
    }
    *rest = (struct bytes){0};
    return false;
}
