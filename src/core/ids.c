#include "core/ids.h"

#include "core/hex.h"

void trace_id_format(struct trace_id id, char ret[TRACE_ID_HEX_LEN + 1])
{
    hex_encode(bytes_of(id.byte, TRACE_ID_LEN), ret);
    ret[TRACE_ID_HEX_LEN] = '\0';
}

void span_id_format(struct span_id id, char ret[SPAN_ID_HEX_LEN + 1])
{
    hex_encode(bytes_of(id.byte, SPAN_ID_LEN), ret);
    ret[SPAN_ID_HEX_LEN] = '\0';
}
