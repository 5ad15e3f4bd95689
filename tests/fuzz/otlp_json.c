/*
 * The JSON form on any text: what is decoded is a request that the scan can read, and once
 * it has been through JSON it comes back byte by byte.
 */
#include "core/assert.h"
#include "otlp/json.h"
#include "otlp/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static struct otlp_keys *keys;
static struct otlp_scan *scan;
static struct otlp_limits limits;
static struct text decoded;
static struct text json;
static struct text again;

static void set_up_once(void)
{
    if (keys != NULL)
        return;
    limits = otlp_limits_default();
    SB_ASSERT(otlp_keys_new(&keys) == SB_OK);
    SB_ASSERT(otlp_scan_new(&limits, keys, &scan) == SB_OK);
    text_init(&decoded, 64 << 20);
    text_init(&json, 64 << 20);
    text_init(&again, 64 << 20);
}

/* From JSON to `ret`. */
static enum otlp_fault decode(struct bytes text, struct text *ret)
{
    enum otlp_fault fault = OTLP_FAULT_COUNT;
    text_reset(ret);
    SB_ASSERT(otlp_json_decode(text, &limits, ret, &fault) == SB_OK);
    SB_ASSERT(fault == OTLP_FAULT_NONE || ret->len == 0);
    SB_ASSERT(fault == OTLP_FAULT_NONE || fault == OTLP_FAULT_JSON ||
              fault == OTLP_FAULT_TOO_DEEP || fault == OTLP_FAULT_RECORD_TOO_LARGE);
    return fault;
}

/* From `in` over JSON to `ret`.  False: nested too deep. */
static bool over_json(const struct text *in, struct text *ret)
{
    text_reset(&json);
    enum sb_err err = otlp_json_encode(text_bytes(in), &json);
    SB_ASSERT(err == SB_OK || err == SB_ERR_LIMIT);
    if (err != SB_OK)
        return false;
    SB_ASSERT(decode(text_bytes(&json), ret) == OTLP_FAULT_NONE);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    set_up_once();
    if (decode(bytes_of(at, len), &decoded) != OTLP_FAULT_NONE)
        return 0;
    SB_ASSERT(decoded.len <= len + len / 1024 + 64);
    enum otlp_fault fault;
    SB_ASSERT(otlp_scan_request(scan, text_bytes(&decoded), &fault) == SB_OK);
    SB_ASSERT(fault == OTLP_FAULT_NONE || fault == OTLP_FAULT_TOO_MANY_SPANS);
    uint32_t count;
    const struct otlp_span *spans = otlp_scan_spans(scan, &count);
    for (uint32_t i = 0; i < count; i++)
        SB_ASSERT(spans[i].fault != OTLP_FAULT_MALFORMED);

    /* The first way leaves out what does not count, such as all but one of a oneof. */
    if (!over_json(&decoded, &again))
        return 0;
    SB_ASSERT(again.len <= decoded.len);
    SB_ASSERT(over_json(&again, &decoded));
    SB_ASSERT(bytes_equal(text_bytes(&again), text_bytes(&decoded)));
    return 0;
}
