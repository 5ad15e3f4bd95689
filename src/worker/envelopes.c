/*
 * envelopes: interning by a seeded hash of both parts.
 *
 * An envelope that nothing refers to stays for a while, since the next record of the same
 * service brings it again; only when many are idle are they swept.
 */
#include "envelopes.h"

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"

enum { ENVELOPE_CHUNK_BITS = 6, IDLE_MAX = 1024 };

enum sb_err envelopes_init(struct envelopes *envelopes, const struct otlp_keys *keys,
                           struct decide_worker *decide, uint64_t seed)
{
    *envelopes = (struct envelopes){.seed = seed, .keys = keys, .decide = decide};
    pool_init(&envelopes->pool, sizeof(struct envelope), ENVELOPE_CHUNK_BITS);
    return table_init(&envelopes->by_hash, 64);
}

static void free_content(struct envelopes *envelopes, struct envelope *envelope)
{
    envelopes->bytes -= envelope->view.resource_fields.len + envelope->view.scope_fields.len;
    memory_free((void *)(uintptr_t)envelope->view.resource_fields.at);
    envelope->used = false;
}

void envelopes_clear(struct envelopes *envelopes)
{
    if (envelopes->keys == NULL)
        return; /* its turn to be made never came */
    for (uint32_t i = 0; i < envelopes->pool.next; i++) {
        struct envelope *envelope = envelopes_at(envelopes, i);
        if (envelope->used)
            free_content(envelopes, envelope);
    }
    table_clear(&envelopes->by_hash);
    pool_clear(&envelopes->pool);
}

/* One block holds both parts, resource first. */
static enum sb_err copy_content(struct envelope *envelope, const struct otlp_envelope *content)
{
    size_t resource_len = content->resource_fields.len;
    size_t scope_len = content->scope_fields.len;
    uint8_t *copy = memory_alloc(resource_len + scope_len + 1);
    if (copy == NULL)
        return SB_ERR_MEMORY;
    if (resource_len > 0)
        memcpy(copy, content->resource_fields.at, resource_len);
    if (scope_len > 0)
        memcpy(copy + resource_len, content->scope_fields.at, scope_len);
    envelope->view = (struct otlp_envelope){
        .resource_fields = bytes_of(copy, resource_len),
        .scope_fields = bytes_of(copy + resource_len, scope_len),
    };
    return SB_OK;
}

struct resource_match {
    const struct envelopes *envelopes;
    uint64_t matches;
    uint32_t tenant;
};

static void on_resource_hit(void *arg, const struct otlp_hit *hit)
{
    struct resource_match *match = arg;
    match->matches |= decide_match(match->envelopes->decide, hit, 1, true);
    if (hit->key == match->envelopes->tenant_key)
        match->tenant = (uint32_t)hash_bytes(hit->value, match->envelopes->seed) | 1;
}

static enum sb_err add_envelope(struct envelopes *envelopes,
                                const struct otlp_envelope *content, uint64_t hash,
                                uint32_t *ret)
{
    uint32_t number = pool_take(&envelopes->pool);
    if (number == POOL_NONE)
        return SB_ERR_MEMORY;
    struct envelope *envelope = envelopes_at(envelopes, number);
    enum sb_err err = copy_content(envelope, content);
    if (err == SB_OK) {
        err = table_insert(&envelopes->by_hash, hash, number);
        if (err != SB_OK)
            memory_free((void *)(uintptr_t)envelope->view.resource_fields.at);
    }
    if (err != SB_OK) {
        envelope->used = false;
        pool_give(&envelopes->pool, number);
        return err;
    }
    struct resource_match match = {.envelopes = envelopes};
    otlp_scan_resource(envelope->view.resource_fields, envelopes->keys, on_resource_hit,
                       &match);
    envelope->hash = hash;
    envelope->matches = match.matches;
    envelope->tenant = match.tenant;
    envelope->references = 0;
    envelope->service = (uint32_t)hash_bytes(envelope->view.resource_fields, envelopes->seed);
    envelope->used = true;
    envelopes->idle++;
    envelopes->bytes += content->resource_fields.len + content->scope_fields.len;
    *ret = number;
    return SB_OK;
}

enum sb_err envelopes_intern(struct envelopes *envelopes, const struct otlp_envelope *content,
                             uint32_t *ret)
{
    uint64_t hash = hash_bytes(content->scope_fields,
                               hash_bytes(content->resource_fields, envelopes->seed));
    struct table_cursor at = table_find(&envelopes->by_hash, hash);
    uint32_t candidate;
    while (table_next(&envelopes->by_hash, &at, &candidate)) {
        const struct envelope *envelope = envelopes_at(envelopes, candidate);
        if (bytes_equal(envelope->view.resource_fields, content->resource_fields) &&
            bytes_equal(envelope->view.scope_fields, content->scope_fields)) {
            *ret = candidate;
            return SB_OK;
        }
    }
    return add_envelope(envelopes, content, hash, ret);
}

static void release(struct envelopes *envelopes, struct envelope *envelope)
{
    SB_ASSERT(envelope->references > 0);
    if (--envelope->references == 0)
        envelopes->idle++;
}

void envelopes_release(struct envelopes *envelopes, uint32_t number)
{
    release(envelopes, envelopes_at(envelopes, number));
}

void envelopes_release_view(struct envelopes *envelopes, const struct otlp_envelope *view)
{
    /* The view is the first member, and batches get it from envelopes_at alone. */
    release(envelopes, (struct envelope *)(uintptr_t)view);
}

void envelopes_sweep(struct envelopes *envelopes)
{
    if (envelopes->idle < IDLE_MAX)
        return;
    for (uint32_t i = 0; i < envelopes->pool.next; i++) {
        struct envelope *envelope = envelopes_at(envelopes, i);
        if (!envelope->used || envelope->references > 0)
            continue;
        bool removed = table_remove(&envelopes->by_hash, envelope->hash, i);
        SB_ASSERT(removed);
        free_content(envelopes, envelope);
        pool_give(&envelopes->pool, i);
        envelopes->idle--;
    }
}
