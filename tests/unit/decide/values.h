/*
 * values: encodes attribute values as they lie in OTLP, and hands them out as the scanner
 * would: only where somebody asked for the key.  Source: AnyValue of common/v1.
 */
#ifndef SB_TEST_DECIDE_VALUES_H
#define SB_TEST_DECIDE_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "otlp/keys.h"
#include "otlp/scan.h"
#include "otlp/value.h"

enum { VALUE_LEN_MAX = 64 };

struct test_value {
    enum otlp_value_type type; /* STRING, BOOL, INT (0 to 127), DOUBLE, BYTES, EMPTY */
    const char *text;
    uint8_t number;
};

struct test_attribute {
    const char *key; /* NULL: no attribute */
    struct test_value value;
};

static inline struct bytes encode_value(const struct test_value *value,
                                        uint8_t room[VALUE_LEN_MAX])
{
    static const uint8_t tags[] = {
        [OTLP_VALUE_STRING] = 0x0a, [OTLP_VALUE_BOOL] = 0x10,  [OTLP_VALUE_INT] = 0x18,
        [OTLP_VALUE_DOUBLE] = 0x21, [OTLP_VALUE_BYTES] = 0x3a,
    };
    if (value->type == OTLP_VALUE_EMPTY)
        return bytes_of(room, 0);
    room[0] = tags[value->type];
    room[1] = value->number;
    if (value->type == OTLP_VALUE_BOOL || value->type == OTLP_VALUE_INT)
        return bytes_of(room, 2);
    if (value->type == OTLP_VALUE_DOUBLE) {
        double number = value->number;
        memcpy(room + 1, &number, sizeof(number));
        return bytes_of(room, 1 + sizeof(number));
    }
    size_t len = strlen(value->text);
    SB_ASSERT(len + 2 <= VALUE_LEN_MAX);
    room[1] = (uint8_t)len;
    memcpy(room + 2, value->text, len);
    return bytes_of(room, len + 2);
}

/* True and the hit in *ret when the key is wanted; its value lies in `room`. */
static inline bool make_hit(const struct otlp_keys *keys, const struct test_attribute *from,
                            uint8_t room[VALUE_LEN_MAX], struct otlp_hit *ret)
{
    uint16_t key =
        from->key == NULL ? OTLP_KEY_NONE : otlp_keys_find(keys, bytes_text(from->key));
    if (key == OTLP_KEY_NONE)
        return false;
    *ret = (struct otlp_hit){.key = key, .value = encode_value(&from->value, room)};
    return true;
}

#endif
