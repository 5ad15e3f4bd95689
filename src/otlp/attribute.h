/*
 * attribute: one KeyValue against the limits, and messages that hold KeyValues.
 *
 * Almost every attribute is a short key with a short string, a number or a boolean, encoded
 * in the order of the field numbers: that shape is checked in place.  All others take the
 * walk in nesting.c, which gives the same answer for the shape above.
 */
#ifndef SB_OTLP_ATTRIBUTE_H
#define SB_OTLP_ATTRIBUTE_H

#include "core/bytes.h"
#include "nesting.h"
#include "otlp/scan.h"
#include "otlp/value.h"
#include "wire.h"

/* The limits as the fast path wants them. */
struct attribute_rules {
    struct otlp_limits limits;
    uint32_t plain_bytes_max; /* KeyValues up to this are within all limits of lengths */
};

struct attribute_rules attribute_rules_make(const struct otlp_limits *limits);

static inline uint32_t attribute_load_32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

/* An AnyValue of `len` bytes that is one number, and nothing behind it. */
static inline bool attribute_is_number(const uint8_t *at, size_t len)
{
    enum { SAFE_LEN_MAX = 10 }; /* a varint of nine bytes can not overflow 64 bits */
    if (at[0] == WIRE_TAG(4, WIRE_FIXED64))
        return len == 1 + sizeof(uint64_t);
    if ((at[0] != WIRE_TAG(2, WIRE_VARINT) && at[0] != WIRE_TAG(3, WIRE_VARINT)) ||
        len > SAFE_LEN_MAX)
        return false;
    uint8_t more = 0x80;
    for (size_t i = 1; i + 1 < len; i++)
        more &= at[i];
    return more == 0x80 && at[len - 1] < 0x80;
}

/*
 * The plain shape of a whole attribute field, tag and length included:
 *
 *     tag pair_len 0x0a key_len key... 0x12 value_len 0x0a text_len text...
 *
 * with all lengths below 128, or a number in place of the text.  It is read in two steps, so
 * that a caller can look at the key in between; four bytes are compared at once, since this
 * is where the scan spends its time.
 */
enum { ATTRIBUTE_KEY_AT = 4, ATTRIBUTE_HEADS = 6 };

/* The lengths of the whole field and of its key at ATTRIBUTE_KEY_AT.  False: not plain. */
static inline bool attribute_plain_head(const uint8_t *at, size_t left, uint8_t tag,
                                        uint32_t pair_len_max, size_t *ret_len,
                                        size_t *ret_key_len)
{
    enum { HEAD = 2, PAIR_LEN_MIN = 6 };
    if (left < HEAD + PAIR_LEN_MIN)
        return false;
    uint32_t head = attribute_load_32(at);
    if ((head & 0x00ff80ffu) != (0x000a0000u | tag))
        return false;
    size_t pair_len = head >> 8 & 0x7f;
    size_t key_len = head >> 24;
    if (pair_len > pair_len_max || pair_len > left - HEAD || key_len + PAIR_LEN_MIN > pair_len)
        return false;
    *ret_len = HEAD + pair_len;
    *ret_key_len = key_len;
    return true;
}

/* The value of a field whose head is plain; at least two bytes long.  False: not plain. */
static inline bool attribute_plain_value(const uint8_t *at, size_t len, size_t key_len,
                                         struct bytes *ret)
{
    const uint8_t *value = at + ATTRIBUTE_HEADS + key_len;
    size_t value_len = len - ATTRIBUTE_HEADS - key_len;
    uint32_t head = attribute_load_32(value - 2);
    bool is_text =
        head == 0x000a0012u + ((uint32_t)value_len << 8) + ((uint32_t)(value_len - 2) << 24);
    if (!is_text && ((head & 0xffff) != (0x12u | (uint32_t)value_len << 8) ||
                     !attribute_is_number(value, value_len)))
        return false;
    *ret = bytes_of(value, value_len);
    return true;
}

/*
 * Reads an attribute of any shape; `in` stands behind its tag and moves behind it.  NONE and
 * the attribute, or the fault; see nesting_check.
 */
enum otlp_fault attribute_read_any(struct wire_cursor *in, const struct attribute_rules *rules,
                                   struct otlp_attribute *ret);

/* What is known of a message that holds attributes and nothing else to enter. */
enum { SHAPE_FIELDS_MAX = 8, SHAPE_ANY = 0xff };
struct attribute_shape {
    uint32_t attributes;             /* field number; 0: none */
    uint8_t types[SHAPE_FIELDS_MAX]; /* wire type by field number; SHAPE_ANY: not known */
};

extern const struct attribute_shape attribute_shape_event;
extern const struct attribute_shape attribute_shape_link;
extern const struct attribute_shape attribute_shape_resource;
extern const struct attribute_shape attribute_shape_scope;

/*
 * Checks the fields of `message` and its attributes, adding to *count, which counts over all
 * parts of a split message.
 */
enum otlp_fault attribute_check_message(struct bytes message,
                                        const struct attribute_shape *shape,
                                        const struct attribute_rules *rules, uint32_t *count);

#endif
