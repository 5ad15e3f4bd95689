/*
 * record: one message as a broker delivered it.
 *
 * Views hold until source_record_release.  A record is a small value; the broker library
 * keeps the memory behind it.
 */
#ifndef SB_SOURCE_RECORD_H
#define SB_SOURCE_RECORD_H

#include <stdint.h>

#include "core/bytes.h"

enum record_time_type { RECORD_TIME_NONE, RECORD_TIME_CREATE, RECORD_TIME_LOG_APPEND };

struct record_header {
    struct bytes name;
    struct bytes value; /* at is NULL: a header without a value */
};

struct record {
    uint32_t topic; /* index into the source's topics */
    uint32_t lane;  /* the partition's number at its worker: see source_kafka.h */
    int32_t partition;
    int64_t offset;
    int64_t time_ms; /* since 1970 */
    enum record_time_type time_type;
    struct bytes key;
    struct bytes value;
    void *handle; /* the source's own */
};

#endif
