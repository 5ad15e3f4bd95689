#include "rpc_message.h"

#include "core/clock.h"
#include "retry_after.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { VARINT_LEN_MAX = 10 };

struct field {
    uint32_t number;
    uint32_t wire;
    uint64_t integer;   /* WIRE_VARINT */
    struct bytes bytes; /* WIRE_BYTES */
};

static bool take_varint(struct bytes *rest, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < rest->len && i < VARINT_LEN_MAX; i++) {
        value |= (uint64_t)(rest->at[i] & 0x7f) << (7 * i);
        if (rest->at[i] < 0x80) {
            *rest = bytes_of(rest->at + i + 1, rest->len - i - 1);
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct bytes *rest, uint64_t len, struct bytes *ret)
{
    if (len > rest->len)
        return false;
    *ret = bytes_of(rest->at, (size_t)len);
    *rest = bytes_of(rest->at + len, rest->len - (size_t)len);
    return true;
}

/* False when the rest holds no whole field; groups are not supported, as in proto3. */
static bool take_field(struct bytes *rest, struct field *ret)
{
    uint64_t key;
    if (!take_varint(rest, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX)
        return false;
    *ret = (struct field){.number = (uint32_t)(key >> 3), .wire = (uint32_t)(key & 7)};
    uint64_t len = 0;
    switch (ret->wire) {
    case WIRE_VARINT:
        return take_varint(rest, &ret->integer);
    case WIRE_FIXED64:
        return take_bytes(rest, 8, &ret->bytes);
    case WIRE_FIXED32:
        return take_bytes(rest, 4, &ret->bytes);
    case WIRE_BYTES:
        return take_varint(rest, &len) && take_bytes(rest, len, &ret->bytes);
    default:
        return false;
    }
}

static bool is_bytes(const struct field *field, uint32_t number)
{
    return field->number == number && field->wire == WIRE_BYTES;
}

static bool is_varint(const struct field *field, uint32_t number)
{
    return field->number == number && field->wire == WIRE_VARINT;
}

/* ExportTracePartialSuccess: int64 rejected_spans = 1, string error_message = 2. */
static bool read_partial_success(struct bytes rest, struct rpc_partial_success *ret)
{
    struct field field;
    while (rest.len > 0) {
        if (!take_field(&rest, &field))
            return false;
        if (is_varint(&field, 1))
            ret->rejected = field.integer > INT64_MAX ? 0 : field.integer;
        if (is_bytes(&field, 2))
            ret->message = field.bytes;
    }
    return true;
}

bool rpc_read_partial_success(struct bytes response, struct rpc_partial_success *ret)
{
    struct rpc_partial_success found = {0};
    struct field field;
    while (response.len > 0) {
        if (!take_field(&response, &field))
            return false;
        if (is_bytes(&field, 1) && !read_partial_success(field.bytes, &found))
            return false;
    }
    *ret = found;
    return true;
}

/* Duration: int64 seconds = 1, int32 nanos = 2; negative ones ask for no wait. */
static uint64_t read_duration_ns(struct bytes rest)
{
    uint64_t seconds = 0;
    uint64_t nanos = 0;
    struct field field;
    while (rest.len > 0 && take_field(&rest, &field)) {
        if (is_varint(&field, 1))
            seconds = field.integer;
        if (is_varint(&field, 2))
            nanos = field.integer;
    }
    if (seconds > INT64_MAX || nanos >= NS_PER_S)
        return 0;
    if (seconds >= RETRY_AFTER_MAX_NS / NS_PER_S)
        return RETRY_AFTER_MAX_NS;
    return seconds * NS_PER_S + nanos;
}

/* RetryInfo: Duration retry_delay = 1. */
static void read_retry_info(struct bytes rest, struct rpc_status *ret)
{
    struct field field;
    ret->has_retry_info = true;
    while (rest.len > 0 && take_field(&rest, &field)) {
        if (is_bytes(&field, 1))
            ret->retry_delay_ns = read_duration_ns(field.bytes);
    }
}

/* Any: string type_url = 1, bytes value = 2. */
static void read_detail(struct bytes rest, struct rpc_status *ret)
{
    static const char suffix[] = "/google.rpc.RetryInfo";
    size_t suffix_len = sizeof(suffix) - 1;
    struct bytes type = {0};
    struct bytes value = {0};
    struct field field;
    while (rest.len > 0 && take_field(&rest, &field)) {
        if (is_bytes(&field, 1))
            type = field.bytes;
        if (is_bytes(&field, 2))
            value = field.bytes;
    }
    /* The part before the last slash is a host that says nothing about the type. */
    if (type.len >= suffix_len &&
        memcmp(type.at + type.len - suffix_len, suffix, suffix_len) == 0)
        read_retry_info(value, ret);
}

/* Status: int32 code = 1, string message = 2, repeated Any details = 3. */
bool rpc_read_status(struct bytes status, struct rpc_status *ret)
{
    struct rpc_status found = {0};
    struct field field;
    while (status.len > 0) {
        if (!take_field(&status, &field))
            return false;
        if (is_bytes(&field, 2))
            found.message = field.bytes;
        if (is_bytes(&field, 3))
            read_detail(field.bytes, &found);
    }
    *ret = found;
    return true;
}
