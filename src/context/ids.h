/*
 * ids: whether the bytes of an id are one; all zero means none.  Private to the stage.
 */
#ifndef SB_CONTEXT_IDS_H
#define SB_CONTEXT_IDS_H

#include "spanbridge/context.h"

static inline bool ids_are_zero(const uint8_t *at, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= at[i];
    return any == 0;
}

/* Both ids are there. */
static inline bool ids_are_set(const struct spanbridge_context *context)
{
    return !ids_are_zero(context->trace_id, SPANBRIDGE_TRACE_ID_LEN) &&
           !ids_are_zero(context->span_id, SPANBRIDGE_SPAN_ID_LEN);
}

#endif
