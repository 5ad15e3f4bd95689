/* Batches, several pieces of evidence, and traces that are not what they should be. */
#include "core/memory.h"
#include "resolve_fixture.h"

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
        cmocka_unit_test(test_copies_of_spans_are_not_counted),
        cmocka_unit_test(test_loops_only_link),
        cmocka_unit_test(test_consumers_that_are_not_here),
        cmocka_unit_test(test_memory_shortage_is_reported),
        cmocka_unit_test(test_large_hostile_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
