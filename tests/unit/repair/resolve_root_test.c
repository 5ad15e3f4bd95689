/* repair_resolve_root against repair_resolve: what it says without the other spans is the same. */
#include "resolve_fixture.h"
#include "support/random.h"

static int random_role(struct random *random)
{
    static const int roles[] = {0, RECEIVE, PROCESS, PROCESS, SEND, REPAIR_ROLE_CREATE};
    return roles[random_below(random, sizeof(roles) / sizeof(roles[0]))];
}

/* A trace of any shape, with one piece of evidence for any of its spans; that span. */
static struct repair_span *fill(struct fixture *fixture, struct random *random)
{
    uint64_t count = 1 + random_below(random, SPANS_MAX);
    uint64_t consumer = 1 + random_below(random, count);
    for (uint64_t i = 0; i < count; i++) {
        /* The consumer, or any span, itself, or nothing that is here; or it is a root. */
        uint64_t parents[] = {0, consumer, random_below(random, count + 3)};
        uint64_t parent = parents[random_below(random, 3)];
        struct repair_span *span = add_span(fixture, parent, random_role(random));
        span->start_ns = 100 + random_below(random, 20);
        span->service = 1 + (uint32_t)random_below(random, 2);
        span->flags = random_below(random, 4) == 0 ? FLAGS_REMOTE : 0;
        span->kind = random_below(random, 4) == 0 ? SERVER : 0;
        span->batch_count =
            random_below(random, 8) == 0 ? 2 : (uint32_t)random_below(random, 2);
        span->link_count = (uint16_t)(random_below(random, 8) / 3);
    }
    struct repair_evidence *evidence = add_evidence(fixture, consumer, 1);
    evidence->join.rule = random_below(random, 3) == 0
                              ? REPAIR_RULE_LINK
                              : (enum repair_rule)random_below(random, 4);
    evidence->producer_state =
        (enum repair_producer_state)random_below(random, REPAIR_PRODUCER_FORWARDED + 1);
    evidence->mode = (enum repair_mode)random_below(random, REPAIR_AUTO + 1);
    if (random_below(random, 16) == 0)
        evidence->join.producer.trace_id = trace_id_of(CONSUMER_TRACE);
    if (random_below(random, 16) == 0)
        evidence->join.producer.span_id = span_id_of(0);
    return &fixture->spans[consumer - 1];
}

static void test_random_traces_against_the_whole(void **state)
{
    (void)state;
    enum { TRACES = 60000, TOLD_MIN = 1000 };
    struct random random;
    random_init(&random, 23);
    uint32_t told = 0;
    for (int i = 0; i < TRACES; i++) {
        struct fixture f = {0};
        const struct repair_span *consumer = fill(&f, &random);
        struct repair_outcome outcome;
        if (!repair_resolve_root(consumer, &f.evidence[0], &outcome))
            continue;
        told++;
        resolve(&f);
        assert_int_equal(outcome.action, f.outcomes[0].action);
        assert_int_equal(outcome.link_too, f.outcomes[0].link_too);
        assert_int_equal(outcome.link_exists, f.outcomes[0].link_exists);
        assert_int_equal(outcome.consumer, outcome.target);
        assert_int_equal(f.outcomes[0].consumer, f.outcomes[0].target);
        assert_int_equal(f.outcomes[0].consumer, consumer - f.spans);
    }
    assert_true(told >= TOLD_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_traces_against_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
