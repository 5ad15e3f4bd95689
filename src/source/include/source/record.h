/*
 * record: one message as a broker delivered it.
 *
 * Views hold until source_record_release.  A record is a small value; the source that it came
 * from keeps the memory behind it.
 */
#ifndef SB_SOURCE_RECORD_H
#define SB_SOURCE_RECORD_H

#include <stdint.h>

#include "core/bytes.h"

enum record_time_type { RECORD_TIME_NONE, RECORD_TIME_CREATE, RECORD_TIME_LOG_APPEND };

/* Why a record must not be decoded: it is dead-lettered as it is. */
enum record_flaw {
    RECORD_WHOLE,
    RECORD_TOO_LARGE, /* its body was beyond what is kept: `value` is empty */
    RECORD_POISON     /* it came back too often, perhaps from processes that died of it */
};

struct record_header {
    struct bytes name;
    struct bytes value; /* at is NULL: a header without a value, or with one that is no text */
};

struct source;

struct record {
    struct source *source; /* that it came from */
    uint32_t topic;        /* index into the options' topics */
    uint32_t lane;         /* the partition's or channel's number at its worker: see source.h */
    int32_t partition;     /* of RabbitMQ: the consumer's number */
    int64_t offset;        /* rises in its lane */
    int64_t time_ms;       /* since 1970 */
    enum record_time_type time_type;
    enum record_flaw flaw;
    struct bytes key;
    struct bytes value;
    void *handle; /* the source's own */
};

#endif
