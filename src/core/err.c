#include "core/err.h"

const char *sb_err_text(enum sb_err err)
{
    switch (err) {
    case SB_OK:
        return "ok";
    case SB_ERR_MEMORY:
        return "out of memory";
    case SB_ERR_LIMIT:
        return "limit passed";
    case SB_ERR_INPUT:
        return "malformed input";
    case SB_ERR_FULL:
        return "full";
    case SB_ERR_NOT_FOUND:
        return "not found";
    case SB_ERR_IO:
        return "system error";
    case SB_ERR_UNAVAILABLE:
        return "unavailable";
    case SB_ERR_CONFIG:
        return "not allowed by the configuration";
    case SB_ERR_INTERNAL:
        return "internal error";
    }
    return "unknown error";
}
