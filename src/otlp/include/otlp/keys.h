/*
 * keys: the attribute keys that somebody wants to see while spans are scanned.
 *
 * Policies and repair register their keys at start; the scanner then reports only these, so
 * an attribute nobody asked for costs a length and a few byte comparisons.  Built once, then
 * read by all workers.
 */
#ifndef SB_OTLP_KEYS_H
#define SB_OTLP_KEYS_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct otlp_keys;

enum { OTLP_KEYS_MAX = 1024 };
#define OTLP_KEY_NONE UINT16_MAX

enum sb_err otlp_keys_new(struct otlp_keys **ret) SB_MUST_USE;
void otlp_keys_free(struct otlp_keys *keys);

/*
 * The id of `key` (copied), new or the one it already has: ids count up from 0.
 * SB_ERR_LIMIT, SB_ERR_MEMORY.
 */
enum sb_err otlp_keys_add(struct otlp_keys *keys, struct bytes key,
                          uint16_t *ret_id) SB_MUST_USE;

/* The id of `key`, or OTLP_KEY_NONE. */
uint16_t otlp_keys_find(const struct otlp_keys *keys, struct bytes key);

uint16_t otlp_keys_count(const struct otlp_keys *keys);

#endif
