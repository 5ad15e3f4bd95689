/*
 * fixture: spans and checkouts that the demo's tests share.
 */
#ifndef SB_UNIT_DEMO_FIXTURE_H
#define SB_UNIT_DEMO_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "core/clock.h"
#include "seen.h"
#include "shop.h"
#include "support/test.h"

#define FIXTURE_NOW_NS (UINT64_C(1767323045) * NS_PER_S)

/* A span of trace `trace` with ids 1, 2, ...; parent 0: a root. */
static inline struct seen_span fixture_span(uint8_t trace, uint8_t id, uint8_t parent,
                                            uint64_t start_ms, uint64_t length_ms)
{
    struct seen_span span;
    memset(&span, 0, sizeof(span));
    span.trace_id.byte[0] = trace;
    span.span_id.byte[7] = id;
    span.parent_id.byte[7] = parent;
    span.start_ns = FIXTURE_NOW_NS + start_ms * NS_PER_MS;
    span.end_ns = span.start_ns + length_ms * NS_PER_MS;
    span.kind = 1;
    snprintf(span.service, sizeof(span.service), "shop");
    snprintf(span.name, sizeof(span.name), "span %d", id);
    return span;
}

static inline struct shop fixture_shop(uint64_t seed)
{
    return (struct shop){.seed = seed};
}

/* The showpiece of seed 1, its messages delivered to partition 1 and 2, offset 40 and 41. */
static inline struct shop_checkout fixture_showpiece_of(struct shop shop)
{
    struct shop_checkout checkout;
    shop_make(shop, SHOP_SHOWPIECE, FIXTURE_NOW_NS, &checkout);
    for (uint32_t i = 0; i < SHOP_KAFKA_HOPS; i++) {
        checkout.hops[i].partition = (int32_t)i + 1;
        checkout.hops[i].offset = 40 + (int64_t)i;
    }
    return checkout;
}

static inline struct shop_checkout fixture_showpiece(void)
{
    return fixture_showpiece_of(fixture_shop(1));
}

/* The same customer in a shop with RabbitMQ. */
static inline struct shop_checkout fixture_notified(void)
{
    return fixture_showpiece_of((struct shop){.seed = 1, .rabbitmq = true});
}

static const struct encode_world fixture_world = {
    {"orders", "shipments"}, "cluster-1", "notify"};

static inline void fixture_keep(void *arg, const struct seen_span *span)
{
    assert_true(seen_list_add(arg, span));
}

static inline enum sb_err fixture_read(void *arg, enum shop_service service,
                                       struct bytes request, uint32_t spans)
{
    (void)service, (void)spans;
    struct seen_reader *reader;
    assert_int_equal(seen_reader_new(&reader), SB_OK);
    assert_int_equal(seen_read(reader, request, fixture_keep, arg), SB_OK);
    seen_reader_free(reader);
    return SB_OK;
}

/* The checkout's spans as they would be seen: encoded, batched and read back. */
static inline void fixture_see(const struct shop_checkout *checkout, struct seen_list *ret)
{
    struct batch_set *set;
    ret->count = 0;
    assert_int_equal(batch_set_new(fixture_read, ret, &set), SB_OK);
    assert_int_equal(batch_set_add(set, &fixture_world, checkout), SB_OK);
    assert_int_equal(batch_set_flush(set), SB_OK);
    batch_set_free(set);
}

/* What spanbridge makes of it: one trace id, queue spans, rules. */
static inline void fixture_mend(const struct shop_checkout *checkout, struct seen_list *list)
{
    for (uint32_t i = 0; i < checkout->hop_count; i++) {
        const struct shop_hop *hop = &checkout->hops[i];
        if (hop->evidence == SHOP_NOTHING)
            continue;
        struct seen_span queue = fixture_span(0, (uint8_t)(100 + i), 0, 0, 0);
        struct seen_span *process = (struct seen_span *)(uintptr_t)seen_list_find(
            list, checkout->spans[hop->process].span_id);
        assert_non_null(process);
        queue.synthetic = true;
        queue.start_ns = hop->sent_ns;
        queue.end_ns = process->start_ns;
        queue.parent_id = checkout->spans[hop->send].span_id;
        snprintf(queue.service, sizeof(queue.service), "%s",
                 i < SHOP_KAFKA_HOPS ? "kafka" : "rabbitmq");
        snprintf(queue.name, sizeof(queue.name), "%s queue", shop_topic_names[i]);
        process->parent_id = queue.span_id;
        snprintf(process->rule, sizeof(process->rule), "%s", shop_rule_name(hop->evidence));
        snprintf(process->action, sizeof(process->action), "parent");
        assert_true(seen_list_add(list, &queue));
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct seen_span *span = &list->spans[i];
        bool apart = strcmp(span->service, "loyalty") == 0;
        if (!apart)
            span->trace_id = checkout->trace_id[0];
        if (span_id_is_zero(span->parent_id))
            snprintf(span->policy, sizeof(span->policy), "%s", apart ? "vip" : "errors");
    }
}

#endif
