#include "hops.h"

#include <stdio.h>

#include "repair/resolve.h"
#include "support/test.h"

static const struct {
    enum hop_evidence evidence;
    const char *rule;
    enum repair_rule number;
    uint64_t queued_ms; /* the record's time where it is known, else the producer's end */
} rules[] = {
    {HOP_BY_LINK, "link", REPAIR_RULE_LINK, HOP_SEND_END_MS},
    {HOP_BY_COORDINATE, "coordinate", REPAIR_RULE_COORDINATE, HOP_SEND_END_MS},
    {HOP_BY_HEADER, "header_at_coordinate", REPAIR_RULE_HEADER_AT_COORDINATE, HOP_RECORD_MS},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

static void start(struct rig *rig, enum repair_mode mode, bool queue_span)
{
    rig_init(rig);
    for (int i = 0; i < RIG_TOPICS; i++) {
        rig->topics[i].repair.mode = mode;
        rig->topics[i].repair.queue_span = queue_span;
    }
    rig_start(rig);
}

static void finish(struct rig *rig)
{
    rig_drain(rig);
    rig_clear(rig);
}

static void evidence_text(const struct hop *hop, char ret[128])
{
    if (hop->evidence == HOP_BY_LINK) {
        char text[64];
        spans_traceparent(hop_sender(hop), text);
        snprintf(ret, 128, "%.49s", text + 3);
    } else {
        snprintf(ret, 128, "orders/0/7");
    }
}

static void check_reason(const struct out_span *out, const char *rule, const char *action,
                         const struct hop *hop)
{
    char evidence[128];
    evidence_text(hop, evidence);
    assert_string_equal(out_text(out, "spanbridge.repair.rule"), rule);
    assert_string_equal(out_text(out, "spanbridge.repair.class"), "A");
    assert_string_equal(out_text(out, "spanbridge.repair.action"), action);
    assert_string_equal(out_text(out, "spanbridge.repair.evidence"), evidence);
}

static void check_link(const Spanbridge__Oracle__Span__Link *link, const char *rule,
                       const struct hop *hop)
{
    char evidence[128];
    evidence_text(hop, evidence);
    assert_non_null(link);
    struct span_context sender = hop_sender(hop);
    struct span_id span = spans_id(sender.span);
    assert_memory_equal(link->trace_id.data, sender.trace.byte, TRACE_ID_LEN);
    assert_memory_equal(link->span_id.data, span.byte, SPAN_ID_LEN);
    assert_string_equal(out_link_text(link, "spanbridge.repair.rule"), rule);
    assert_string_equal(out_link_text(link, "spanbridge.repair.class"), "A");
    assert_string_equal(out_link_text(link, "spanbridge.repair.action"), "link");
    assert_string_equal(out_link_text(link, "spanbridge.repair.evidence"), evidence);
}

static void check_queue_span(struct rig *rig, const struct hop *hop, uint64_t queued_ms)
{
    const struct out_span *queue;
    assert_int_equal(rig_synthetic(rig, &queue), 1);
    const Spanbridge__Oracle__Span *span = queue->span;
    assert_true(out_has_trace(queue, hop->producer));
    assert_int_equal(out_parent(queue), hop->producer_id + 1);
    struct span_id id = out_id(queue);
    struct span_id parent = spans_id(out_parent(rig_out(rig, hop->consumer_id)));
    assert_memory_equal(id.byte, parent.byte, SPAN_ID_LEN);
    assert_string_equal(span->name, "orders queue");
    assert_int_equal(span->kind, OTLP_KIND_INTERNAL);
    assert_int_equal(span->start_time_unix_nano, FAKE_CLOCK_WALL_NS + queued_ms * NS_PER_MS);
    assert_int_equal(span->end_time_unix_nano, FAKE_CLOCK_WALL_NS + HOP_PROCESS_MS * NS_PER_MS);
    assert_string_equal(queue->service, "kafka");
    assert_true(out_flag(queue, "spanbridge.synthetic"));
    assert_string_equal(out_text(queue, "messaging.system"), "kafka");
    assert_string_equal(out_text(queue, "messaging.destination.name"), "orders");
    if (hop->evidence == HOP_BY_LINK)
        return; /* the consumer's span tells no coordinate */
    assert_int_equal(out_number(queue, "messaging.destination.partition.id"), 0);
    assert_int_equal(out_number(queue, "messaging.kafka.offset"), 7);
}

static void check_verdict(const struct out_span *root, const char *policy, const char *reason)
{
    assert_string_equal(out_text(root, "spanbridge.policy"), policy);
    assert_string_equal(out_text(root, "spanbridge.complete_reason"), reason);
}

/* Of all spans of the hop only the root of the trace that was made says the verdict. */
static void check_merged_verdict(struct rig *rig, const struct hop *hop)
{
    check_verdict(rig_out(rig, hop->producer_id), "all", "wait");
    assert_false(out_has(rig_out(rig, hop->producer_id + 1), "spanbridge.policy"));
    assert_false(out_has(rig_out(rig, hop->consumer_id), "spanbridge.policy"));
    assert_false(out_has(rig_out(rig, hop->consumer_id + 1), "spanbridge.policy"));
}

static void test_auto_moves_the_consumer_under_the_producer(void **state)
{
    (void)state;
    for (int i = 0; i < RULES * 2; i++) {
        bool queue_span = i % 2 == 1;
        struct rig rig;
        start(&rig, i < RULES ? REPAIR_AUTO : REPAIR_PARENT, queue_span);
        struct hop hop = hop_default(&rig, rules[i / 2].evidence);
        hop_push(&rig, &hop);
        rig_wait(&rig);

        hop_expect_merged(&rig, &hop);
        const struct out_span *consumer = rig_out(&rig, 200);
        check_reason(consumer, rules[i / 2].rule, "parent", &hop);
        assert_int_equal(consumer->span->flags, OTLP_FLAGS_REMOTE_KNOWN | OTLP_FLAGS_REMOTE);
        assert_int_equal(out_number(consumer, "spanbridge.dwell_ms"),
                         HOP_PROCESS_MS - rules[i / 2].queued_ms);
        assert_false(out_has(consumer, "spanbridge.repair.original_parent_span_id"));
        assert_null(hop_added_link(&rig, &hop));
        /* The span below keeps its parent, and says nothing but its old trace. */
        assert_false(out_has(rig_out(&rig, 201), "spanbridge.repair.rule"));
        assert_false(out_has(rig_out(&rig, 201), "spanbridge.dwell_ms"));
        assert_int_equal(rig_out(&rig, 201)->span->flags, 0);
        assert_false(out_has(rig_out(&rig, 101), "spanbridge.repair.original_trace_id"));
        const struct out_span *queue;
        if (queue_span) {
            check_queue_span(&rig, &hop, rules[i / 2].queued_ms);
        } else {
            assert_int_equal(rig_synthetic(&rig, &queue), 0);
            assert_int_equal(out_parent(consumer), 101);
        }
        check_merged_verdict(&rig, &hop);
        struct worker_counters counters = rig_counters(&rig);
        assert_int_equal(counters.repairs[rules[i / 2].number][WORKER_REPAIRED_PARENT], 1);
        assert_int_equal(counters.traces_kept, 1);
        assert_int_equal(counters.synthetic, queue_span);
        assert_int_equal(counters.exported, 4);
        assert_int_equal(counters.incomplete_traces, 0);
        finish(&rig);
    }
}

static void test_both_links_besides(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        struct rig rig;
        start(&rig, REPAIR_BOTH, false);
        struct hop hop = hop_default(&rig, rules[i].evidence);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        if (rules[i].evidence == HOP_BY_LINK)
            assert_null(hop_added_link(&rig, &hop)); /* it is there already */
        else
            check_link(hop_added_link(&rig, &hop), rules[i].rule, &hop);
        assert_non_null(out_link(rig_out(&rig, 200), hop_sender(&hop)));
        finish(&rig);
    }
}

static void test_link_adds_a_link_and_moves_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        struct rig rig;
        start(&rig, REPAIR_LINK, true);
        struct hop hop = hop_default(&rig, rules[i].evidence);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        hop_expect_apart(&rig, &hop);
        const struct out_span *consumer = rig_out(&rig, 200);
        assert_non_null(out_link(consumer, hop_sender(&hop)));
        assert_int_equal(consumer->span->flags, 0);
        if (rules[i].evidence == HOP_BY_LINK) {
            assert_null(hop_added_link(&rig, &hop));
        } else {
            check_link(hop_added_link(&rig, &hop), rules[i].rule, &hop);
            assert_int_equal(out_number(consumer, "spanbridge.dwell_ms"),
                             HOP_PROCESS_MS - rules[i].queued_ms);
        }
        const struct out_span *queue;
        assert_int_equal(rig_synthetic(&rig, &queue), 0);
        check_verdict(rig_out(&rig, 100), "all", "wait");
        check_verdict(consumer, "all", "wait");
        assert_int_equal(rig_counters(&rig).traces_kept, 2);
        assert_int_equal(rig_counters(&rig).repairs[rules[i].number][WORKER_REPAIRED_LINK], 1);
        finish(&rig);
    }
}

static void test_report_counts_and_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        struct rig rig;
        start(&rig, REPAIR_REPORT, true);
        struct hop hop = hop_default(&rig, rules[i].evidence);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        hop_expect_apart(&rig, &hop);
        assert_null(hop_added_link(&rig, &hop));
        assert_false(out_has(rig_out(&rig, 200), "spanbridge.dwell_ms"));
        /* What would have been done, as mode auto does it. */
        assert_int_equal(rig_counters(&rig).repairs[rules[i].number][WORKER_REPAIRED_PARENT],
                         1);
        finish(&rig);
    }
}

static void test_off_does_not_even_look(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        struct rig rig;
        start(&rig, REPAIR_OFF, true);
        struct hop hop = hop_default(&rig, rules[i].evidence);
        hop_push(&rig, &hop);
        rig_settle(&rig);
        assert_int_equal(rig_worker(&rig, 0)->traces.sides.used, 0);
        rig_wait(&rig);
        hop_expect_apart(&rig, &hop);
        assert_null(hop_added_link(&rig, &hop));
        struct worker_counters counters = rig_counters(&rig);
        for (int rule = 0; rule < REPAIR_RULE_COUNT; rule++)
            for (int result = 0; result < WORKER_REPAIR_RESULTS; result++)
                assert_int_equal(counters.repairs[rule][result], 0);
        finish(&rig);
    }
}

/* The sides may come in any order: it is the same trace that leaves. */
static void test_the_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        for (int order = 0; order < 6; order++) {
            struct rig rig;
            start(&rig, REPAIR_AUTO, true);
            struct hop hop = hop_default(&rig, rules[i].evidence);
            /* The six orders of three things, a turn apart. */
            static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                             {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
            for (int step = 0; step < 3; step++) {
                if (orders[order][step] == 0)
                    hop_push_producer(&rig, 0, &hop);
                else if (orders[order][step] == 1)
                    hop_push_consumer(&rig, 0, &hop);
                else if (hop.evidence == HOP_BY_HEADER)
                    hop_push_message(&rig, &hop);
                rig_settle(&rig);
            }
            rig_wait(&rig);
            hop_expect_merged(&rig, &hop);
            check_queue_span(&rig, &hop, rules[i].queued_ms);
            check_merged_verdict(&rig, &hop);
            finish(&rig);
        }
    }
}

/* Of several kinds of evidence the strongest acts; when it entered the queue any may tell. */
static void test_the_record_tells_the_time_of_a_linked_hop(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_LINK);
    hop_push_producer(&rig, 0, &hop);
    struct span_spec consumer = hop_consumer(&hop);
    consumer.placed = true;
    rig_push(&rig, 0, &consumer, 1);
    hop_push_message(&rig, &hop);
    rig_wait(&rig);
    const struct out_span *out = rig_out(&rig, 200);
    check_reason(out, "link", "parent", &hop);
    assert_int_equal(out_number(out, "spanbridge.dwell_ms"), HOP_PROCESS_MS - HOP_RECORD_MS);
    check_queue_span(&rig, &hop, HOP_RECORD_MS);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.repairs[REPAIR_RULE_LINK][WORKER_REPAIRED_PARENT], 1);
    assert_int_equal(counters.repairs[REPAIR_RULE_HEADER_AT_COORDINATE][WORKER_REPAIRED_LINK],
                     0);
    finish(&rig);
}

/* The broker has cut the time to a millisecond; a record of one before that tells of clocks. */
static void test_a_record_is_no_older_than_the_span_that_sent_it(void **state)
{
    (void)state;
    enum { SEND_MS = 10, SEND_NS = 400000 };
    for (uint64_t record_ms = SEND_MS - 1; record_ms <= SEND_MS; record_ms++) {
        struct rig rig;
        start(&rig, REPAIR_AUTO, true);
        struct hop hop = hop_default(&rig, HOP_BY_HEADER);
        const struct span_spec producer = {.trace = hop.producer,
                                           .id = hop.producer_id + 1,
                                           .kind = OTLP_KIND_PRODUCER,
                                           .start_ms = SEND_MS,
                                           .start_ns = SEND_NS,
                                           .operation = "send",
                                           .topic = "orders"};
        char traceparent[64];
        rig_push(&rig, 0, &producer, 1);
        hop_push_consumer(&rig, 0, &hop);
        spans_traceparent(hop_sender(&hop), traceparent);
        rig_push_message(&rig, TOPIC_ORDERS, 7, record_ms, traceparent);
        rig_wait(&rig);
        const struct out_span *queue;
        assert_int_equal(rig_synthetic(&rig, &queue), 1);
        assert_int_equal(queue->span->start_time_unix_nano,
                         record_ms == SEND_MS ? spans_start_ns(&producer)
                                              : FAKE_CLOCK_WALL_NS + record_ms * NS_PER_MS);
        finish(&rig);
    }
}

/* Clocks differ: a record may be younger than its consumer.  No span ends before it starts. */
static void test_a_record_from_the_future_waits_no_time(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_HEADER);
    hop_push_producer(&rig, 0, &hop);
    hop_push_consumer(&rig, 0, &hop);
    char traceparent[64];
    spans_traceparent(hop_sender(&hop), traceparent);
    rig_push_message(&rig, TOPIC_ORDERS, 7, HOP_PROCESS_MS + 500, traceparent);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    check_queue_span(&rig, &hop, HOP_PROCESS_MS);
    assert_int_equal(out_number(rig_out(&rig, 200), "spanbridge.dwell_ms"), 0);
    finish(&rig);
}

/* A consumer below a root of its own service: the root moves, the consumer tells the dwell. */
static void test_a_local_root_moves_for_its_consumer(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &hop);
    struct span_spec specs[] = {
        {.trace = hop.consumer,
         .id = 200,
         .service = "billing",
         .kind = OTLP_KIND_INTERNAL,
         .start_ms = 30,
         .end_ms = 90,
         .flags = 0x01},
        hop_consumer(&hop),
    };
    specs[1].id = 201;
    specs[1].parent = 200;
    rig_push(&rig, 0, specs, 2);
    rig_wait(&rig);
    const struct out_span *queue;
    assert_int_equal(rig_synthetic(&rig, &queue), 1);
    const struct out_span *root = rig_out(&rig, 200);
    assert_true(out_has_trace(root, hop.producer));
    struct span_id parent = spans_id(out_parent(root));
    struct span_id id = out_id(queue);
    assert_memory_equal(parent.byte, id.byte, SPAN_ID_LEN);
    check_reason(root, "coordinate", "parent", &hop);
    assert_int_equal(root->span->flags, 0x01 | OTLP_FLAGS_REMOTE_KNOWN | OTLP_FLAGS_REMOTE);
    assert_false(out_has(root, "spanbridge.dwell_ms"));
    const struct out_span *consumer = rig_out(&rig, 201);
    assert_true(out_has_trace(consumer, hop.producer));
    assert_int_equal(out_parent(consumer), 200);
    assert_int_equal(out_number(consumer, "spanbridge.dwell_ms"), 20);
    assert_false(out_has(consumer, "spanbridge.repair.action"));
    finish(&rig);
}

/* Whatever came first of the consumer's trace: the patch is for the span that took it in. */
static void test_the_consumer_is_found_behind_other_spans(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    const struct span_spec below[] = {
        {.trace = hop.consumer, .id = 210, .parent = hop.consumer_id, .start_ms = 45},
        {.trace = hop.consumer, .id = 211, .parent = 210, .start_ms = 46},
    };
    rig_push(&rig, 0, below, 2);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    assert_true(out_has(rig_out(&rig, hop.consumer_id), "spanbridge.repair.rule"));
    assert_false(out_has(rig_out(&rig, 210), "spanbridge.repair.rule"));
    assert_false(out_has(rig_out(&rig, 211), "spanbridge.repair.rule"));
    rig_drain(&rig);
    rig_clear(&rig);
}

/* A request from outside is nobody's child, though it consumed a message on its way. */
static void test_the_root_of_a_request_does_not_move(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &hop);
    struct span_spec specs[] = {
        {.trace = hop.consumer,
         .id = 300,
         .service = "billing",
         .kind = OTLP_KIND_SERVER,
         .end_ms = 90},
        hop_consumer(&hop),
    };
    specs[1].parent = 300;
    rig_push(&rig, 0, specs, 2);
    rig_wait(&rig);
    assert_int_equal(out_parent(rig_out(&rig, 300)), 0);
    assert_true(out_has_trace(rig_out(&rig, 300), hop.consumer));
    check_link(hop_added_link(&rig, &hop), "coordinate", &hop);
    finish(&rig);
}

/* A parent in another service is never given up: the hop becomes a link. */
static void test_a_remote_parent_stays(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &hop);
    struct span_spec specs[] = {
        {.trace = hop.consumer, .id = 300, .service = "cron", .kind = OTLP_KIND_CLIENT},
        hop_consumer(&hop),
    };
    specs[1].parent = 300;
    rig_push(&rig, 0, specs, 2);
    rig_wait(&rig);
    const struct out_span *consumer = rig_out(&rig, 200);
    assert_true(out_has_trace(consumer, hop.consumer));
    assert_int_equal(out_parent(consumer), 300);
    check_link(hop_added_link(&rig, &hop), "coordinate", &hop);
    finish(&rig);
}

static void test_a_batch_is_linked_never_merged(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &hop);
    struct span_spec batch = hop_consumer(&hop);
    batch.batch = 3;
    rig_push(&rig, 0, &batch, 1);
    rig_wait(&rig);
    assert_true(out_has_trace(rig_out(&rig, 200), hop.consumer));
    assert_int_equal(out_parent(rig_out(&rig, 200)), 0);
    check_link(hop_added_link(&rig, &hop), "coordinate", &hop);
    finish(&rig);
}

/* What is beyond the limit is counted, not added; the hop's other marks stay. */
static void test_a_span_is_given_so_many_links_and_no_more(void **state)
{
    (void)state;
    for (uint32_t most = 0; most < 2; most++) {
        struct rig rig;
        rig_init(&rig);
        for (int i = 0; i < RIG_TOPICS; i++) {
            rig.topics[i].repair.mode = REPAIR_LINK;
            rig.topics[i].repair.links_max = most;
        }
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        assert_int_equal(rig_out(&rig, 200)->span->n_links, most);
        assert_true(out_has(rig_out(&rig, 200), "spanbridge.dwell_ms"));
        struct worker_counters counters = rig_counters(&rig);
        assert_int_equal(counters.links_left_out, 1 - most);
        assert_int_equal(counters.repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIRED_LINK], most);
        finish(&rig);
    }
}

/* One trace that consumes for ever, and one that sends as much: a link for each message. */
static void test_a_trace_of_thousands_of_hops_is_linked_hop_by_hop(void **state)
{
    (void)state;
    enum { HOPS = 1500 };
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct trace_id producer = rig_trace(&rig, 0, 1);
    struct trace_id consumer = rig_trace(&rig, 0, 2);
    const struct span_spec loop = {.trace = consumer, .id = 300, .end_ms = 100000};
    rig_push(&rig, 0, &loop, 1);
    for (uint64_t i = 0; i < HOPS; i++) {
        const struct span_spec send = {.trace = producer,
                                       .id = 10000 + i,
                                       .parent = i == 0 ? 0 : 10000,
                                       .kind = OTLP_KIND_PRODUCER,
                                       .operation = "send",
                                       .topic = "orders",
                                       .placed = true,
                                       .offset = (int64_t)i};
        const struct span_spec process = {.trace = consumer,
                                          .id = 20000 + i,
                                          .parent = loop.id,
                                          .kind = OTLP_KIND_CONSUMER,
                                          .start_ms = 40,
                                          .operation = "process",
                                          .topic = "orders",
                                          .placed = true,
                                          .offset = (int64_t)i};
        rig_push(&rig, 0, &send, 1);
        rig_push(&rig, 0, &process, 1);
    }
    rig_wait(&rig);
    for (size_t i = 0; i < rig.sinks[0].span_count; i++) {
        const struct out_span *out = &rig.sinks[0].spans[i];
        if ((int)out->span->kind != OTLP_KIND_CONSUMER)
            continue;
        assert_true(out_has_trace(out, consumer));
        assert_int_equal(out->span->n_links, 1);
        struct span_id target = span_id_load(out->span->links[0]->span_id.data);
        uint64_t number = 10000 + (uint64_t)out_number(out, "messaging.kafka.offset");
        assert_true(span_id_equal(target, spans_id(number)));
    }
    assert_int_equal(rig_counters(&rig).repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIRED_LINK],
                     HOPS);
    finish(&rig);
}

/* One trace that sends to thousands: all of them go under it, and share its verdict. */
static void test_a_tree_of_thousands_leaves_as_one(void **state)
{
    (void)state;
    enum { MEMBERS = 1200 };
    struct rig rig;
    start(&rig, REPAIR_AUTO, false);
    struct trace_id producer = rig_trace(&rig, 0, 0);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        const struct span_spec send = {.trace = producer,
                                       .id = 10000 + i,
                                       .parent = i == 0 ? 0 : 10000,
                                       .kind = OTLP_KIND_PRODUCER,
                                       .operation = "send",
                                       .topic = "orders",
                                       .placed = true,
                                       .offset = i};
        const struct span_spec process = {.trace = rig_trace(&rig, 0, 1 + i),
                                          .id = 20000 + i,
                                          .kind = OTLP_KIND_CONSUMER,
                                          .start_ms = 40,
                                          .operation = "process",
                                          .topic = "orders",
                                          .placed = true,
                                          .offset = i};
        rig_push(&rig, 0, &send, 1);
        rig_push(&rig, 0, &process, 1);
    }
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 2 * MEMBERS);
    for (size_t i = 0; i < rig.sinks[0].span_count; i++) {
        const struct out_span *out = &rig.sinks[0].spans[i];
        assert_true(out_has_trace(out, producer));
    }
    for (uint32_t i = 0; i < MEMBERS; i += 100)
        assert_int_equal(out_parent(rig_out(&rig, 20000 + i)), 10000 + i);
    assert_int_equal(rig_counters(&rig).traces_kept, 1);
    finish(&rig);
}

/* Spans linking to several messages of several traces: links stay, nothing is merged. */
static void test_links_to_several_messages_stay_links(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop first = hop_default(&rig, HOP_BY_LINK);
    struct hop second = first;
    second.producer = rig_trace(&rig, 0, 3);
    second.producer_id = 300;
    hop_push_producer(&rig, 0, &first);
    hop_push_producer(&rig, 0, &second);
    struct span_spec batch = hop_consumer(&first);
    batch.links[1] = hop_sender(&second);
    batch.link_count = 2;
    rig_push(&rig, 0, &batch, 1);
    rig_wait(&rig);
    const struct out_span *out = rig_out(&rig, 200);
    assert_true(out_has_trace(out, first.consumer));
    assert_int_equal(out->span->n_links, 2);
    finish(&rig);
}

static void test_a_chain_of_three_leaves_under_one_id(void **state)
{
    (void)state;
    for (int i = 0; i < RULES; i++) {
        struct rig rig;
        start(&rig, REPAIR_AUTO, false);
        struct hop first = hop_default(&rig, rules[i].evidence);
        hop_push(&rig, &first);
        /* The consumer of the first sends on, and is the producer of the second. */
        struct hop second = hop_onward(&rig, &first);
        hop_push_send_onward(&rig, &second);
        hop_push_consumer(&rig, 0, &second);
        if (rules[i].evidence == HOP_BY_HEADER)
            hop_push_message(&rig, &second);
        rig_wait(&rig);
        for (uint64_t id = 200; id <= 203; id++)
            if (id != 202)
                assert_true(out_has_trace(rig_out(&rig, id), first.producer));
        for (uint64_t id = 300; id <= 301; id++)
            assert_true(out_has_trace(rig_out(&rig, id), first.producer));
        assert_int_equal(out_parent(rig_out(&rig, 200)), 101);
        assert_int_equal(out_parent(rig_out(&rig, 300)), 203);
        assert_int_equal(rig_counters(&rig).traces_kept, 1);
        if (rules[i].evidence == HOP_BY_LINK) {
            /* The link to the middle trace goes along, and says where it pointed to. */
            struct span_context moved = {.trace = first.producer, .span = 203};
            assert_non_null(out_link(rig_out(&rig, 300), moved));
            char old[64];
            spans_traceparent(hop_sender(&second), old);
            old[52] = '\0';
            assert_string_equal(
                out_text(rig_out(&rig, 300), "spanbridge.repair.original_links"), old + 3);
        }
        finish(&rig);
    }
}

/* A trace that is decided later still finds where the one it links to has gone. */
static void test_links_to_a_merged_trace_are_rewritten(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, false);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    struct trace_id elsewhere = rig_trace(&rig, 0, 9);
    const struct span_spec later = {.trace = rig_trace(&rig, 0, 3),
                                    .id = 300,
                                    .kind = OTLP_KIND_INTERNAL,
                                    .links = {{hop.consumer, 201},
                                              {elsewhere, 900},
                                              {hop.producer, 101},
                                              {hop.consumer, 200}},
                                    .link_count = 4};
    struct span_spec another = later;
    another.id = 301;
    another.parent = 300;
    another.link_count = 1;
    const struct span_spec both_specs[] = {later, another};
    rig_push(&rig, 0, both_specs, 2);
    rig_wait(&rig);
    const struct out_span *out = rig_out(&rig, 300);
    assert_non_null(out_link(out, (struct span_context){hop.producer, 201}));
    assert_non_null(out_link(out, (struct span_context){hop.producer, 200}));
    assert_non_null(out_link(out, (struct span_context){hop.producer, 101}));
    assert_non_null(out_link(out, (struct span_context){elsewhere, 900}));
    char first[64];
    char second[64];
    char both[128];
    spans_traceparent((struct span_context){hop.consumer, 201}, first);
    spans_traceparent((struct span_context){hop.consumer, 200}, second);
    snprintf(both, sizeof(both), "%.49s,%.49s", first + 3, second + 3);
    assert_string_equal(out_text(out, "spanbridge.repair.original_links"), both);
    both[49] = '\0';
    assert_string_equal(out_text(rig_out(&rig, 301), "spanbridge.repair.original_links"), both);
    finish(&rig);
}

/* A late span of the merged trace follows it, and its ids can be restored. */
static void test_late_spans_of_a_merged_trace_go_where_it_went(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    const struct span_spec late[] = {
        {.trace = hop.consumer, .id = 210, .parent = 201},
        {.trace = hop.producer, .id = 110, .parent = 100},
    };
    rig_push(&rig, 0, late, 2);
    rig_wait(&rig);
    assert_true(out_has_trace(rig_out(&rig, 210), hop.producer));
    assert_int_equal(out_parent(rig_out(&rig, 210)), 201);
    assert_true(out_has_trace(rig_out(&rig, 110), hop.producer));
    assert_false(out_has(rig_out(&rig, 110), "spanbridge.repair.original_trace_id"));
    assert_int_equal(rig_counters(&rig).late_spans, 2);
    finish(&rig);
}

static void test_every_span_says_the_policy_where_that_is_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.record_policy_all = true;
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    const struct span_spec late = {.trace = hop.consumer, .id = 210, .parent = 201};
    rig_push(&rig, 0, &late, 1);
    rig_wait(&rig);
    static const uint64_t ids[] = {100, 101, 200, 201};
    for (int i = 0; i < 4; i++)
        check_verdict(rig_out(&rig, ids[i]), "all", "wait");
    check_verdict(rig_out(&rig, 210), "all", "late");
    finish(&rig);
}

/* Without a root in sight the last span tells the verdict, so that one always does. */
static void test_a_trace_without_a_root_tells_its_verdict(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    const struct span_spec specs[] = {
        {.trace = rig_trace(&rig, 0, 1), .id = 10, .parent = 9},
        {.trace = rig_trace(&rig, 0, 1), .id = 11, .parent = 10},
    };
    rig_push(&rig, 0, specs, 2);
    rig_wait(&rig);
    assert_false(out_has(rig_out(&rig, 10), "spanbridge.policy"));
    check_verdict(rig_out(&rig, 11), "all", "wait");
    assert_true(out_flag(rig_out(&rig, 10), "spanbridge.incomplete"));
    assert_false(out_has(rig_out(&rig, 11), "spanbridge.incomplete"));
    assert_int_equal(rig_counters(&rig).incomplete_traces, 1);
    finish(&rig);
}

static void push_orphan(struct rig *rig)
{
    const struct span_spec specs[] = {
        {.trace = rig_trace(rig, 0, 1), .id = 10, .end_ms = 100},
        {.trace = rig_trace(rig, 0, 1), .id = 11, .parent = 10, .start_ms = 20, .end_ms = 60},
        {.trace = rig_trace(rig, 0, 1), .id = 12, .parent = 99, .start_ms = 30, .end_ms = 40},
        {.trace = rig_trace(rig, 0, 1), .id = 13, .parent = 12, .start_ms = 31},
        {.trace = rig_trace(rig, 0, 1), .id = 14, .parent = 98, .start_ms = 70, .end_ms = 80},
    };
    rig_push(rig, 0, specs, 5);
}

/* The first one tells of the trace. */
static void test_an_orphan_is_flagged(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    push_orphan(&rig);
    rig_wait(&rig);
    assert_true(out_flag(rig_out(&rig, 12), "spanbridge.incomplete"));
    assert_int_equal(out_parent(rig_out(&rig, 12)), 99);
    assert_false(out_has(rig_out(&rig, 12), "spanbridge.repair.rule"));
    assert_false(out_has(rig_out(&rig, 14), "spanbridge.incomplete"));
    assert_int_equal(rig_counters(&rig).incomplete_traces, 1);
    finish(&rig);
}

static void test_all_orphans_are_adopted_where_that_is_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.default_repair.adopt_root = true;
    rig_start(&rig);
    push_orphan(&rig);
    rig_wait(&rig);
    const struct out_span *orphan = rig_out(&rig, 12);
    assert_int_equal(out_parent(orphan), 11);
    assert_true(out_flag(orphan, "spanbridge.incomplete"));
    assert_string_equal(out_text(orphan, "spanbridge.repair.original_parent_span_id"),
                        "0000000000000063");
    assert_string_equal(out_text(orphan, "spanbridge.repair.rule"), "same_trace");
    assert_string_equal(out_text(orphan, "spanbridge.repair.class"), "A");
    assert_string_equal(out_text(orphan, "spanbridge.repair.action"), "parent");
    assert_string_equal(out_text(orphan, "spanbridge.repair.evidence"), "000000000000000b");
    assert_int_equal(out_parent(rig_out(&rig, 14)), 10);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.incomplete_traces, 1);
    assert_int_equal(counters.adopted_spans, 2);
    assert_int_equal(counters.repairs[REPAIR_RULE_SAME_TRACE][WORKER_REPAIRED_PARENT], 2);
    finish(&rig);
}

/* A batch of a consumer's spans may be delivered twice. */
static void test_spans_that_came_twice_leave_twice(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    static const uint64_t ids[] = {100, 101, 200, 201};
    for (int i = 0; i < 4; i++)
        assert_int_equal(rig_count_out(&rig, ids[i]), 2);
    const struct out_span *queue;
    assert_int_equal(rig_synthetic(&rig, &queue), 1);
    for (size_t i = 0; i < rig.sinks[0].span_count; i++) {
        const struct out_span *out = &rig.sinks[0].spans[i];
        assert_true(out_has_trace(out, hop.producer));
        /* A backend keeps either copy, so both stand under the queue span. */
        if (!span_id_equal(out_id(out), spans_id(200)))
            continue;
        assert_true(span_id_equal(spans_id(out_parent(out)), out_id(queue)));
        assert_int_equal(out_number(out, "spanbridge.dwell_ms"), 20);
    }
    finish(&rig);
}

/* What the bridge makes of a name must be text that a backend takes: no half characters. */
static void test_a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    enum { LETTERS = 200 };
    char name[2 * LETTERS + 2] = "x"; /* an odd place, so that 256 bytes end within a letter */
    for (int i = 0; i < LETTERS; i++)
        memcpy(name + 1 + 2 * i, "\xc3\xa9", 3);
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop.topic = name;
    hop_push(&rig, &hop);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    const struct out_span *queue;
    assert_int_equal(rig_synthetic(&rig, &queue), 1);
    assert_int_equal(strlen(queue->span->name), 255 + strlen(" queue"));
    assert_memory_equal(queue->span->name, name, 255);
    assert_string_equal(queue->span->name + 255, " queue");
    assert_string_equal(out_text(queue, "messaging.destination.name"), name);
    const char *evidence = out_text(rig_out(&rig, 200), "spanbridge.repair.evidence");
    assert_memory_equal(evidence, name, 255);
    assert_string_equal(evidence + 255, "/0/7");
    finish(&rig);
}

/* A name as long as values may be: the queue span has it whole. */
static void test_a_queue_span_holds_a_name_of_any_length(void **state)
{
    (void)state;
    enum { LEN = 60000 };
    static char name[LEN + 1];
    memset(name, 'n', LEN);
    struct rig rig;
    start(&rig, REPAIR_AUTO, true);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop.topic = name;
    hop_push(&rig, &hop);
    rig_wait(&rig);
    const struct out_span *queue;
    assert_int_equal(rig_synthetic(&rig, &queue), 1);
    assert_string_equal(out_text(queue, "messaging.destination.name"), name);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto_moves_the_consumer_under_the_producer),
        cmocka_unit_test(test_both_links_besides),
        cmocka_unit_test(test_link_adds_a_link_and_moves_nothing),
        cmocka_unit_test(test_report_counts_and_changes_nothing),
        cmocka_unit_test(test_off_does_not_even_look),
        cmocka_unit_test(test_the_order_of_arrival_does_not_matter),
        cmocka_unit_test(test_the_record_tells_the_time_of_a_linked_hop),
        cmocka_unit_test(test_a_record_is_no_older_than_the_span_that_sent_it),
        cmocka_unit_test(test_a_record_from_the_future_waits_no_time),
        cmocka_unit_test(test_a_local_root_moves_for_its_consumer),
        cmocka_unit_test(test_the_consumer_is_found_behind_other_spans),
        cmocka_unit_test(test_the_root_of_a_request_does_not_move),
        cmocka_unit_test(test_a_remote_parent_stays),
        cmocka_unit_test(test_a_batch_is_linked_never_merged),
        cmocka_unit_test(test_a_span_is_given_so_many_links_and_no_more),
        cmocka_unit_test(test_a_trace_of_thousands_of_hops_is_linked_hop_by_hop),
        cmocka_unit_test(test_a_tree_of_thousands_leaves_as_one),
        cmocka_unit_test(test_links_to_several_messages_stay_links),
        cmocka_unit_test(test_a_chain_of_three_leaves_under_one_id),
        cmocka_unit_test(test_links_to_a_merged_trace_are_rewritten),
        cmocka_unit_test(test_late_spans_of_a_merged_trace_go_where_it_went),
        cmocka_unit_test(test_every_span_says_the_policy_where_that_is_asked_for),
        cmocka_unit_test(test_a_trace_without_a_root_tells_its_verdict),
        cmocka_unit_test(test_an_orphan_is_flagged),
        cmocka_unit_test(test_all_orphans_are_adopted_where_that_is_asked_for),
        cmocka_unit_test(test_spans_that_came_twice_leave_twice),
        cmocka_unit_test(test_a_long_name_is_cut_between_characters),
        cmocka_unit_test(test_a_queue_span_holds_a_name_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
