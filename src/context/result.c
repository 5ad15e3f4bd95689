#include "spanbridge/context.h"

const char *spanbridge_result_text(enum spanbridge_result result)
{
    switch (result) {
    case SPANBRIDGE_OK:
        return "ok";
    case SPANBRIDGE_ABSENT:
        return "no context";
    case SPANBRIDGE_BAD_LENGTH:
        return "wrong length";
    case SPANBRIDGE_BAD_VERSION:
        return "forbidden or malformed version";
    case SPANBRIDGE_BAD_GRAMMAR:
        return "malformed";
    case SPANBRIDGE_ZERO_ID:
        return "trace id or span id is zero";
    case SPANBRIDGE_TOO_MANY_MEMBERS:
        return "too many members";
    case SPANBRIDGE_NO_ROOM:
        return "no room";
    case SPANBRIDGE_UPPER_CASE:
        return "upper-case digits";
    case SPANBRIDGE_NO_VALUE:
        return "header without a value";
    case SPANBRIDGE_NOT_TEXT:
        return "header value is not text";
    case SPANBRIDGE_TOO_LONG:
        return "too long";
    case SPANBRIDGE_REFUSED:
        return "carrier refused the header";
    case SPANBRIDGE_NO_MEMORY:
        return "out of memory";
    case SPANBRIDGE_NO_RANDOM:
        return "no random numbers";
    }
    return "unknown result";
}
