#include "hops.h"

#include "support/test.h"

static const char *topic_of(const struct hop *hop)
{
    return hop->topic == NULL ? "orders" : hop->topic;
}

struct span_context hop_sender(const struct hop *hop)
{
    return (struct span_context){.trace = hop->producer, .span = hop->producer_id + 1};
}

void hop_push_producer(struct rig *rig, uint32_t worker, const struct hop *hop)
{
    const struct span_spec specs[] = {
        {.trace = hop->producer,
         .id = hop->producer_id,
         .name = "checkout",
         .service = "shop",
         .kind = OTLP_KIND_SERVER,
         .end_ms = 50,
         .error = hop->producer_fails},
        {.trace = hop->producer,
         .id = hop->producer_id + 1,
         .parent = hop->producer_id,
         .name = "publish",
         .service = "shop",
         .kind = OTLP_KIND_PRODUCER,
         .start_ms = 10,
         .end_ms = HOP_SEND_END_MS,
         .operation = "send",
         .topic = topic_of(hop),
         .placed = hop->evidence == HOP_BY_COORDINATE,
         .offset = hop->offset},
    };
    rig_push(rig, worker, specs, 2);
}

struct span_spec hop_consumer(const struct hop *hop)
{
    return (struct span_spec){.trace = hop->consumer,
                              .id = hop->consumer_id,
                              .name = "handle",
                              .service = "billing",
                              .kind = OTLP_KIND_CONSUMER,
                              .start_ms = HOP_PROCESS_MS,
                              .end_ms = HOP_PROCESS_MS + 20,
                              .error = hop->consumer_fails,
                              .operation = "process",
                              .topic = topic_of(hop),
                              .placed = hop->evidence != HOP_BY_LINK,
                              .offset = hop->offset,
                              .links = {hop_sender(hop)},
                              .link_count = hop->evidence == HOP_BY_LINK};
}

void hop_push_consumer(struct rig *rig, uint32_t worker, const struct hop *hop)
{
    const struct span_spec specs[] = {
        hop_consumer(hop),
        {.trace = hop->consumer,
         .id = hop->consumer_id + 1,
         .parent = hop->consumer_id,
         .name = "charge",
         .service = "billing",
         .kind = OTLP_KIND_CLIENT,
         .start_ms = HOP_PROCESS_MS + 1},
    };
    rig_push(rig, worker, specs, 2);
}

void hop_push_message(struct rig *rig, const struct hop *hop)
{
    char traceparent[64];
    spans_traceparent(hop_sender(hop), traceparent);
    uint32_t topic = hop->topic == NULL ? TOPIC_ORDERS : TOPIC_PAYMENTS;
    rig_push_message(rig, topic, hop->offset, HOP_RECORD_MS, traceparent);
}

void hop_push_at(struct rig *rig, uint32_t producer_reader, uint32_t consumer_reader,
                 const struct hop *hop)
{
    hop_push_producer(rig, producer_reader, hop);
    hop_push_consumer(rig, consumer_reader, hop);
    if (hop->evidence == HOP_BY_HEADER)
        hop_push_message(rig, hop);
}

void hop_push(struct rig *rig, const struct hop *hop)
{
    hop_push_at(rig, 0, 0, hop);
}

struct hop hop_between(const struct rig *rig, enum hop_evidence evidence,
                       uint32_t producer_home, uint32_t consumer_home)
{
    return (struct hop){.evidence = evidence,
                        .offset = 7,
                        .producer = rig_trace(rig, producer_home, 1),
                        .producer_id = 100,
                        .consumer = rig_trace(rig, consumer_home, 2),
                        .consumer_id = 200};
}

struct hop hop_default(const struct rig *rig, enum hop_evidence evidence)
{
    return hop_between(rig, evidence, 0, 0);
}

struct hop hop_numbered(const struct rig *rig, uint32_t number)
{
    uint32_t workers = rig->options.worker_count;
    return (struct hop){.evidence = (enum hop_evidence)(number % 3),
                        .offset = number,
                        .producer = rig_trace(rig, number % workers, 2 * number),
                        .producer_id = 10000 + 10 * number,
                        .consumer = rig_trace(rig, number / 3 % workers, 2 * number + 1),
                        .consumer_id = 10005 + 10 * number};
}

struct hop hop_onward(const struct rig *rig, const struct hop *first)
{
    return (struct hop){.evidence = first->evidence,
                        .topic = "payments",
                        .offset = 3,
                        .producer = first->consumer,
                        .producer_id = first->consumer_id + 2,
                        .consumer = rig_trace(rig, 0, 3),
                        .consumer_id = 300};
}

void hop_push_send_onward(struct rig *rig, const struct hop *onward)
{
    const struct span_context sender = hop_sender(onward);
    const struct span_spec send = {.trace = sender.trace,
                                   .id = sender.span,
                                   .parent = sender.span - 2,
                                   .service = "billing",
                                   .kind = OTLP_KIND_PRODUCER,
                                   .start_ms = HOP_PROCESS_MS + 2,
                                   .operation = "send",
                                   .topic = topic_of(onward),
                                   .placed = onward->evidence == HOP_BY_COORDINATE,
                                   .offset = onward->offset};
    rig_push(rig, 0, &send, 1);
}

void hop_expect_merged(struct rig *rig, const struct hop *hop)
{
    for (uint64_t id = hop->consumer_id; id < hop->consumer_id + 2; id++) {
        const struct out_span *out = rig_out(rig, id);
        assert_true(out_has_trace(out, hop->producer));
        char old[TRACE_ID_HEX_LEN + 1];
        trace_id_format(hop->consumer, old);
        assert_string_equal(out_text(out, "spanbridge.repair.original_trace_id"), old);
    }
    const struct out_span *root = rig_out(rig, hop->consumer_id);
    assert_int_not_equal(out_parent(root), 0);
    assert_string_equal(out_text(root, "spanbridge.repair.action"), "parent");
    assert_int_equal(out_parent(rig_out(rig, hop->consumer_id + 1)), hop->consumer_id);
}

void hop_expect_apart(struct rig *rig, const struct hop *hop)
{
    for (uint64_t id = hop->consumer_id; id < hop->consumer_id + 2; id++) {
        const struct out_span *out = rig_out(rig, id);
        assert_true(out_has_trace(out, hop->consumer));
        assert_false(out_has(out, "spanbridge.repair.original_trace_id"));
        assert_false(out_has(out, "spanbridge.repair.action"));
    }
    assert_int_equal(out_parent(rig_out(rig, hop->consumer_id)), 0);
}

const Spanbridge__Oracle__Span__Link *hop_added_link(struct rig *rig, const struct hop *hop)
{
    const struct out_span *out = rig_out(rig, hop->consumer_id);
    const Spanbridge__Oracle__Span__Link *found = NULL;
    for (size_t i = 0; i < out->span->n_links; i++) {
        const Spanbridge__Oracle__Span__Link *link = out->span->links[i];
        if (out_link_text(link, "spanbridge.repair.action") == NULL)
            continue;
        assert_null(found);
        found = link;
    }
    return found;
}
