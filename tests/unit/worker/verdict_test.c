#include "core/memory.h"
#include "hops.h"
#include "support/test.h"

static void start(struct rig *rig)
{
    rig_init(rig);
    rig_keep_errors(rig);
    rig_start(rig);
}

static void finish(struct rig *rig)
{
    rig_drain(rig);
    rig_clear(rig);
}

static void check_verdict(const struct out_span *root, const char *policy, const char *reason)
{
    assert_string_equal(out_text(root, "spanbridge.policy"), policy);
    assert_string_equal(out_text(root, "spanbridge.complete_reason"), reason);
}

static void check_link_to(struct rig *rig, const struct hop *hop, struct trace_id trace)
{
    const Spanbridge__Oracle__Span__Link *link = hop_added_link(rig, hop);
    assert_non_null(link);
    struct span_id span = spans_id(hop->producer_id + 1);
    assert_memory_equal(link->trace_id.data, trace.byte, TRACE_ID_LEN);
    assert_memory_equal(link->span_id.data, span.byte, SPAN_ID_LEN);
}

static void test_a_trace_that_no_policy_keeps_is_dropped_and_finished(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.dropped_no_policy, 4);
    assert_int_equal(counters.traces_dropped, 1);
    assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 0);
    /* What comes late follows the verdict, of the whole tree. */
    const struct span_spec late[] = {
        {.trace = hop.consumer, .id = 210, .parent = 200, .error = true},
        {.trace = hop.producer, .id = 110, .parent = 100, .error = true},
    };
    rig_push(&rig, 0, late, 2);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0);
    assert_int_equal(rig_counters(&rig).dropped_no_policy, 6);
    finish(&rig);
}

/* The traces that a hop joins share one verdict: an error on either side keeps both. */
static void test_the_merged_trace_is_decided_as_one(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct rig rig;
        start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop.producer_fails = side == 0;
        hop.consumer_fails = side == 1;
        hop_push(&rig, &hop);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        check_verdict(rig_out(&rig, 100), "errors", "wait");
        assert_int_equal(rig_counters(&rig).traces_kept, 1);
        finish(&rig);
    }
}

/* What is only linked is decided alone. */
static void test_a_link_shares_no_verdict(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_keep_errors(&rig);
    rig.topics[TOPIC_ORDERS].repair.mode = REPAIR_LINK;
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop.consumer_fails = true;
    hop_push(&rig, &hop);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 0);
    hop_expect_apart(&rig, &hop);
    check_link_to(&rig, &hop, hop.producer);
    finish(&rig);
}

static void test_a_producer_dropped_before_is_linked(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop.consumer_fails = true;
    hop_push_producer(&rig, 0, &hop);
    rig_wait(&rig);
    hop_push_consumer(&rig, 0, &hop);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 0);
    hop_expect_apart(&rig, &hop);
    check_link_to(&rig, &hop, hop.producer);
    check_verdict(rig_out(&rig, 200), "errors", "wait");
    finish(&rig);
}

static void test_a_consumer_is_kept_since_its_producer_was(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop.producer_fails = true;
    hop_push_producer(&rig, 0, &hop);
    rig_wait(&rig);
    hop_push_consumer(&rig, 0, &hop);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    assert_int_equal(rig_counters(&rig).dropped_no_policy, 0);
    /* The root that left before told the verdict. */
    check_verdict(rig_out(&rig, 100), "errors", "wait");
    assert_false(out_has(rig_out(&rig, 200), "spanbridge.policy"));
    const struct span_spec late = {.trace = hop.consumer, .id = 210, .parent = 200};
    rig_push(&rig, 0, &late, 1);
    rig_wait(&rig);
    assert_true(out_has_trace(rig_out(&rig, 210), hop.producer));
    finish(&rig);
}

/* The producer had gone under another trace: the consumer goes there too. */
static void test_a_kept_producer_is_met_where_it_went(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct hop first = hop_default(&rig, HOP_BY_COORDINATE);
    first.producer_fails = true;
    hop_push(&rig, &first);
    struct hop second = hop_onward(&rig, &first);
    hop_push_send_onward(&rig, &second);
    rig_wait(&rig);
    hop_push_consumer(&rig, 0, &second);
    rig_wait(&rig);
    assert_true(out_has_trace(rig_out(&rig, 300), first.producer));
    assert_true(out_has_trace(rig_out(&rig, 301), first.producer));
    finish(&rig);
}

/* A link that is added names the trace under which its target has left. */
static void test_a_link_to_a_merged_producer_is_added_to_where_it_went(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_PAYMENTS].repair.mode = REPAIR_LINK;
    rig_start(&rig);
    struct hop first = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &first);
    struct hop second = hop_onward(&rig, &first);
    hop_push_send_onward(&rig, &second);
    rig_wait(&rig);
    hop_push_consumer(&rig, 0, &second);
    rig_wait(&rig);
    hop_expect_apart(&rig, &second);
    check_link_to(&rig, &second, first.producer);
    finish(&rig);
}

/* A tree waits as long as its root does, whatever its members would have done alone. */
static void test_a_tree_is_due_with_its_root(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_consumer(&rig, 0, &hop);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_WAIT_MS / 2);
    hop_push_producer(&rig, 0, &hop);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_WAIT_MS / 2 + 100);
    const struct span_spec last = {
        .trace = hop.consumer, .id = 210, .parent = 200, .service = "billing", .error = true};
    rig_settle(&rig);
    rig_push(&rig, 0, &last, 1);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    assert_int_equal(rig_count_out(&rig, 210), 1);
    assert_int_equal(rig_counters(&rig).late_spans, 0);
    finish(&rig);
}

static void test_an_unseen_producer_is_merged_under_its_known_id(void **state)
{
    (void)state;
    for (int by_header = 0; by_header < 2; by_header++) {
        struct rig rig;
        start(&rig);
        struct hop hop = hop_default(&rig, by_header ? HOP_BY_HEADER : HOP_BY_LINK);
        hop.consumer_fails = true;
        hop_push_consumer(&rig, 0, &hop);
        if (by_header)
            hop_push_message(&rig, &hop);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        /* Nobody else could tell: the consumer's root does. */
        check_verdict(rig_out(&rig, 200), "errors", "wait");
        assert_false(out_has(rig_out(&rig, 201), "spanbridge.policy"));
        const struct out_span *queue;
        assert_int_equal(rig_synthetic(&rig, &queue), by_header);
        if (!by_header)
            assert_int_equal(out_parent(rig_out(&rig, 200)), 101);
        /* When the producer's spans do come, they belong to a trace that is kept. */
        hop_push_producer(&rig, 0, &hop);
        rig_wait(&rig);
        assert_true(out_has_trace(rig_out(&rig, 100), hop.producer));
        assert_int_equal(rig_counters(&rig).late_spans, 2);
        finish(&rig);
    }
}

static void test_an_unseen_producer_is_linked_where_that_is_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    for (int i = 0; i < RIG_TOPICS; i++)
        rig.topics[i].repair.unseen = WORKER_UNSEEN_LINK;
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_HEADER);
    hop_push_consumer(&rig, 0, &hop);
    hop_push_message(&rig, &hop);
    rig_wait(&rig);
    hop_expect_apart(&rig, &hop);
    check_link_to(&rig, &hop, hop.producer);
    check_verdict(rig_out(&rig, 200), "all", "wait");
    finish(&rig);
}

/* While others read a part of the spans, or may do so, the trace may be with one of them. */
static void test_an_unseen_producer_merges_only_where_all_is_read(void **state)
{
    (void)state;
    for (int share = SOURCE_SHARE_UNKNOWN; share <= SOURCE_SHARE_ALL; share++) {
        struct rig rig;
        rig_init(&rig);
        rig.source.share = (enum source_share)share;
        for (int i = 0; i < RIG_TOPICS; i++)
            rig.topics[i].repair.unseen = WORKER_UNSEEN_MERGE_IF_ALONE;
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_HEADER);
        hop_push_consumer(&rig, 0, &hop);
        hop_push_message(&rig, &hop);
        rig_wait(&rig);
        assert_int_equal(out_has_trace(rig_out(&rig, 200), hop.producer),
                         share == SOURCE_SHARE_ALL);
        finish(&rig);
    }
}

/* The record carries the context of a hop before: a retry that kept its headers. */
static void push_forwarded(struct rig *rig, const struct hop *origin, const struct hop *hop)
{
    char traceparent[64];
    spans_traceparent(hop_sender(origin), traceparent);
    rig_push_message(rig, TOPIC_PAYMENTS, hop->offset, HOP_RECORD_MS, traceparent);
}

static void test_a_forwarded_header_is_no_parent(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct hop origin = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &origin);
    struct hop hop = {.evidence = HOP_BY_HEADER,
                      .topic = "payments",
                      .offset = 3,
                      .producer = origin.producer,
                      .producer_id = origin.producer_id,
                      .consumer = rig_trace(&rig, 0, 3),
                      .consumer_id = 300};
    push_forwarded(&rig, &origin, &hop);
    hop_push_consumer(&rig, 0, &hop);
    rig_wait(&rig);
    hop_expect_apart(&rig, &hop);
    check_link_to(&rig, &hop, origin.producer);
    finish(&rig);
}

static uint32_t count_attachments(struct rig *rig, struct trace_id id)
{
    const struct worker *worker = rig_worker(rig, 0);
    window_trace trace = window_find(worker->window, id, window_hash(worker->window, id));
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    uint32_t count = 0;
    for (uint32_t at = extra->first_evidence; at != POOL_NONE;) {
        count += traces_evidence(&worker->traces, at)->attaches;
        at = traces_evidence(&worker->traces, at)->next;
    }
    return count;
}

/* The rules below find who really sent it, whichever evidence comes first. */
static void test_behind_a_forwarded_header_the_publisher_is_found(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        struct hop origin = hop_default(&rig, HOP_BY_COORDINATE);
        hop_push_producer(&rig, 0, &origin);
        struct hop hop = {.evidence = HOP_BY_COORDINATE,
                          .topic = "payments",
                          .offset = 3,
                          .producer = rig_trace(&rig, 0, 4),
                          .producer_id = 400,
                          .consumer = rig_trace(&rig, 0, 3),
                          .consumer_id = 300};
        if (order == 0)
            hop_push_producer(&rig, 0, &hop);
        push_forwarded(&rig, &origin, &hop);
        hop_push_consumer(&rig, 0, &hop);
        rig_settle(&rig);
        if (order == 1)
            hop_push_producer(&rig, 0, &hop);
        rig_settle(&rig);
        assert_int_equal(count_attachments(&rig, hop.consumer), 1);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        assert_string_equal(out_text(rig_out(&rig, 300), "spanbridge.repair.rule"),
                            "coordinate");
        assert_true(out_has_trace(rig_out(&rig, 100), origin.producer));
        finish(&rig);
    }
}

/*
 * Traces in a ring: each is the consumer of the one before.  All leave, and all but one take
 * a parent in another trace; the last hop is a link.
 */
static void check_ring(uint32_t traces)
{
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (uint32_t i = 0; i < traces; i++) {
        uint64_t id = 100 * (i + 1);
        const struct span_spec specs[] = {
            {.trace = rig_trace(&rig, 0, i),
             .id = id,
             .kind = OTLP_KIND_CONSUMER,
             .start_ms = 10,
             .end_ms = 50,
             .operation = "process",
             .topic = "orders",
             .placed = true,
             .offset = (i + traces - 1) % traces},
            {.trace = rig_trace(&rig, 0, i),
             .id = id + 1,
             .parent = id,
             .kind = OTLP_KIND_PRODUCER,
             .start_ms = 20,
             .end_ms = 30,
             .operation = "send",
             .topic = "orders",
             .placed = true,
             .offset = i},
        };
        rig_push(&rig, 0, specs, 2);
    }
    rig_wait(&rig);
    uint32_t roots = 0;
    uint32_t links = 0;
    for (uint32_t i = 0; i < traces; i++) {
        const struct out_span *out = rig_out(&rig, 100 * (i + 1));
        roots += out_parent(out) == 0;
        links += (uint32_t)out->span->n_links;
        assert_true(trace_id_equal(out_trace(out), out_trace(rig_out(&rig, 100))));
    }
    assert_int_equal(roots, 1);
    assert_int_equal(links, 1);
    assert_int_equal(rig_counters(&rig).traces_kept, 1);
    finish(&rig);
}

static void test_a_ring_of_hops_is_cut_once(void **state)
{
    (void)state;
    check_ring(2);
    check_ring(3);
    check_ring(10);
    check_ring(100); /* deeper than a tree may be: see below */
}

/* A chain longer than the bound is cut; nothing of it is lost. */
static void test_a_long_chain_is_cut_somewhere(void **state)
{
    (void)state;
    enum { TRACES = 200 };
    for (int order = 0; order < 3; order++) {
        struct rig rig;
        rig_init(&rig);
        rig.options.spans_per_trace_max = order == 2 ? 20 : 10000;
        rig_start(&rig);
        for (uint32_t n = 0; n < TRACES; n++) {
            uint32_t i = order == 0 ? n : TRACES - 1 - n;
            const struct span_spec specs[] = {
                {.trace = rig_trace(&rig, 0, i),
                 .id = 1000 + 2 * i,
                 .kind = OTLP_KIND_CONSUMER,
                 .start_ms = 10,
                 .operation = "process",
                 .topic = "orders",
                 .placed = i > 0,
                 .offset = (int64_t)i - 1},
                {.trace = rig_trace(&rig, 0, i),
                 .id = 1001 + 2 * i,
                 .parent = 1000 + 2 * i,
                 .kind = OTLP_KIND_PRODUCER,
                 .start_ms = 20,
                 .operation = "send",
                 .topic = "orders",
                 .placed = true,
                 .offset = i},
            };
            rig_push(&rig, 0, specs, 2);
            rig_settle(&rig);
        }
        /* The last of the chain, whose root is out of sight, comes to its cap. */
        for (uint32_t i = 0; order == 2 && i < 20; i++) {
            const struct span_spec more = {.trace = rig_trace(&rig, 0, TRACES - 1),
                                           .id = 5000 + i,
                                           .parent = 1000 + 2 * (TRACES - 1)};
            rig_push(&rig, 0, &more, 1);
        }
        rig_wait(&rig);
        rig_drain(&rig);
        for (uint32_t i = 0; i < 2 * TRACES; i++)
            (void)rig_out(&rig, 1000 + i);
        rig_clear(&rig);
    }
}

/* A merged trace stays within the caps: beyond them the hop is a link. */
static void test_the_caps_hold_for_merged_traces(void **state)
{
    (void)state;
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct rig rig;
        rig_init(&rig);
        if (by_bytes)
            rig.options.bytes_per_trace_max = 400; /* each side has less, both have more */
        else
            rig.options.spans_per_trace_max = 3;
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        hop_expect_apart(&rig, &hop);
        check_link_to(&rig, &hop, hop.producer);
        assert_int_equal(rig_counters(&rig).traces_kept, 2);
        finish(&rig);
    }
}

/* Traces of two tenants are never merged, whatever joins them. */
static void test_a_merge_does_not_cross_tenants(void **state)
{
    (void)state;
    /* The producer's trace is open, was kept before, or was never seen. */
    enum { OPEN, KEPT, UNSEEN, STATES };
    for (int producer = 0; producer < STATES; producer++) {
        struct rig rig;
        rig_init(&rig);
        rig.tenant_key = "service.name"; /* which differs between the sides of a hop here */
        rig_start(&rig);
        struct hop hop =
            hop_default(&rig, producer == UNSEEN ? HOP_BY_HEADER : HOP_BY_COORDINATE);
        if (producer == UNSEEN)
            hop_push_message(&rig, &hop);
        else
            hop_push_producer(&rig, 0, &hop);
        if (producer == KEPT)
            rig_wait(&rig);
        hop_push_consumer(&rig, 0, &hop);
        rig_wait(&rig);
        hop_expect_apart(&rig, &hop);
        check_link_to(&rig, &hop, hop.producer);
        finish(&rig);
    }
}

static void test_a_trace_at_the_cap_is_decided(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.spans_per_trace_max = 3;
    rig_start(&rig);
    struct trace_id trace = rig_trace(&rig, 0, 1);
    for (uint64_t i = 0; i < 5; i++) {
        const struct span_spec spec = {.trace = trace, .id = 10 + i, .parent = i > 0 ? 10 : 0};
        rig_push(&rig, 0, &spec, 1);
    }
    rig_settle(&rig);
    assert_int_equal(window_totals(rig_worker(&rig, 0)->window).traces, 0);
    assert_int_equal(rig_counters(&rig).late_spans, 2);
    rig_wait(&rig);
    check_verdict(rig_out(&rig, 10), "all", "cap");
    assert_int_equal(rig.sinks[0].span_count, 5);
    finish(&rig);
}

/* Blocked intake: with nothing waiting for sinks, the oldest trace makes room. */
static void test_pressure_decides_the_oldest_trace(void **state)
{
    (void)state;
    enum { TRACES = 60 };
    struct rig rig;
    rig_init(&rig);
    rig.options.window_bytes_max = 5 << 20;
    rig_start(&rig);
    for (uint32_t i = 0; i < TRACES; i++) {
        const struct span_spec spec = {
            .trace = rig_trace(&rig, 0, i), .id = 100 + i, .padding = 60000};
        for (int part = 0; part < 2; part++) {
            struct span_spec one = spec;
            one.id += (uint64_t)part * 1000;
            one.parent = part == 0 ? 0 : spec.id;
            rig_push(&rig, 0, &one, 1);
        }
    }
    rig_settle(&rig);
    assert_true(rig_counters(&rig).pressure_decisions > 0);
    assert_true(window_totals(rig_worker(&rig, 0)->window).bytes <= 5 << 20);
    rig_wait(&rig);
    check_verdict(rig_out(&rig, 100), "all", "pressure");
    check_verdict(rig_out(&rig, 100 + TRACES - 1), "all", "wait");
    assert_int_equal(rig.sinks[0].span_count, 2 * TRACES);
    finish(&rig);
}

static void test_a_dry_run_keeps_all_and_counts_what_it_would_do(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_keep_errors(&rig);
    rig.options.dry_run = true;
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    check_verdict(rig_out(&rig, 100), "no_policy", "wait");
    assert_int_equal(rig_counters(&rig).traces_dropped, 1);
    const struct span_spec late = {.trace = hop.producer, .id = 110, .parent = 100};
    rig_push(&rig, 0, &late, 1);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 110), 1);
    assert_int_equal(rig_counters(&rig).dropped_no_policy, 0);
    finish(&rig);
}

/* A consumer whose message may still be read waits for the tap, as long as hold allows. */
static void test_a_trace_waits_for_the_tap_that_could_tell(void **state)
{
    (void)state;
    for (int passes = 0; passes < 2; passes++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_HEADER);
        rig.source.tap_time_ns[TOPIC_ORDERS] = FAKE_CLOCK_WALL_NS;
        hop_push_producer(&rig, 0, &hop);
        hop_push_consumer(&rig, 0, &hop);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, 100),
                         0); /* its consumer may turn out to be this one */
        assert_int_equal(rig_count_out(&rig, 200), 0);
        if (passes) {
            /* The record comes, and says whose it was. */
            hop_push_message(&rig, &hop);
            rig.source.tap_time_ns[TOPIC_ORDERS] += NS_PER_S;
            rig_wait(&rig);
            rig_wait(&rig);
            hop_expect_merged(&rig, &hop);
        } else {
            rig_advance_ms(&rig, RIG_HOLD_MS);
            rig_wait(&rig);
            hop_expect_apart(&rig, &hop);
        }
        finish(&rig);
    }
}

/* Two consumers in one trace: what explains one of them says nothing about the other. */
static void test_each_consumer_waits_for_its_own_tap(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    for (int i = 0; i < RIG_TOPICS; i++)
        rig.topics[i].repair.mode = REPAIR_LINK; /* so that the trace stays where it is */
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    const struct span_spec other = {.trace = hop.consumer,
                                    .id = 250,
                                    .parent = 201,
                                    .kind = OTLP_KIND_CONSUMER,
                                    .start_ms = HOP_PROCESS_MS,
                                    .operation = "process",
                                    .topic = "payments",
                                    .placed = true,
                                    .offset = 3};
    rig.source.tap_time_ns[TOPIC_ORDERS] = FAKE_CLOCK_WALL_NS;
    rig.source.tap_time_ns[TOPIC_PAYMENTS] = FAKE_CLOCK_WALL_NS;
    rig_push(&rig, 0, &other, 1);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 1);
    assert_int_equal(rig_count_out(&rig, 200), 0);
    rig.source.tap_time_ns[TOPIC_PAYMENTS] += NS_PER_S;
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 200), 1);
    assert_int_equal(rig_count_out(&rig, 250), 1);
    finish(&rig);
}

/* A hop on the same topic, long ago: from now on its consumers are expected. */
static void learn(struct rig *rig)
{
    struct hop before = {.evidence = HOP_BY_COORDINATE,
                         .offset = 1,
                         .producer = rig_trace(rig, 0, 90),
                         .producer_id = 9000,
                         .consumer = rig_trace(rig, 0, 91),
                         .consumer_id = 9100};
    hop_push(rig, &before);
    rig_wait(rig);
    hop_expect_merged(rig, &before);
}

/* Consumers lag: a trace that sent to a topic which is consumed from waits for its consumer. */
static void test_a_sender_waits_for_the_consumer_that_will_come(void **state)
{
    (void)state;
    for (int comes = 0; comes < 2; comes++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        learn(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop_push_producer(&rig, 0, &hop);
        rig_wait(&rig);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, 100), 0);
        if (comes) {
            hop_push_consumer(&rig, 0, &hop);
            rig_wait(&rig);
            hop_expect_merged(&rig, &hop);
        } else {
            rig_advance_ms(&rig, RIG_HOLD_MS);
            rig_wait(&rig);
            assert_int_equal(rig_count_out(&rig, 100), 1);
        }
        finish(&rig);
    }
}

/* pika makes two send spans of one message: its consumer came, so nobody else will. */
static void test_a_send_span_around_another_waits_for_no_consumer_of_its_own(void **state)
{
    (void)state;
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        learn(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_LINK);
        hop_push_producer(&rig, 0, &hop);
        const struct span_spec inner = {.trace = hop.producer,
                                        .id = 110,
                                        .parent = 101,
                                        .service = "shop",
                                        .kind = OTLP_KIND_PRODUCER,
                                        .start_ms = 11,
                                        .end_ms = 19,
                                        .operation = "send",
                                        .topic = elsewhere ? "payments" : "orders"};
        rig_push(&rig, 0, &inner, 1);
        struct hop taken = hop;
        taken.producer_id = 109; /* the inner one's context was in the header */
        hop_push_consumer(&rig, 0, &taken);
        rig_wait(&rig);
        /* Sent to another place it is another message, and the outer one's consumer is due. */
        assert_int_equal(rig_count_out(&rig, 100), elsewhere ? 0 : 1);
        if (!elsewhere)
            hop_expect_merged(&rig, &taken);
        finish(&rig);
    }
}

static void test_nobody_waits_for_consumers_that_were_never_seen(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push_producer(&rig, 0, &hop);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 1);
    finish(&rig);
}

/* Where a consumer's trace is only linked, or the hop is whole, there is nothing to wait for. */
static void test_a_sender_does_not_wait_in_vain(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        learn(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        if (whole)
            hop.consumer = hop.producer;
        else
            rig.topics[TOPIC_ORDERS].repair.mode = REPAIR_LINK;
        hop_push_producer(&rig, 0, &hop);
        if (whole)
            hop_push_consumer(&rig, 0, &hop);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, 100), 1);
        finish(&rig);
    }
}

/* The one in the middle consumed, and sent on: all wait for the end of the chain. */
static void test_a_chain_waits_for_its_last_consumer(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    learn(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    struct hop second = {.evidence = HOP_BY_COORDINATE,
                         .offset = 70,
                         .producer = hop.consumer,
                         .producer_id = 300,
                         .consumer = rig_trace(&rig, 0, 4),
                         .consumer_id = 400};
    hop.topic = "payments"; /* or the chain's middle would consume from where it sends to */
    hop_push(&rig, &hop);
    hop_push_producer(&rig, 0, &second);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 0);
    hop_push_consumer(&rig, 0, &second);
    rig_wait(&rig);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 100), 1);
    assert_true(out_has_trace(rig_out(&rig, 400), hop.producer));
    finish(&rig);
}

/* Kafka's group takes seconds to begin, while RabbitMQ's part of the trace is there. */
static void test_a_trace_waits_for_the_source_that_has_not_begun(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    uint64_t now_ns = clock_monotonic_ns(rig.options.clock);
    worker_group_await_sources(rig.group, now_ns + 5 * RIG_WAIT_MS * NS_PER_MS);
    struct hop hop = hop_default(&rig, HOP_BY_LINK);
    hop.consumer_fails = true;
    hop_push_consumer(&rig, 0, &hop);
    rig_wait(&rig);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0);
    hop_push_producer(&rig, 0, &hop);
    rig_advance_ms(&rig, 3 * RIG_WAIT_MS);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    finish(&rig);
}

static void test_no_trace_waits_for_a_source_beyond_hold(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    worker_group_await_sources(rig.group, UINT64_MAX);
    const struct span_spec span = {.trace = rig_trace(&rig, 0, 1), .id = 1, .error = true};
    rig_push(&rig, 0, &span, 1);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_HOLD_MS - 1);
    rig_settle(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0);
    rig_advance_ms(&rig, RIG_WAIT_MS);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 1), 1);
    finish(&rig);
}

static void test_late_spans_tell_that_they_are_late(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct trace_id trace = rig_trace(&rig, 0, 1);
    const struct span_spec child = {.trace = trace, .id = 11, .parent = 10};
    const struct span_spec root = {.trace = trace, .id = 10};
    rig_push(&rig, 0, &child, 1);
    rig_wait(&rig);
    rig_push(&rig, 0, &root, 1);
    rig_wait(&rig);
    check_verdict(rig_out(&rig, 10), "all", "late");
    assert_int_equal(rig_counters(&rig).late_spans, 1);
    finish(&rig);
}

/* Whichever allocation fails while a tree is decided, it leaves whole and repaired. */
static void test_memory_shortage_delays_a_verdict_and_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 40; nth++) {
        struct rig rig;
        rig_init(&rig);
        for (int i = 0; i < RIG_TOPICS; i++)
            rig.topics[i].repair.mode = REPAIR_BOTH;
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop_push(&rig, &hop);
        struct hop second = {.evidence = HOP_BY_LINK,
                             .topic = "payments",
                             .producer = hop.consumer,
                             .producer_id = 200,
                             .consumer = rig_trace(&rig, 0, 3),
                             .consumer_id = 300};
        hop_push_consumer(&rig, 0, &second);
        rig_settle(&rig);
        rig_advance_ms(&rig, RIG_WAIT_MS + 1);
        memory_fail_at(nth);
        rig_turn(&rig, 0);
        memory_fail_at(0);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        const struct out_span *queue;
        assert_int_equal(rig_synthetic(&rig, &queue), 1);
        assert_true(out_has_trace(rig_out(&rig, 300), hop.producer));
        assert_true(out_has(rig_out(&rig, 300), "spanbridge.repair.original_links"));
        assert_int_equal(
            rig_counters(&rig).repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIRED_PARENT], 1);
        finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_that_no_policy_keeps_is_dropped_and_finished),
        cmocka_unit_test(test_the_merged_trace_is_decided_as_one),
        cmocka_unit_test(test_a_link_shares_no_verdict),
        cmocka_unit_test(test_a_producer_dropped_before_is_linked),
        cmocka_unit_test(test_a_consumer_is_kept_since_its_producer_was),
        cmocka_unit_test(test_a_kept_producer_is_met_where_it_went),
        cmocka_unit_test(test_a_link_to_a_merged_producer_is_added_to_where_it_went),
        cmocka_unit_test(test_a_tree_is_due_with_its_root),
        cmocka_unit_test(test_an_unseen_producer_is_merged_under_its_known_id),
        cmocka_unit_test(test_an_unseen_producer_is_linked_where_that_is_asked_for),
        cmocka_unit_test(test_an_unseen_producer_merges_only_where_all_is_read),
        cmocka_unit_test(test_a_forwarded_header_is_no_parent),
        cmocka_unit_test(test_behind_a_forwarded_header_the_publisher_is_found),
        cmocka_unit_test(test_a_ring_of_hops_is_cut_once),
        cmocka_unit_test(test_a_long_chain_is_cut_somewhere),
        cmocka_unit_test(test_the_caps_hold_for_merged_traces),
        cmocka_unit_test(test_a_merge_does_not_cross_tenants),
        cmocka_unit_test(test_a_trace_at_the_cap_is_decided),
        cmocka_unit_test(test_pressure_decides_the_oldest_trace),
        cmocka_unit_test(test_a_dry_run_keeps_all_and_counts_what_it_would_do),
        cmocka_unit_test(test_a_trace_waits_for_the_tap_that_could_tell),
        cmocka_unit_test(test_each_consumer_waits_for_its_own_tap),
        cmocka_unit_test(test_a_sender_waits_for_the_consumer_that_will_come),
        cmocka_unit_test(test_a_send_span_around_another_waits_for_no_consumer_of_its_own),
        cmocka_unit_test(test_nobody_waits_for_consumers_that_were_never_seen),
        cmocka_unit_test(test_a_sender_does_not_wait_in_vain),
        cmocka_unit_test(test_a_chain_waits_for_its_last_consumer),
        cmocka_unit_test(test_a_trace_waits_for_the_source_that_has_not_begun),
        cmocka_unit_test(test_no_trace_waits_for_a_source_beyond_hold),
        cmocka_unit_test(test_late_spans_tell_that_they_are_late),
        cmocka_unit_test(test_memory_shortage_delays_a_verdict_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
