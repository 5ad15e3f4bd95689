/*
 * envelopes: resources and scopes kept once per distinct content.
 *
 * Interned by content; every held span and every span in a batch holds one reference.  What
 * policies match on a resource is worked out once, when it is first seen.  One worker.
 */
#ifndef SB_WORKER_ENVELOPES_H
#define SB_WORKER_ENVELOPES_H

#include "core/pool.h"
#include "core/table.h"
#include "decide/decide.h"
#include "otlp/scan.h"

struct envelope {
    struct otlp_envelope view; /* first: batches point at it; its bytes are owned */
    uint64_t hash;
    uint64_t matches; /* policies' bits of the resource */
    uint32_t references;
    uint32_t tenant;  /* equal for equal tenants; 0: none said */
    uint32_t service; /* equal for equal resources */
    bool used;        /* this pool item is one */
};

struct envelopes {
    struct pool pool;
    struct table by_hash;
    uint64_t seed;
    uint32_t idle; /* with no reference */
    size_t bytes;
    const struct otlp_keys *keys;
    uint16_t tenant_key;
    struct decide_worker *decide;
};

enum sb_err envelopes_init(struct envelopes *envelopes, const struct otlp_keys *keys,
                           struct decide_worker *decide, uint64_t seed) SB_MUST_USE;
void envelopes_clear(struct envelopes *envelopes);

/* The number of the envelope with that content, without a reference.  SB_ERR_MEMORY. */
enum sb_err envelopes_intern(struct envelopes *envelopes, const struct otlp_envelope *content,
                             uint32_t *ret) SB_MUST_USE;

static inline struct envelope *envelopes_at(const struct envelopes *envelopes, uint32_t number)
{
    return pool_at(&envelopes->pool, number);
}

static inline void envelopes_hold(struct envelopes *envelopes, uint32_t number)
{
    struct envelope *envelope = envelopes_at(envelopes, number);
    if (envelope->references++ == 0)
        envelopes->idle--;
}

void envelopes_release(struct envelopes *envelopes, uint32_t number);

/* By the pointer that a batch carries. */
void envelopes_release_view(struct envelopes *envelopes, const struct otlp_envelope *view);

/* Forgets idle ones when many have gathered.  Not while numbers without a reference are in use. */
void envelopes_sweep(struct envelopes *envelopes);

#endif
