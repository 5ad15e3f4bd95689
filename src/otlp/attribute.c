#include "attribute.h"

/* The longest length that is one byte on the wire. */
enum { SHORT_MAX = 127 };

/* Field 0 does not exist; unknown fields are only skipped. */
const struct attribute_shape attribute_shape_event = {
    .attributes = 3,
    .types = {SHAPE_ANY, WIRE_FIXED64, WIRE_BYTES, WIRE_BYTES, WIRE_VARINT, SHAPE_ANY,
              SHAPE_ANY, SHAPE_ANY},
};

const struct attribute_shape attribute_shape_link = {
    .attributes = 4,
    .types = {SHAPE_ANY, WIRE_BYTES, WIRE_BYTES, WIRE_BYTES, WIRE_BYTES, WIRE_VARINT,
              WIRE_FIXED32, SHAPE_ANY},
};

const struct attribute_shape attribute_shape_resource = {
    .attributes = 1,
    .types = {SHAPE_ANY, WIRE_BYTES, WIRE_VARINT, WIRE_BYTES, SHAPE_ANY, SHAPE_ANY, SHAPE_ANY,
              SHAPE_ANY},
};

const struct attribute_shape attribute_shape_scope = {
    .attributes = 3,
    .types = {SHAPE_ANY, WIRE_BYTES, WIRE_BYTES, WIRE_BYTES, WIRE_VARINT, SHAPE_ANY, SHAPE_ANY,
              SHAPE_ANY},
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

struct attribute_rules attribute_rules_make(const struct otlp_limits *limits)
{
    struct attribute_rules rules = {.limits = *limits};
    rules.limits.depth_max = smaller(limits->depth_max, OTLP_DEPTH_MAX);
    if (rules.limits.depth_max == 0)
        rules.limits.depth_max = 1; /* a plain value is one deep */
    rules.limits.attributes_max = smaller(limits->attributes_max, OTLP_COUNT_MAX);
    rules.limits.events_max = smaller(limits->events_max, OTLP_COUNT_MAX);
    rules.limits.links_max = smaller(limits->links_max, OTLP_COUNT_MAX);
    rules.plain_bytes_max =
        smaller(SHORT_MAX, smaller(limits->key_bytes_max, limits->value_bytes_max));
    return rules;
}

enum otlp_fault attribute_read_any(struct wire_cursor *in, const struct attribute_rules *rules,
                                   struct otlp_attribute *ret)
{
    struct bytes pair;
    if (!wire_bytes(in, &pair))
        return OTLP_FAULT_MALFORMED;
    return nesting_check(pair, &rules->limits, ret);
}

/* A field that is no plain attribute: one of another shape, or something else. */
static enum otlp_fault check_field(struct wire_cursor *in, const struct attribute_shape *shape,
                                   const struct attribute_rules *rules, uint32_t *count)
{
    uint32_t tag;
    if (!wire_tag(in, &tag))
        return OTLP_FAULT_MALFORMED;
    uint32_t number = tag >> 3;
    bool known = number < SHAPE_FIELDS_MAX && shape->types[number] != SHAPE_ANY;
    if (known && shape->types[number] != (tag & 7))
        return OTLP_FAULT_MALFORMED;
    if (number != shape->attributes)
        return wire_skip(in, tag) ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED;
    ++*count;
    struct otlp_attribute attribute;
    return attribute_read_any(in, rules, &attribute);
}

enum otlp_fault attribute_check_message(struct bytes message,
                                        const struct attribute_shape *shape,
                                        const struct attribute_rules *rules, uint32_t *count)
{
    uint8_t attributes_tag = (uint8_t)WIRE_TAG(shape->attributes, WIRE_BYTES);
    struct wire_cursor in = wire_open(message);
    while (!wire_at_end(&in)) {
        size_t len;
        size_t key_len;
        struct bytes value;
        enum otlp_fault fault = OTLP_FAULT_NONE;
        if (attribute_plain_head(in.at, wire_left(&in), attributes_tag, rules->plain_bytes_max,
                                 &len, &key_len) &&
            attribute_plain_value(in.at, len, key_len, &value)) {
            in.at += len;
            ++*count;
        } else {
            fault = check_field(&in, shape, rules, count);
        }
        if (fault != OTLP_FAULT_NONE)
            return fault;
        if (*count > rules->limits.attributes_max)
            return OTLP_FAULT_TOO_MANY_ATTRIBUTES;
    }
    return OTLP_FAULT_NONE;
}
