/* One message: a test, or more, for each sentence of repair.md, Modes. */
#include "resolve_fixture.h"

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
        cmocka_unit_test(test_requesters_are_not_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
