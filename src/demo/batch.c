#include "batch.h"

#include "core/memory.h"
#include "otlp/write.h"

enum { BATCH_BYTES_MAX = 1 << 20 };

struct place {
    const struct otlp_envelope *envelope;
    size_t at; /* in bodies */
    size_t len;
};

struct batch {
    struct text bodies; /* encoded spans, one after the other */
    struct place places[BATCH_SPANS];
    uint32_t count;
};

struct batch_set {
    struct encode_envelopes *envelopes;
    struct batch batches[SHOP_SERVICES][SHOP_LANGUAGES];
    struct text request;
    batch_fn on_batch;
    void *arg;
};

enum sb_err batch_set_new(batch_fn on_batch, void *arg, struct batch_set **ret)
{
    struct batch_set *set = memory_zalloc(1, sizeof(*set));
    if (set == NULL)
        return SB_ERR_MEMORY;
    set->on_batch = on_batch;
    set->arg = arg;
    text_init(&set->request, BATCH_BYTES_MAX);
    for (uint32_t service = 0; service < SHOP_SERVICES; service++)
        for (uint32_t language = 0; language < SHOP_LANGUAGES; language++)
            text_init(&set->batches[service][language].bodies, BATCH_BYTES_MAX);
    enum sb_err err = encode_envelopes_new(&set->envelopes);
    if (err != SB_OK) {
        batch_set_free(set);
        return err;
    }
    *ret = set;
    return SB_OK;
}

void batch_set_free(struct batch_set *set)
{
    if (set == NULL)
        return;
    for (uint32_t service = 0; service < SHOP_SERVICES; service++)
        for (uint32_t language = 0; language < SHOP_LANGUAGES; language++)
            text_clear(&set->batches[service][language].bodies);
    text_clear(&set->request);
    encode_envelopes_free(set->envelopes);
    memory_free(set);
}

/* Spans of one envelope side by side, in the order in which they came. */
static uint32_t order_by_envelope(const struct batch *batch, struct otlp_request_span *ret)
{
    bool taken[BATCH_SPANS] = {false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        for (uint32_t j = i; !taken[i] && j < batch->count; j++) {
            const struct place *place = &batch->places[j];
            if (place->envelope != batch->places[i].envelope || (j > i && taken[j]))
                continue;
            taken[j] = j > i;
            ret[count++] = (struct otlp_request_span){
                place->envelope, bytes_of(batch->bodies.at + place->at, place->len)};
        }
    }
    return count;
}

static enum sb_err send(struct batch_set *set, enum shop_service service,
                        enum shop_language language)
{
    struct batch *batch = &set->batches[service][language];
    struct otlp_request_span spans[BATCH_SPANS];
    if (batch->count == 0)
        return SB_OK;
    uint32_t count = order_by_envelope(batch, spans);
    text_reset(&set->request);
    otlp_write_request(&set->request, spans, count);
    enum sb_err err = set->request.error;
    if (err == SB_OK)
        err = set->on_batch(set->arg, service, text_bytes(&set->request), count);
    text_reset(&batch->bodies);
    batch->count = 0;
    return err;
}

enum sb_err batch_set_add(struct batch_set *set, const struct encode_world *world,
                          const struct shop_checkout *checkout)
{
    for (uint32_t number = 0; number < checkout->span_count; number++) {
        enum shop_service service = checkout->spans[number].service;
        enum shop_language language = checkout->language[service];
        struct batch *batch = &set->batches[service][language];
        struct place *place = &batch->places[batch->count++];
        place->envelope = encode_envelope_of(set->envelopes, checkout, number);
        place->at = batch->bodies.len;
        encode_span(world, checkout, number, &batch->bodies);
        place->len = batch->bodies.len - place->at;
        if (batch->bodies.error != SB_OK)
            return batch->bodies.error;
        enum sb_err err = batch->count == BATCH_SPANS ? send(set, service, language) : SB_OK;
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

enum sb_err batch_set_flush(struct batch_set *set)
{
    for (uint32_t service = 0; service < SHOP_SERVICES; service++)
        for (uint32_t language = 0; language < SHOP_LANGUAGES; language++) {
            enum sb_err err =
                send(set, (enum shop_service)service, (enum shop_language)language);
            if (err != SB_OK)
                return err;
        }
    return SB_OK;
}
