#include "json_schema.h"

#include "core/assert.h"

#define MESSAGE(of) SCHEMA_MESSAGE, false, &(of), NULL
#define LIST(of)    SCHEMA_MESSAGE, true, &(of), NULL
#define PLAIN(type) SCHEMA_##type, false, NULL, NULL
#define TEXTS       SCHEMA_TEXT, true, NULL, NULL
#define ENUM(names) SCHEMA_ENUM, false, NULL, (names)

#define TABLE(name, is_one_of)                                                                 \
    static const struct schema_message name = {                                                \
        .fields = name##_fields,                                                               \
        .count = sizeof(name##_fields) / sizeof(name##_fields[0]),                             \
        .one_of = (is_one_of),                                                                 \
    }

/* Values nest in themselves, so they are announced first. */
static const struct schema_message any_value;

static const struct schema_field array_fields[] = {
    {"values", 1, LIST(any_value)},
};
TABLE(array, false);

static const struct schema_field pair_fields[] = {
    {"key", 1, PLAIN(TEXT)},
    {"value", 2, MESSAGE(any_value)},
};
TABLE(pair, false);

static const struct schema_field map_fields[] = {
    {"values", 1, LIST(pair)},
};
TABLE(map, false);

static const struct schema_field any_value_fields[] = {
    {"stringValue", 1, PLAIN(TEXT)},   {"boolValue", 2, PLAIN(BOOL)},
    {"intValue", 3, PLAIN(INT64)},     {"doubleValue", 4, PLAIN(DOUBLE)},
    {"arrayValue", 5, MESSAGE(array)}, {"kvlistValue", 6, MESSAGE(map)},
    {"bytesValue", 7, PLAIN(BASE64)},
};
TABLE(any_value, true);

static const struct schema_field entity_fields[] = {
    {"schemaUrl", 1, PLAIN(TEXT)},
    {"type", 2, PLAIN(TEXT)},
    {"idKeys", 3, TEXTS},
    {"descriptionKeys", 4, TEXTS},
};
TABLE(entity, false);

static const struct schema_field resource_fields[] = {
    {"attributes", 1, LIST(pair)},
    {"droppedAttributesCount", 2, PLAIN(UINT32)},
    {"entityRefs", 3, LIST(entity)},
};
TABLE(resource, false);

static const struct schema_field scope_fields[] = {
    {"name", 1, PLAIN(TEXT)},
    {"version", 2, PLAIN(TEXT)},
    {"attributes", 3, LIST(pair)},
    {"droppedAttributesCount", 4, PLAIN(UINT32)},
};
TABLE(scope, false);

static const struct schema_field event_fields[] = {
    {"timeUnixNano", 1, PLAIN(FIXED64)},
    {"name", 2, PLAIN(TEXT)},
    {"attributes", 3, LIST(pair)},
    {"droppedAttributesCount", 4, PLAIN(UINT32)},
};
TABLE(event, false);

static const struct schema_field link_fields[] = {
    {"traceId", 1, PLAIN(ID)},
    {"spanId", 2, PLAIN(ID)},
    {"traceState", 3, PLAIN(TEXT)},
    {"attributes", 4, LIST(pair)},
    {"droppedAttributesCount", 5, PLAIN(UINT32)},
    {"flags", 6, PLAIN(FIXED32)},
};
TABLE(link, false);

static const char *const status_names[] = {
    "STATUS_CODE_UNSET",
    "STATUS_CODE_OK",
    "STATUS_CODE_ERROR",
    NULL,
};

static const struct schema_field status_fields[] = {
    {"message", 2, PLAIN(TEXT)},
    {"code", 3, ENUM(status_names)},
};
TABLE(status, false);

static const char *const kind_names[] = {
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
    NULL,
};

static const struct schema_field span_fields[] = {
    {"traceId", 1, PLAIN(ID)},
    {"spanId", 2, PLAIN(ID)},
    {"traceState", 3, PLAIN(TEXT)},
    {"parentSpanId", 4, PLAIN(ID)},
    {"name", 5, PLAIN(TEXT)},
    {"kind", 6, ENUM(kind_names)},
    {"startTimeUnixNano", 7, PLAIN(FIXED64)},
    {"endTimeUnixNano", 8, PLAIN(FIXED64)},
    {"attributes", 9, LIST(pair)},
    {"droppedAttributesCount", 10, PLAIN(UINT32)},
    {"events", 11, LIST(event)},
    {"droppedEventsCount", 12, PLAIN(UINT32)},
    {"links", 13, LIST(link)},
    {"droppedLinksCount", 14, PLAIN(UINT32)},
    {"status", 15, MESSAGE(status)},
    {"flags", 16, PLAIN(FIXED32)},
};
TABLE(span, false);

static const struct schema_field scope_spans_fields[] = {
    {"scope", 1, MESSAGE(scope)},
    {"spans", 2, LIST(span)},
    {"schemaUrl", 3, PLAIN(TEXT)},
};
TABLE(scope_spans, false);

static const struct schema_field resource_spans_fields[] = {
    {"resource", 1, MESSAGE(resource)},
    {"scopeSpans", 2, LIST(scope_spans)},
    {"schemaUrl", 3, PLAIN(TEXT)},
};
TABLE(resource_spans, false);

static const struct schema_field request_fields[] = {
    {"resourceSpans", 1, LIST(resource_spans)},
};

const struct schema_message schema_request = {.fields = request_fields, .count = 1};

enum wire_type schema_wire_type(enum schema_type type)
{
    switch (type) {
    case SCHEMA_TEXT:
    case SCHEMA_ID:
    case SCHEMA_BASE64:
    case SCHEMA_MESSAGE:
        return WIRE_BYTES;
    case SCHEMA_BOOL:
    case SCHEMA_ENUM:
    case SCHEMA_UINT32:
    case SCHEMA_INT64:
        return WIRE_VARINT;
    case SCHEMA_FIXED64:
    case SCHEMA_DOUBLE:
        return WIRE_FIXED64;
    case SCHEMA_FIXED32:
        return WIRE_FIXED32;
    }
    SB_ASSERT(false);
    return WIRE_BYTES;
}
