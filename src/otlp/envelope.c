/*
 * Reads single things out of an envelope that was scanned before.
 */
#include "key_table.h"
#include "otlp/scan.h"
#include "otlp/value.h"
#include "wire.h"

enum { ENVELOPE_RESOURCE = 1, ENVELOPE_SCOPE = 1 };
enum { RESOURCE_ATTRIBUTES = 1, SCOPE_NAME = 1, SCOPE_VERSION = 2 };

void otlp_scan_resource(struct bytes resource_fields, const struct otlp_keys *keys,
                        otlp_hit_fn on_hit, void *arg)
{
    struct wire_cursor in = wire_open(resource_fields);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return;
        if (field.number != ENVELOPE_RESOURCE || field.type != WIRE_BYTES)
            continue;
        struct otlp_attribute attribute;
        while (otlp_attribute_next(&field.body, RESOURCE_ATTRIBUTES, &attribute)) {
            uint16_t key = key_table_find(keys, attribute.key.at, attribute.key.len);
            if (key == OTLP_KEY_NONE)
                continue;
            struct otlp_hit hit = {.key = key, .value = attribute.value};
            on_hit(arg, &hit);
        }
    }
}

/* Of a scope in several parts the last name and version count. */
static void read_scope(struct bytes scope, struct bytes *name, struct bytes *version)
{
    struct wire_cursor in = wire_open(scope);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return;
        if (field.type != WIRE_BYTES)
            continue;
        if (field.number == SCOPE_NAME)
            *name = field.body;
        else if (field.number == SCOPE_VERSION)
            *version = field.body;
    }
}

void otlp_scan_scope(struct bytes scope_fields, struct bytes *ret_name,
                     struct bytes *ret_version)
{
    *ret_name = (struct bytes){0};
    *ret_version = (struct bytes){0};
    struct wire_cursor in = wire_open(scope_fields);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return;
        if (field.number == ENVELOPE_SCOPE && field.type == WIRE_BYTES)
            read_scope(field.body, ret_name, ret_version);
    }
}
