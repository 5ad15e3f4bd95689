/*
 * json_schema: the messages of OTLP as tables, which both directions of the JSON form walk.
 *
 * Source: opentelemetry-proto for names and numbers; the OTLP specification, JSON Protobuf
 * Encoding, for the forms of ids, enums and 64-bit integers.
 */
#ifndef SB_OTLP_JSON_SCHEMA_H
#define SB_OTLP_JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otlp/scan.h"
#include "wire.h"

enum schema_type {
    SCHEMA_TEXT,
    SCHEMA_ID,      /* bytes, in JSON as hex */
    SCHEMA_BASE64,  /* bytes */
    SCHEMA_BOOL,    /* varint */
    SCHEMA_ENUM,    /* varint, in JSON a number or a name */
    SCHEMA_UINT32,  /* varint */
    SCHEMA_INT64,   /* varint, in JSON a string or a number */
    SCHEMA_FIXED64, /* the same */
    SCHEMA_FIXED32,
    SCHEMA_DOUBLE, /* fixed64 */
    SCHEMA_MESSAGE
};

struct schema_message;

struct schema_field {
    const char *name; /* lowerCamelCase */
    uint32_t number;
    enum schema_type type;
    bool repeated;
    const struct schema_message *message; /* of SCHEMA_MESSAGE */
    const char *const *names;             /* of SCHEMA_ENUM, by number, ends with NULL */
};

/* Fields in the order of their numbers. */
struct schema_message {
    const struct schema_field *fields;
    size_t count;
    bool one_of; /* only the last field that is set counts */
};

extern const struct schema_message schema_request;

/*
 * Objects and arrays around an AnyValue: 12 around the first, and 4 more for each level (a
 * kvlistValue, its values, a pair, its value).  Deeper text is refused as a whole, so that a
 * span that is only deeper than a worker's own limit is judged alone, by the scan.
 */
enum { SCHEMA_JSON_DEPTH_MAX = 16 + 4 * OTLP_DEPTH_MAX };

/* The wire type of a field. */
enum wire_type schema_wire_type(enum schema_type type);

#endif
