/*
 * The defaults of the limits, and the names of what breaks them.
 */
#include "core/assert.h"
#include "otlp/scan.h"

const char *otlp_fault_text(enum otlp_fault fault)
{
    static const char *const texts[OTLP_FAULT_COUNT] = {
#define OTLP_FAULT_TEXT(name, text) [OTLP_FAULT_##name] = (text),
        OTLP_FAULTS(OTLP_FAULT_TEXT)
#undef OTLP_FAULT_TEXT
    };
    SB_ASSERT(fault >= 0 && fault < OTLP_FAULT_COUNT);
    return texts[fault];
}

struct otlp_limits otlp_limits_default(void)
{
    return (struct otlp_limits){
        .record_bytes_max = 16u << 20,
        .spans_max = 50000,
        .span_bytes_max = 4u << 20,
        .depth_max = 32,
        .attributes_max = 512,
        .events_max = 512,
        .links_max = 512,
        .key_bytes_max = 1u << 10,
        .value_bytes_max = 64u << 10,
    };
}
