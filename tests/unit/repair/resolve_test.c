/* One test, or more, for each sentence of repair.md, Modes. */
#include "repair/resolve.h"

#include <string.h>

#include "core/memory.h"
#include "support/test.h"

enum { SPANS_MAX = 24, EVIDENCE_MAX = 12, NONE = -1 };
enum { FLAGS_LOCAL = 0x100, FLAGS_REMOTE = 0x300, SERVER = 2 };
enum { RECEIVE = REPAIR_ROLE_RECEIVE, PROCESS = REPAIR_ROLE_PROCESS, SEND = REPAIR_ROLE_SEND };

/* A consumer-side trace: span 1 has index 0 and so on; all of one service unless changed. */
struct fixture {
    struct repair_span spans[SPANS_MAX];
    struct repair_evidence evidence[EVIDENCE_MAX];
    struct repair_outcome outcomes[EVIDENCE_MAX];
    uint32_t span_count;
    uint32_t evidence_count;
};

static struct span_id span_id_of(uint64_t number)
{
    struct span_id id;
    memcpy(id.byte, &number, sizeof(number));
    return id;
}

static struct trace_id trace_id_of(uint8_t number)
{
    return (struct trace_id){.byte = {number}};
}

enum { CONSUMER_TRACE = 1, PRODUCER_TRACE = 2, PRODUCER_SPAN = 100 };

/* parent 0: a root. */
static struct repair_span *add_span(struct fixture *fixture, uint64_t parent, int role)
{
    struct repair_span *span = &fixture->spans[fixture->span_count++];
    *span = (struct repair_span){.span_id = span_id_of(fixture->span_count),
                                 .parent_id = span_id_of(parent),
                                 .start_ns = 100 + fixture->span_count,
                                 .end_ns = 1000,
                                 .service = 1,
                                 .role = (uint8_t)role};
    return span;
}

/* Evidence of message `message` for span `consumer`: its producer is span 100 + message. */
static struct repair_evidence *add_evidence(struct fixture *fixture, uint64_t consumer,
                                            uint8_t message)
{
    struct repair_evidence *evidence = &fixture->evidence[fixture->evidence_count++];
    *evidence = (struct repair_evidence){
        .join = {.rule = REPAIR_RULE_COORDINATE,
                 .key = {.word = {message, message}},
                 .consumer = {.trace_id = trace_id_of(CONSUMER_TRACE),
                              .span_id = span_id_of(consumer)},
                 .producer = {.trace_id = trace_id_of(PRODUCER_TRACE),
                              .span_id = span_id_of(PRODUCER_SPAN + message)}},
        .producer_state = REPAIR_PRODUCER_OPEN,
        .mode = REPAIR_AUTO};
    return evidence;
}

static void resolve(struct fixture *fixture)
{
    struct repair_scratch *scratch = NULL;
    struct repair_trace trace = {.spans = fixture->spans,
                                 .span_count = fixture->span_count,
                                 .evidence = fixture->evidence,
                                 .evidence_count = fixture->evidence_count};
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    assert_int_equal(repair_resolve(scratch, &trace, fixture->outcomes), SB_OK);
    repair_scratch_free(scratch);
    for (uint32_t i = 0; i < fixture->evidence_count; i++)
        assert_int_equal(fixture->outcomes[i].evidence, i);
}

/* target: the number of the span, where a parent is expected. */
static void check(const struct fixture *fixture, uint32_t evidence, enum repair_action action,
                  uint64_t target)
{
    const struct repair_outcome *outcome = &fixture->outcomes[evidence];
    assert_int_equal(outcome->action, action);
    if (outcome->consumer != REPAIR_NO_SPAN)
        assert_true(span_id_equal(fixture->spans[outcome->consumer].span_id,
                                  fixture->evidence[evidence].join.consumer.span_id));
    if (action == REPAIR_ACTION_PARENT)
        assert_int_equal(outcome->target, target - 1);
    else
        assert_int_equal(outcome->target, outcome->consumer);
}

static void check_parent(const struct fixture *fixture, uint32_t evidence, uint64_t target)
{
    check(fixture, evidence, REPAIR_ACTION_PARENT, target);
}

static void check_link(const struct fixture *fixture, uint32_t evidence)
{
    check(fixture, evidence, REPAIR_ACTION_LINK, 0);
}

static void check_none(const struct fixture *fixture, uint32_t evidence)
{
    check(fixture, evidence, REPAIR_ACTION_NONE, 0);
}

static void test_a_root_takes_the_producer(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_span(&f, 1, 0);
    add_evidence(&f, 1, 1);
    resolve(&f);
    check_parent(&f, 0, 1);
    assert_false(f.outcomes[0].link_too);
    assert_false(f.outcomes[0].link_exists);
}

static void test_every_mode(void **state)
{
    (void)state;
    static const struct {
        enum repair_mode mode;
        enum repair_action action;
        bool link_too;
    } rows[] = {
        {REPAIR_OFF, REPAIR_ACTION_NONE, false},
        {REPAIR_REPORT, REPAIR_ACTION_PARENT, false}, /* what auto would do */
        {REPAIR_LINK, REPAIR_ACTION_LINK, false},
        {REPAIR_PARENT, REPAIR_ACTION_PARENT, false},
        {REPAIR_BOTH, REPAIR_ACTION_PARENT, true},
        {REPAIR_AUTO, REPAIR_ACTION_PARENT, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f = {0};
        add_span(&f, 0, PROCESS);
        add_evidence(&f, 1, 1)->mode = rows[i].mode;
        resolve(&f);
        check(&f, 0, rows[i].action, 1);
        assert_int_equal(f.outcomes[0].link_too, rows[i].link_too);
        /* What can not be a parent is a link, in all modes that do anything. */
        f.spans[0].batch_count = 2;
        resolve(&f);
        check(&f, 0, i == 0 ? REPAIR_ACTION_NONE : REPAIR_ACTION_LINK, 0);
        assert_false(f.outcomes[0].link_too);
    }
}

static void test_every_producer_state(void **state)
{
    (void)state;
    static const struct {
        enum repair_producer_state producer_state;
        bool parent;
    } rows[] = {
        {REPAIR_PRODUCER_OPEN, true},         {REPAIR_PRODUCER_KEPT, true},
        {REPAIR_PRODUCER_DROPPED, false},     {REPAIR_PRODUCER_UNSEEN, true},
        {REPAIR_PRODUCER_UNSEEN_LINK, false}, {REPAIR_PRODUCER_FORWARDED, false},
    };
    static const enum repair_mode modes[] = {REPAIR_AUTO, REPAIR_PARENT, REPAIR_BOTH,
                                             REPAIR_REPORT};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
            struct fixture f = {0};
            add_span(&f, 0, PROCESS);
            struct repair_evidence *evidence = add_evidence(&f, 1, 1);
            evidence->producer_state = rows[i].producer_state;
            evidence->mode = modes[n];
            resolve(&f);
            check(&f, 0, rows[i].parent ? REPAIR_ACTION_PARENT : REPAIR_ACTION_LINK, 1);
        }
    }
}

static void test_the_local_root_takes_it_for_a_span_below(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE); /* as confluent-kafka: recv, and process below */
    add_span(&f, 1, 0);
    add_span(&f, 2, PROCESS);
    add_span(&f, 3, SEND);
    add_evidence(&f, 3, 1);
    resolve(&f);
    check_parent(&f, 0, 1);
    assert_int_equal(f.outcomes[0].consumer, 2);
}

/* Two messages under one root: neither may have it. */
static void test_a_local_root_with_two_hops_links(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, 0);
    add_span(&f, 1, PROCESS);
    add_span(&f, 1, PROCESS);
    add_evidence(&f, 2, 1);
    add_evidence(&f, 3, 2);
    resolve(&f);
    check_link(&f, 0);
    check_link(&f, 1);
}

/* A second consumer span that nothing explains is a second hop too. */
static void test_a_local_root_with_an_unexplained_consumer_links(void **state)
{
    (void)state;
    for (int role = RECEIVE; role <= PROCESS; role++) {
        struct fixture f = {0};
        add_span(&f, 0, 0);
        add_span(&f, 1, PROCESS);
        add_span(&f, 1, role);
        add_evidence(&f, 2, 1);
        resolve(&f);
        check_link(&f, 0);
        f.spans[2].role = SEND;
        resolve(&f);
        check_parent(&f, 0, 1);
    }
}

/* Consumer spans above and below the evidence are of its own hop. */
static void test_nested_consumer_spans_are_one_hop(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, RECEIVE);
    add_span(&f, 2, PROCESS);
    add_span(&f, 3, PROCESS);
    add_evidence(&f, 3, 1);
    resolve(&f);
    check_parent(&f, 0, 1);
}

/* kotel without propagation: receive and process name the same coordinate. */
static void test_two_spans_of_one_message_act_once(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    add_evidence(&f, 2, 1);
    add_evidence(&f, 1, 1);
    resolve(&f);
    check_none(&f, 0);
    check_parent(&f, 1, 1);
    f.evidence[0].mode = REPAIR_LINK;
    f.evidence[1].mode = REPAIR_LINK;
    resolve(&f);
    check_none(&f, 0);
    check_link(&f, 1);
    /* Nor does it matter what stands between them. */
    f.spans[1].role = 0;
    add_span(&f, 2, PROCESS);
    f.evidence[0].join.consumer.span_id = span_id_of(3);
    resolve(&f);
    check_none(&f, 0);
    check_link(&f, 1);
    /* Beside each other they have one root: it is given once. */
    f.span_count = 2;
    f.spans[1].role = PROCESS;
    f.evidence[0].join.consumer.span_id = span_id_of(2);
    f.evidence[0].mode = REPAIR_AUTO;
    f.evidence[1].mode = REPAIR_AUTO;
    f.spans[0].role = 0;
    add_span(&f, 1, PROCESS);
    f.evidence[1].join.consumer.span_id = span_id_of(3);
    resolve(&f);
    check_parent(&f, 0, 1);
    check_none(&f, 1);
}

/* The link names the producer, the coordinate the same one: by one hop, two ways. */
static void test_a_link_and_a_coordinate_can_be_one_hop(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    add_evidence(&f, 1, 1);
    struct repair_evidence *link = add_evidence(&f, 2, 1);
    link->join.rule = REPAIR_RULE_LINK;
    link->join.key.word[0] = 77;
    resolve(&f);
    check_parent(&f, 0, 1);
    check_none(&f, 1);
    link->join.producer.span_id = span_id_of(55); /* another producer: another hop */
    resolve(&f);
    check_parent(&f, 0, 1); /* itself a root */
    check_link(&f, 1);
}

static void test_a_remote_parent_is_kept(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        uint32_t service; /* the parent's is 1 */
        bool parent_is_here;
        bool remote;
    } rows[] = {
        {0, 1, true, false},           {0, 2, true, true},  {FLAGS_REMOTE, 1, true, true},
        {FLAGS_LOCAL, 2, true, false}, {0, 1, false, true}, {FLAGS_REMOTE, 1, false, true},
        {FLAGS_LOCAL, 1, false, true}, /* the local root is not here */
    };
    static const enum repair_mode modes[] = {REPAIR_AUTO, REPAIR_PARENT, REPAIR_BOTH};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
            struct fixture f = {0};
            add_span(&f, 0, 0);
            struct repair_span *consumer =
                add_span(&f, rows[i].parent_is_here ? 1 : 99, PROCESS);
            consumer->flags = rows[i].flags;
            consumer->service = rows[i].service;
            add_evidence(&f, 2, 1)->mode = modes[n];
            resolve(&f);
            if (rows[i].remote)
                check_link(&f, 0);
            else
                check_parent(&f, 0, 1);
        }
    }
}

static void test_a_local_root_with_a_remote_parent_keeps_it(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, 0)->service = 2;
    add_span(&f, 1, 0);
    add_span(&f, 2, PROCESS);
    add_evidence(&f, 3, 1);
    resolve(&f);
    check_link(&f, 0);
}

/* Hops further down, intact, do not hinder the one at the top. */
static void test_intact_hops_below_do_not_count(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    add_span(&f, 2, SEND);
    add_span(&f, 3, PROCESS)->service = 2; /* in the next service, child of the send span */
    add_evidence(&f, 2, 1);
    struct repair_evidence *inner = add_evidence(&f, 4, 2);
    inner->join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
    inner->join.producer.span_id = span_id_of(3);
    resolve(&f);
    check_parent(&f, 0, 1);
    check_none(&f, 1);
}

static void test_what_is_joined_already_is_left(void **state)
{
    (void)state;
    for (int missing = 0; missing < 2; missing++) {
        /* The producer's span is the parent, seen or not; and again one span further down. */
        struct fixture f = {0};
        add_span(&f, 0, 0)->service = 2;
        add_span(&f, missing == 0 ? 1 : 99, RECEIVE);
        add_span(&f, 2, PROCESS);
        for (uint64_t consumer = 2; consumer <= 3; consumer++) {
            struct repair_evidence *evidence = add_evidence(&f, consumer, 1);
            evidence->join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
            evidence->join.producer.span_id = span_id_of(missing == 0 ? 1 : 99);
        }
        resolve(&f);
        check_none(&f, 0);
        check_none(&f, 1);
        f.evidence[0] = f.evidence[1]; /* the lower one alone */
        f.evidence_count = 1;
        resolve(&f);
        check_none(&f, 0);
        /* The same span id in another trace is another span. */
        f.evidence[0].join.consumer.span_id = span_id_of(2);
        f.evidence[0].join.producer.trace_id = trace_id_of(PRODUCER_TRACE);
        resolve(&f);
        check_link(&f, 0);
    }
}

static void test_a_link_to_an_ancestor_is_no_evidence(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, 0);
    add_span(&f, 2, PROCESS);
    for (uint64_t ancestor = 1; ancestor <= 3; ancestor++) { /* the last one is itself */
        f.evidence_count = 0;
        struct repair_evidence *evidence = add_evidence(&f, 3, 1);
        evidence->join.rule = REPAIR_RULE_LINK;
        evidence->join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
        evidence->join.producer.span_id = span_id_of(ancestor);
        resolve(&f);
        check_none(&f, 0);
    }
}

/* Within one trace: under a producer that stands apart, never under one of one's own. */
static void test_producers_in_the_same_trace(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, SEND)->service = 2;
    add_span(&f, 0, PROCESS);
    add_span(&f, 2, SEND);
    struct repair_evidence *evidence = add_evidence(&f, 2, 1);
    evidence->join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
    evidence->join.producer.span_id = span_id_of(1);
    resolve(&f);
    check_parent(&f, 0, 2);
    evidence->join.producer.span_id = span_id_of(3); /* hangs under the consumer */
    resolve(&f);
    check_link(&f, 0);
    evidence->join.producer.span_id = span_id_of(99); /* not here: it could hang anywhere */
    resolve(&f);
    check_link(&f, 0);
    add_span(&f, 4, SEND); /* in a loop */
    evidence->join.producer.span_id = span_id_of(4);
    resolve(&f);
    check_link(&f, 0);
}

static void test_batches_only_link(void **state)
{
    (void)state;
    static const enum repair_mode modes[] = {REPAIR_AUTO, REPAIR_PARENT, REPAIR_BOTH};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct fixture f = {0};
        struct repair_span *span = add_span(&f, 0, PROCESS);
        add_evidence(&f, 1, 1)->mode = modes[i];
        span->batch_count = 1;
        span->link_count = 1;
        resolve(&f);
        check_parent(&f, 0, 1);
        span->batch_count = 2;
        resolve(&f);
        check_link(&f, 0);
        span->batch_count = 0;
        span->link_count = 2;
        resolve(&f);
        check_link(&f, 0);
    }
}

/* A batch above: its process spans are of single messages, its root of none of them. */
static void test_below_a_batch_only_links(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE)->batch_count = 5;
    add_span(&f, 1, 0);
    add_span(&f, 2, PROCESS);
    add_evidence(&f, 3, 1);
    resolve(&f);
    check_link(&f, 0);
    f.spans[0].batch_count = 0;
    f.spans[0].link_count = 2;
    resolve(&f);
    check_link(&f, 0);
    f.spans[0].role = 0; /* no consumer span: its links are its own affair */
    resolve(&f);
    check_parent(&f, 0, 1);
}

static void test_a_receive_above_several_process_spans_only_links(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, 0);
    add_span(&f, 2, PROCESS);
    add_span(&f, 3, PROCESS); /* nested: not a message of its own */
    add_evidence(&f, 1, 1);
    resolve(&f);
    check_parent(&f, 0, 1);
    add_span(&f, 1, PROCESS);
    resolve(&f);
    check_link(&f, 0);
    f.spans[4].service = 2; /* another service's consumer is not below it */
    resolve(&f);
    check_parent(&f, 0, 1);
}

/* A batch's receive and process spans each keep their links: nothing covers them. */
static void test_links_of_a_batch_are_all_made(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    add_span(&f, 1, PROCESS);
    add_evidence(&f, 1, 1)->join.rule = REPAIR_RULE_LINK;
    add_evidence(&f, 1, 2)->join.rule = REPAIR_RULE_LINK;
    add_evidence(&f, 2, 1);
    add_evidence(&f, 3, 2);
    resolve(&f);
    for (uint32_t i = 0; i < 4; i++) {
        check_link(&f, i);
        assert_int_equal(f.outcomes[i].link_exists, i < 2);
    }
}

static void test_the_strongest_rule_of_a_span_acts(void **state)
{
    (void)state;
    static const enum repair_rule rules[] = {REPAIR_RULE_LINK, REPAIR_RULE_COORDINATE,
                                             REPAIR_RULE_HEADER_AT_COORDINATE};
    for (int strong = 0; strong < 2; strong++) {
        for (int turned = 0; turned < 2; turned++) {
            struct fixture f = {0};
            add_span(&f, 0, PROCESS);
            add_evidence(&f, 1, 1)->join.rule = rules[turned == 0 ? strong : strong + 1];
            add_evidence(&f, 1, 2)->join.rule = rules[turned == 0 ? strong + 1 : strong];
            resolve(&f);
            check_parent(&f, (uint32_t)turned, 1);
            check_none(&f, (uint32_t)(1 - turned));
            assert_int_equal(f.outcomes[turned].link_exists, strong == 0);
        }
    }
}

static void test_evidence_that_never_acts_does_not_compete(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_evidence(&f, 1, 1)->join.rule = REPAIR_RULE_SAME_TRACE;
    struct repair_evidence *off = add_evidence(&f, 1, 2);
    off->join.rule = REPAIR_RULE_LINK;
    off->mode = REPAIR_OFF;
    struct repair_evidence *nobody = add_evidence(&f, 1, 3);
    nobody->join.rule = REPAIR_RULE_LINK;
    nobody->join.producer.span_id = span_id_of(0);
    struct repair_evidence *nowhere = add_evidence(&f, 1, 4);
    nowhere->join.rule = REPAIR_RULE_LINK;
    nowhere->join.producer.trace_id = trace_id_of(0);
    add_evidence(&f, 1, 5);
    resolve(&f);
    for (uint32_t i = 0; i < 4; i++)
        check_none(&f, i);
    check_parent(&f, 4, 1);
}

static void test_several_producers_of_one_message_are_ambiguous(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_evidence(&f, 1, 1);
    add_evidence(&f, 1, 1); /* the same again is nothing new */
    resolve(&f);
    check_parent(&f, 0, 1);
    check_none(&f, 1);
    add_evidence(&f, 1, 1)->join.producer.span_id = span_id_of(55);
    resolve(&f);
    check(&f, 0, REPAIR_ACTION_AMBIGUOUS, 0);
    check_none(&f, 1);
    check_none(&f, 2);
    add_evidence(&f, 1, 2); /* another message besides */
    resolve(&f);
    check(&f, 0, REPAIR_ACTION_AMBIGUOUS, 0);
    check_none(&f, 3);
    f.evidence_count = 3;
    /* What is known better settles it. */
    add_evidence(&f, 1, 1)->join.rule = REPAIR_RULE_LINK;
    resolve(&f);
    check_parent(&f, 3, 1);
    for (uint32_t i = 0; i < 3; i++)
        check_none(&f, i);
}

/* An ambiguous span above does not speak for the one below. */
static void test_ambiguity_covers_nothing(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    add_evidence(&f, 1, 1);
    add_evidence(&f, 1, 1)->join.producer.span_id = span_id_of(55);
    add_evidence(&f, 2, 1)->mode = REPAIR_LINK;
    resolve(&f);
    check(&f, 0, REPAIR_ACTION_AMBIGUOUS, 0);
    check_none(&f, 1);
    check_link(&f, 2);
}

static void test_several_messages_of_one_span_are_a_batch(void **state)
{
    (void)state;
    for (int links = 0; links < 2; links++) {
        struct fixture f = {0};
        add_span(&f, 0, PROCESS);
        for (uint8_t i = 1; i <= 3; i++)
            add_evidence(&f, 1, i)->join.rule =
                links == 1 ? REPAIR_RULE_LINK : REPAIR_RULE_COORDINATE;
        resolve(&f);
        for (uint32_t i = 0; i < 3; i++) {
            check_link(&f, i);
            assert_int_equal(f.outcomes[i].link_exists, links == 1);
        }
    }
}

/* A trace has one id: one of its roots takes a parent. */
static void test_at_most_one_parent(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_span(&f, 0, PROCESS);
    add_span(&f, 0, PROCESS);
    add_evidence(&f, 3, 3);
    add_evidence(&f, 2, 2);
    add_evidence(&f, 1, 1);
    resolve(&f);
    check_link(&f, 0);
    check_link(&f, 1);
    check_parent(&f, 2, 1); /* the earliest */
    for (uint32_t i = 0; i < 3; i++)
        f.evidence[i].mode = REPAIR_BOTH;
    resolve(&f);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(f.outcomes[i].link_too, i == 2);
    f.spans[0].start_ns = f.spans[1].start_ns;
    resolve(&f);
    check_parent(&f, 2, 1); /* the first of equals */
    f.evidence[0].join.rule = REPAIR_RULE_LINK;
    resolve(&f);
    check_parent(&f, 0, 3); /* the strongest rule */
    check_link(&f, 1);
    check_link(&f, 2);
}

/* What is only reported takes no place from what acts. */
static void test_reports_give_way(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_span(&f, 0, PROCESS);
    struct repair_evidence *reported = add_evidence(&f, 1, 1);
    reported->mode = REPAIR_REPORT;
    reported->join.rule = REPAIR_RULE_LINK;
    add_evidence(&f, 2, 2);
    resolve(&f);
    check_link(&f, 0);
    check_parent(&f, 1, 2);
}

/* One that waits for a reply sent something before, or was asked: its root stays. */
static void test_requesters_are_not_moved(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, 0);
    add_span(&f, 1, SEND);
    add_span(&f, 1, RECEIVE);
    add_evidence(&f, 3, 1);
    resolve(&f);
    check_link(&f, 0);
    f.spans[1].role = REPAIR_ROLE_CREATE;
    resolve(&f);
    check_link(&f, 0);
    f.spans[1].start_ns = f.spans[2].start_ns; /* afterwards is another matter */
    resolve(&f);
    check_parent(&f, 0, 1);
    f.spans[0].kind = SERVER;
    resolve(&f);
    check_link(&f, 0);
    f.evidence[0].join.consumer.span_id = span_id_of(1); /* a root itself: it says so */
    resolve(&f);
    check_parent(&f, 0, 1);
}

static void test_copies_of_spans_are_not_counted(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, RECEIVE);
    add_span(&f, 1, PROCESS);
    f.spans[f.span_count++] = f.spans[1];
    add_evidence(&f, 2, 1);
    resolve(&f);
    check_parent(&f, 0, 1);
    f.spans[0].role = 0;
    resolve(&f);
    check_parent(&f, 0, 1);
}

static void test_loops_only_link(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 1, PROCESS); /* its own parent */
    add_span(&f, 3, PROCESS);
    add_span(&f, 2, PROCESS);
    add_span(&f, 3, PROCESS); /* below that loop */
    for (uint8_t i = 1; i <= 4; i++)
        add_evidence(&f, i, i);
    resolve(&f);
    for (uint32_t i = 0; i < 4; i++)
        check_link(&f, i);
    /* Named as one's parent it is joined, in a loop too. */
    f.evidence[1].join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
    f.evidence[1].join.producer.span_id = span_id_of(3);
    f.evidence[0].join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
    f.evidence[0].join.producer.span_id = span_id_of(1); /* itself */
    f.spans[0].parent_id = span_id_of(4);
    f.spans[3].parent_id = span_id_of(1);
    resolve(&f);
    check_none(&f, 0);
    check_none(&f, 1);
}

static void test_consumers_that_are_not_here(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_evidence(&f, 77, 1);
    resolve(&f);
    check_none(&f, 0);
    assert_int_equal(f.outcomes[0].consumer, REPAIR_NO_SPAN);
    f.span_count = 0;
    resolve(&f);
    check_none(&f, 0);
}

static void test_memory_shortage_is_reported(void **state)
{
    (void)state;
    struct fixture f = {0};
    add_span(&f, 0, PROCESS);
    add_evidence(&f, 1, 1);
    struct repair_trace trace = {
        .spans = f.spans, .span_count = 1, .evidence = f.evidence, .evidence_count = 1};
    for (uint64_t nth = 1; nth <= 4; nth++) {
        struct repair_scratch *scratch = NULL;
        assert_int_equal(repair_scratch_new(&scratch), SB_OK);
        memory_fail_at(nth);
        assert_int_equal(repair_resolve(scratch, &trace, f.outcomes), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_int_equal(repair_resolve(scratch, &trace, f.outcomes), SB_OK);
        check_parent(&f, 0, 1);
        repair_scratch_free(scratch);
    }
}

/* A trace at the caps, made to hurt: done in the time of a few hundred thousand steps. */
static void test_large_hostile_traces(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct repair_span *spans = memory_zalloc(MANY, sizeof(*spans));
    struct repair_evidence *evidence = memory_zalloc(MANY, sizeof(*evidence));
    struct repair_outcome *outcomes = memory_zalloc(MANY, sizeof(*outcomes));
    struct repair_scratch *scratch = NULL;
    assert_non_null(spans);
    assert_non_null(evidence);
    assert_non_null(outcomes);
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        struct fixture f = {0};
        add_span(&f, i, i % 2 == 0 ? RECEIVE : PROCESS); /* one long chain */
        spans[i] = f.spans[0];
        spans[i].span_id = span_id_of(i + 1U);
        evidence[i] = *add_evidence(&f, i + 1U, (uint8_t)i);
        evidence[i].join.key.word[0] = i;
        evidence[i].join.producer.span_id = span_id_of(1000000U + i);
    }
    struct repair_trace trace = {
        .spans = spans, .span_count = MANY, .evidence = evidence, .evidence_count = MANY};
    assert_int_equal(repair_resolve(scratch, &trace, outcomes), SB_OK);
    assert_int_equal(outcomes[0].action, REPAIR_ACTION_PARENT);
    for (uint32_t i = 1; i < MANY; i++)
        assert_int_equal(outcomes[i].action, REPAIR_ACTION_LINK);
    for (uint32_t i = 0; i < MANY; i++) /* all of it about one span */
        evidence[i].join.consumer.span_id = span_id_of(MANY);
    assert_int_equal(repair_resolve(scratch, &trace, outcomes), SB_OK);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(outcomes[i].action, REPAIR_ACTION_LINK);
    repair_scratch_free(scratch);
    memory_free(outcomes);
    memory_free(evidence);
    memory_free(spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_root_takes_the_producer),
        cmocka_unit_test(test_every_mode),
        cmocka_unit_test(test_every_producer_state),
        cmocka_unit_test(test_the_local_root_takes_it_for_a_span_below),
        cmocka_unit_test(test_a_local_root_with_two_hops_links),
        cmocka_unit_test(test_a_local_root_with_an_unexplained_consumer_links),
        cmocka_unit_test(test_nested_consumer_spans_are_one_hop),
        cmocka_unit_test(test_two_spans_of_one_message_act_once),
        cmocka_unit_test(test_a_link_and_a_coordinate_can_be_one_hop),
        cmocka_unit_test(test_a_remote_parent_is_kept),
        cmocka_unit_test(test_a_local_root_with_a_remote_parent_keeps_it),
        cmocka_unit_test(test_intact_hops_below_do_not_count),
        cmocka_unit_test(test_what_is_joined_already_is_left),
        cmocka_unit_test(test_a_link_to_an_ancestor_is_no_evidence),
        cmocka_unit_test(test_producers_in_the_same_trace),
        cmocka_unit_test(test_batches_only_link),
        cmocka_unit_test(test_below_a_batch_only_links),
        cmocka_unit_test(test_a_receive_above_several_process_spans_only_links),
        cmocka_unit_test(test_links_of_a_batch_are_all_made),
        cmocka_unit_test(test_the_strongest_rule_of_a_span_acts),
        cmocka_unit_test(test_evidence_that_never_acts_does_not_compete),
        cmocka_unit_test(test_several_producers_of_one_message_are_ambiguous),
        cmocka_unit_test(test_ambiguity_covers_nothing),
        cmocka_unit_test(test_several_messages_of_one_span_are_a_batch),
        cmocka_unit_test(test_at_most_one_parent),
        cmocka_unit_test(test_reports_give_way),
        cmocka_unit_test(test_requesters_are_not_moved),
        cmocka_unit_test(test_copies_of_spans_are_not_counted),
        cmocka_unit_test(test_loops_only_link),
        cmocka_unit_test(test_consumers_that_are_not_here),
        cmocka_unit_test(test_memory_shortage_is_reported),
        cmocka_unit_test(test_large_hostile_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
