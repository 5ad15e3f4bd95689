/*
 * facts: what several parts of the service must read alike out of its settings.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "state.h"

uint32_t facts_worker_count(const struct settings *settings)
{
    if (settings->workers > 0)
        return settings->workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 63 ? 63 : (uint32_t)cores;
}

/*
 * A duration of `repair` that holds for the process as a whole: the greatest of the worker
 * file's and of all topics', which may each set their own.
 */
uint64_t facts_greatest(const struct settings *settings, const uint64_t *member)
{
    size_t at = (size_t)((const char *)member - (const char *)&settings->repair);
    uint64_t value = *member;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        uint64_t other;
        memcpy(&other, (const char *)&settings->topics[i].repair + at, sizeof(other));
        value = other > value ? other : value;
    }
    return value;
}

int exit_code_of(enum sb_err err)
{
    switch (err) {
    case SB_OK:
        return EX_OK;
    case SB_ERR_CONFIG:
        return EX_CONFIG;
    case SB_ERR_UNAVAILABLE:
        return EX_UNAVAILABLE;
    default:
        return EX_SOFTWARE;
    }
}
