/*
 * value: reads one encoded AnyValue, the value of an attribute.
 *
 * Views point into the encoded bytes.  No recursion: an array or a map is only named, not
 * entered.  Source: opentelemetry-proto common/v1/common.proto, message AnyValue.
 */
#ifndef SB_OTLP_VALUE_H
#define SB_OTLP_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

enum otlp_value_type {
    OTLP_VALUE_EMPTY, /* no field set, or not a valid encoding */
    OTLP_VALUE_STRING,
    OTLP_VALUE_BOOL,
    OTLP_VALUE_INT,
    OTLP_VALUE_DOUBLE,
    OTLP_VALUE_ARRAY,
    OTLP_VALUE_MAP,
    OTLP_VALUE_BYTES
};

struct otlp_value {
    enum otlp_value_type type;
    struct bytes bytes; /* STRING and BYTES: the content; ARRAY and MAP: still encoded */
    int64_t integer;    /* INT and BOOL */
    double number;      /* DOUBLE */
};

/* Of several fields the last one counts, as protobuf's oneof rule says. */
struct otlp_value otlp_value_read(struct bytes any_value);

/* One key and its value, still encoded, out of an encoded KeyValue. */
struct otlp_attribute {
    struct bytes key;
    struct bytes value; /* encoded AnyValue */
};

/*
 * Walks the repeated KeyValue field `field_number` of the encoded message `*rest`, shrinking
 * it.  False at the end, or at the first malformed field.  Field numbers of attributes:
 * Resource 1, InstrumentationScope 3, Span 9, Span.Event 3, Span.Link 4.
 */
bool otlp_attribute_next(struct bytes *rest, uint32_t field_number, struct otlp_attribute *ret);

#endif
