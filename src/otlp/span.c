#include "span.h"

#include "core/assert.h"
#include "core/ids.h"
#include "key_table.h"
#include "otlp/write.h"

/* Fields of Span that are only checked, and of Status. */
enum {
    SPAN_DROPPED_ATTRIBUTES = 10,
    SPAN_DROPPED_EVENTS = 12,
    SPAN_DROPPED_LINKS = 14,
    SPAN_KNOWN_MAX = OTLP_SPAN_FLAGS
};
enum { STATUS_MESSAGE = 2, STATUS_CODE = 3 };

/* A known field of the given kind as its tag, for the switch over fields. */
#define VARINT(number)  WIRE_TAG(number, WIRE_VARINT)
#define FIXED64(number) WIRE_TAG(number, WIRE_FIXED64)
#define FIXED32(number) WIRE_TAG(number, WIRE_FIXED32)
#define BYTES(number)   WIRE_TAG(number, WIRE_BYTES)

/*
 * A span on its way: of scalar fields the last one counts, so ids are judged at the end.  No
 * call gets its address, so that the compiler may keep the parts in registers.
 */
struct reading {
    const struct span_rules *rules; /* NULL: accepted before, and nobody wants hits */
    struct span_hits *hits;
    struct bytes trace_id;
    struct bytes span_id;
    struct bytes parent_id;
    struct bytes name;
    struct bytes trace_state;
    uint64_t start_ns;
    uint64_t end_ns;
    uint32_t flags;
    uint32_t attribute_count;
    uint32_t event_count;
    uint32_t link_count;
    uint8_t kind;
    uint8_t status;
};

/* Numbers of enums; what does not fit is none that is known. */
static inline uint8_t cut_number(uint64_t value)
{
    return value > UINT8_MAX ? UINT8_MAX : (uint8_t)value;
}

/* The code, or `code` when this part of the status has none: parts merge.  -1: malformed. */
static int read_status(struct bytes body, uint8_t code)
{
    struct wire_cursor in = wire_open(body);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return -1;
        if (field.number == STATUS_CODE) {
            if (field.type != WIRE_VARINT)
                return -1;
            code = cut_number(field.value);
        } else if (field.number == STATUS_MESSAGE && field.type != WIRE_BYTES) {
            return -1;
        }
    }
    return code;
}

/*
 * Reads the plain attributes that lie side by side at `in`, at most `most`; returns how many
 * they were.  A function of its own, since most of a span's bytes are here, and it has few
 * enough variables for registers; the key is looked up before the value for the same reason.
 */
WIRE_NOINLINE uint32_t read_plain_attributes(struct wire_cursor *in,
                                             const struct span_rules *rules,
                                             struct span_hits *hits, uint32_t most)
{
    const struct otlp_keys *keys = rules->keys;
    struct otlp_hit *hit = hits->at + hits->count;
    const uint8_t *at = in->at;
    const uint8_t *end = in->end;
    uint32_t left = most;
    for (; left > 0; left--) {
        size_t len;
        size_t key_len;
        struct bytes value;
        if (!attribute_plain_head(at, (size_t)(end - at), BYTES(OTLP_SPAN_ATTRIBUTES),
                                  rules->attributes.plain_bytes_max, &len, &key_len))
            break;
        uint16_t key = key_table_find(keys, at + ATTRIBUTE_KEY_AT, key_len);
        if (!attribute_plain_value(at, len, key_len, &value))
            break;
        at += len;
        if (key != OTLP_KEY_NONE)
            *hit++ = (struct otlp_hit){.key = key, .value = value};
    }
    in->at = at;
    hits->count = (uint32_t)(hit - hits->at);
    SB_ASSERT(hits->count <= hits->room);
    return most - left;
}

/* An attribute of any shape; `in` stands behind its tag. */
WIRE_NOINLINE enum otlp_fault
read_attribute(struct wire_cursor *in, const struct span_rules *rules, struct span_hits *hits)
{
    struct otlp_attribute attribute;
    enum otlp_fault fault = attribute_read_any(in, &rules->attributes, &attribute);
    if (fault != OTLP_FAULT_NONE)
        return fault;
    uint16_t key = key_table_find(rules->keys, attribute.key.at, attribute.key.len);
    if (key != OTLP_KEY_NONE) {
        SB_ASSERT(hits->count < hits->room);
        hits->at[hits->count++] = (struct otlp_hit){.key = key, .value = attribute.value};
    }
    return OTLP_FAULT_NONE;
}

/* Attributes from the one on whose tag was just read. */
static inline enum otlp_fault take_attributes(struct reading *reading, struct wire_cursor *in)
{
    const struct span_rules *rules = reading->rules;
    struct bytes body;
    if (rules == NULL)
        return wire_bytes(in, &body) ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED;

    uint32_t left = rules->attributes.limits.attributes_max - reading->attribute_count;
    struct wire_cursor from = {.at = in->at - 1, .end = in->end};
    uint32_t plain = read_plain_attributes(&from, rules, reading->hits, left);
    enum otlp_fault fault = OTLP_FAULT_NONE;
    if (plain == 0) {
        from.at = in->at;
        fault = left == 0 ? OTLP_FAULT_TOO_MANY_ATTRIBUTES
                          : read_attribute(&from, rules, reading->hits);
        plain = 1;
    }
    reading->attribute_count += plain;
    in->at = from.at;
    return fault;
}

static enum otlp_fault check_event(struct bytes body, const struct span_rules *rules,
                                   uint32_t count)
{
    if (rules == NULL)
        return OTLP_FAULT_NONE;
    if (count > rules->attributes.limits.events_max)
        return OTLP_FAULT_TOO_MANY_EVENTS;
    uint32_t attributes = 0;
    return attribute_check_message(body, &attribute_shape_event, &rules->attributes,
                                   &attributes);
}

static enum otlp_fault check_link(struct bytes body, const struct span_rules *rules,
                                  uint32_t count)
{
    if (rules == NULL)
        return OTLP_FAULT_NONE;
    if (count > rules->attributes.limits.links_max)
        return OTLP_FAULT_TOO_MANY_LINKS;
    uint32_t attributes = 0;
    return attribute_check_message(body, &attribute_shape_link, &rules->attributes,
                                   &attributes);
}

/* Events, links and the status. */
static inline enum otlp_fault take_message(struct reading *reading, struct bytes body,
                                           uint32_t tag)
{
    if (tag == BYTES(OTLP_SPAN_EVENTS))
        return check_event(body, reading->rules, ++reading->event_count);
    if (tag == BYTES(OTLP_SPAN_LINKS))
        return check_link(body, reading->rules, ++reading->link_count);
    int code = read_status(body, reading->status);
    if (code < 0)
        return OTLP_FAULT_MALFORMED;
    reading->status = (uint8_t)code;
    return OTLP_FAULT_NONE;
}

/*
 * Reads one field.  One switch for all of them, since a known field of the wrong type must
 * not pass for an unknown one: then the default sees it.
 */
WIRE_INLINE enum otlp_fault take_field(struct reading *reading, struct wire_cursor *in)
{
    uint32_t tag;
    uint64_t number;
    struct bytes body;
    bool read;
    if (!wire_tag(in, &tag))
        return OTLP_FAULT_MALFORMED;
    switch (tag) {
    case BYTES(OTLP_SPAN_TRACE_ID):
        read = wire_bytes(in, &reading->trace_id);
        break;
    case BYTES(OTLP_SPAN_SPAN_ID):
        read = wire_bytes(in, &reading->span_id);
        break;
    case BYTES(OTLP_SPAN_TRACE_STATE):
        read = wire_bytes(in, &reading->trace_state);
        break;
    case BYTES(OTLP_SPAN_PARENT_ID):
        read = wire_bytes(in, &reading->parent_id);
        break;
    case BYTES(OTLP_SPAN_NAME):
        read = wire_bytes(in, &reading->name);
        break;
    case VARINT(OTLP_SPAN_KIND):
        read = wire_varint(in, &number);
        if (read)
            reading->kind = cut_number(number);
        break;
    case FIXED64(OTLP_SPAN_START):
        read = wire_fixed64(in, &reading->start_ns);
        break;
    case FIXED64(OTLP_SPAN_END):
        read = wire_fixed64(in, &reading->end_ns);
        break;
    case FIXED32(OTLP_SPAN_FLAGS):
        read = wire_fixed32(in, &reading->flags);
        break;
    case BYTES(OTLP_SPAN_ATTRIBUTES):
        return take_attributes(reading, in);
    case BYTES(OTLP_SPAN_EVENTS):
    case BYTES(OTLP_SPAN_LINKS):
    case BYTES(OTLP_SPAN_STATUS):
        return wire_bytes(in, &body) ? take_message(reading, body, tag) : OTLP_FAULT_MALFORMED;
    case VARINT(SPAN_DROPPED_ATTRIBUTES):
    case VARINT(SPAN_DROPPED_EVENTS):
    case VARINT(SPAN_DROPPED_LINKS):
        read = wire_varint(in, &number);
        break;
    default:
        read = tag >> 3 > SPAN_KNOWN_MAX && wire_skip(in, tag);
        break;
    }
    return read ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED;
}

/* Does a field of that tag and length, both below 128, begin at `at`? */
static inline bool begins(const uint8_t *at, uint32_t tag, uint32_t len)
{
    return at[0] == tag && at[1] == len;
}

/*
 * The fields that nearly every encoder writes first, in the order of their numbers, without a
 * jump for each.  It stops where a span is different, and the switch goes on from there.
 */
WIRE_INLINE void take_usual_start(struct reading *reading, struct wire_cursor *in)
{
    enum {
        HEAD = 2,
        SPAN_ID_AT = HEAD + TRACE_ID_LEN,
        IDS_LEN = SPAN_ID_AT + HEAD + SPAN_ID_LEN
    };
    enum { PARENT_LEN = HEAD + SPAN_ID_LEN };
    const uint8_t *at = in->at;
    if (wire_left(in) < IDS_LEN + PARENT_LEN ||
        !begins(at, BYTES(OTLP_SPAN_TRACE_ID), TRACE_ID_LEN) ||
        !begins(at + SPAN_ID_AT, BYTES(OTLP_SPAN_SPAN_ID), SPAN_ID_LEN))
        return;
    reading->trace_id = bytes_of(at + HEAD, TRACE_ID_LEN);
    reading->span_id = bytes_of(at + SPAN_ID_AT + HEAD, SPAN_ID_LEN);
    at += IDS_LEN;
    if (begins(at, BYTES(OTLP_SPAN_PARENT_ID), SPAN_ID_LEN)) {
        reading->parent_id = bytes_of(at + HEAD, SPAN_ID_LEN);
        at += PARENT_LEN;
    }
    in->at = at;

    /* The name, shorter than 128 bytes; kind, start and end behind it. */
    enum { KIND_LEN = 2, TIME_LEN = 1 + sizeof(uint64_t), REST_LEN = KIND_LEN + 2 * TIME_LEN };
    size_t left = wire_left(in);
    if (left < HEAD + REST_LEN || at[0] != BYTES(OTLP_SPAN_NAME) ||
        at[1] > left - HEAD - REST_LEN || at[1] >= 0x80)
        return;
    const uint8_t *kind = at + HEAD + at[1];
    const uint8_t *start = kind + KIND_LEN;
    const uint8_t *end = start + TIME_LEN;
    if (kind[0] != VARINT(OTLP_SPAN_KIND) || kind[1] >= 0x80 ||
        start[0] != FIXED64(OTLP_SPAN_START) || end[0] != FIXED64(OTLP_SPAN_END))
        return;
    reading->name = bytes_of(at + HEAD, at[1]);
    reading->kind = kind[1];
    memcpy(&reading->start_ns, start + 1, sizeof(uint64_t));
    memcpy(&reading->end_ns, end + 1, sizeof(uint64_t));
    reading->start_ns = le64toh(reading->start_ns);
    reading->end_ns = le64toh(reading->end_ns);
    in->at = end + TIME_LEN;
}

/* The 8 bytes at `at` as a number of no meaning, to compare. */
static inline uint64_t load_64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline const uint8_t *valid_span_id(struct bytes id)
{
    return id.len == SPAN_ID_LEN && load_64(id.at) != 0 ? id.at : NULL;
}

static inline const uint8_t *valid_trace_id(struct bytes id)
{
    return id.len == TRACE_ID_LEN && (load_64(id.at) | load_64(id.at + 8)) != 0 ? id.at : NULL;
}

/* The first thing that is wrong with the ids. */
static inline enum otlp_fault id_fault(const struct otlp_span *span, size_t parent_id_len)
{
    if (span->trace_id == NULL)
        return OTLP_FAULT_TRACE_ID;
    if (span->span_id == NULL)
        return OTLP_FAULT_SPAN_ID;
    if (parent_id_len != 0 && parent_id_len != SPAN_ID_LEN)
        return OTLP_FAULT_PARENT_ID;
    return OTLP_FAULT_NONE;
}

uint32_t span_hits_max(struct bytes raw, const struct span_rules *rules)
{
    /* An attribute has a tag and a length.  Never 0, so that there always is an array. */
    size_t by_length = raw.len / 2 + 1;
    uint32_t by_count = rules->attributes.limits.attributes_max + 1;
    return by_length < by_count ? (uint32_t)by_length : by_count;
}

static void read_span(struct bytes raw, const struct span_rules *rules, struct span_hits *hits,
                      struct otlp_span *ret)
{
    struct reading reading = {.rules = rules, .hits = hits};
    uint32_t first_hit = hits->count;
    struct wire_cursor in = wire_open(raw);
    enum otlp_fault fault = OTLP_FAULT_NONE;
    take_usual_start(&reading, &in);
    while (fault == OTLP_FAULT_NONE && !wire_at_end(&in))
        fault = take_field(&reading, &in);

    ret->raw = raw;
    ret->trace_id = valid_trace_id(reading.trace_id);
    ret->span_id = valid_span_id(reading.span_id);
    ret->parent_id = valid_span_id(reading.parent_id);
    ret->name = reading.name;
    ret->trace_state = reading.trace_state;
    ret->start_ns = reading.start_ns;
    ret->end_ns = reading.end_ns;
    ret->flags = reading.flags;
    ret->envelope = 0;
    ret->first_hit = first_hit;
    /* More links than the limit's top only pass where limits are not asked. */
    ret->link_count =
        (uint16_t)(reading.link_count < OTLP_COUNT_MAX ? reading.link_count : OTLP_COUNT_MAX);
    ret->kind = reading.kind;
    ret->status = reading.status;
    if (fault == OTLP_FAULT_NONE)
        fault = id_fault(ret, reading.parent_id.len);
    ret->fault = (uint8_t)fault;
    if (fault != OTLP_FAULT_NONE)
        hits->count = first_hit;
    ret->hit_count = (uint16_t)(hits->count - first_hit);
}

void span_read(struct bytes raw, const struct span_rules *rules, struct span_hits *hits,
               struct otlp_span *ret)
{
    if (raw.len > rules->attributes.limits.span_bytes_max) {
        *ret = (struct otlp_span){
            .raw = raw, .first_hit = hits->count, .fault = OTLP_FAULT_SPAN_TOO_LARGE};
        return;
    }
    read_span(raw, rules, hits, ret);
}

void otlp_scan_span(struct bytes raw, struct otlp_span *ret)
{
    struct span_hits none = {0};
    read_span(raw, NULL, &none, ret);
}
