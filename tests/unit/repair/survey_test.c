#include "repair/survey.h"

#include "core/memory.h"
#include "resolve_fixture.h"
#include "support/random.h"

enum { INTACT = REPAIR_HOP_INTACT, BROKEN = REPAIR_HOP_BROKEN, NOT_ONE = REPAIR_HOP_NONE };
enum { ORDERS = 1, REPLIES = 2, UNNAMED = 0 };

static struct repair_span *add(struct fixture *fixture, uint64_t parent, int role,
                               uint64_t destination)
{
    struct repair_span *span = add_span(fixture, parent, role);
    span->destination = destination;
    return span;
}

static void look(const struct fixture *fixture, struct repair_hop *ret)
{
    struct repair_scratch *scratch = NULL;
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    assert_int_equal(repair_survey(scratch, fixture->spans, fixture->span_count, ret), SB_OK);
    repair_scratch_free(scratch);
}

/* The state of each span, in order. */
static void expect(const struct fixture *fixture, const int *states)
{
    struct repair_hop hops[SPANS_MAX];
    look(fixture, hops);
    for (uint32_t i = 0; i < fixture->span_count; i++)
        assert_int_equal(hops[i].state, states[i]);
}

static void test_a_consumer_without_a_parent_is_broken(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    add(&fixture, 0, PROCESS, ORDERS);
    add(&fixture, 1, REPAIR_ROLE_UNKNOWN, 0);
    expect(&fixture, (int[]){BROKEN, NOT_ONE});
    struct fixture inside = {0};
    add(&inside, 0, REPAIR_ROLE_UNKNOWN, 0);
    add(&inside, 1, REPAIR_ROLE_UNKNOWN, 0);
    add(&inside, 2, PROCESS, ORDERS);
    expect(&inside, (int[]){NOT_ONE, NOT_ONE, BROKEN});
}

static void test_a_parent_from_elsewhere_makes_it_whole(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    add(&fixture, 0, SEND, ORDERS);
    add(&fixture, 1, PROCESS, ORDERS)->service = 2;
    expect(&fixture, (int[]){NOT_ONE, INTACT});
    struct fixture never_came = {0};
    add(&never_came, 77, PROCESS, ORDERS);
    expect(&never_came, (int[]){INTACT});
    struct fixture above = {0}; /* a framework's span took the context */
    add(&above, 77, REPAIR_ROLE_UNKNOWN, 0);
    add(&above, 1, PROCESS, ORDERS);
    expect(&above, (int[]){NOT_ONE, INTACT});
    struct fixture same_service = {0}; /* its flags say remote */
    add(&same_service, 0, REPAIR_ROLE_UNKNOWN, 0);
    add(&same_service, 1, PROCESS, ORDERS)->flags = FLAGS_REMOTE;
    expect(&same_service, (int[]){NOT_ONE, INTACT});
}

/* What called the server is not what sent the message. */
static void test_the_caller_of_a_server_is_no_producer(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    add(&fixture, 77, REPAIR_ROLE_UNKNOWN, 0)->kind = SERVER;
    add(&fixture, 1, RECEIVE, REPLIES);
    expect(&fixture, (int[]){NOT_ONE, BROKEN});
    struct fixture itself = {0}; /* a library that uses that kind for its consumers */
    add(&itself, 77, PROCESS, ORDERS)->kind = SERVER;
    expect(&itself, (int[]){INTACT});
}

static void test_a_process_that_sends_to_itself(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    add(&fixture, 0, SEND, ORDERS);
    add(&fixture, 1, PROCESS, ORDERS);
    add(&fixture, 2, SEND, REPLIES);
    add(&fixture, 3, PROCESS, ORDERS); /* not what was sent here */
    add(&fixture, 3, PROCESS, REPLIES);
    expect(&fixture, (int[]){NOT_ONE, INTACT, NOT_ONE, BROKEN, INTACT});
}

static void test_a_message_is_counted_where_it_is_processed(void **state)
{
    (void)state;
    struct repair_hop hops[SPANS_MAX];
    struct fixture fixture = {0};
    add(&fixture, 0, RECEIVE, ORDERS);
    add(&fixture, 1, REPAIR_ROLE_UNKNOWN, 0);
    add(&fixture, 2, PROCESS, ORDERS);
    expect(&fixture, (int[]){NOT_ONE, NOT_ONE, BROKEN});
    look(&fixture, hops);
    assert_int_equal(hops[0].stand, 2);
    assert_int_equal(hops[1].stand, REPAIR_NO_SPAN);
    assert_int_equal(hops[2].stand, 2);
    assert_false(hops[2].batch);

    struct fixture unnamed = {0}; /* the one above says more */
    add(&unnamed, 0, PROCESS, ORDERS);
    add(&unnamed, 1, PROCESS, UNNAMED);
    expect(&unnamed, (int[]){BROKEN, NOT_ONE});
    struct fixture other = {0}; /* two messages */
    add(&other, 0, PROCESS, ORDERS);
    add(&other, 1, RECEIVE, REPLIES);
    expect(&other, (int[]){BROKEN, BROKEN});
    struct fixture elsewhere = {0};
    add(&elsewhere, 0, RECEIVE, ORDERS);
    add(&elsewhere, 1, PROCESS, ORDERS)->service = 2;
    expect(&elsewhere, (int[]){BROKEN, INTACT});
}

static void test_a_batch_needs_links_and_no_parent(void **state)
{
    (void)state;
    struct repair_hop hops[SPANS_MAX];
    struct fixture fixture = {0};
    add(&fixture, 0, RECEIVE, ORDERS);
    add(&fixture, 1, PROCESS, ORDERS)->link_count = 1;
    add(&fixture, 1, PROCESS, ORDERS);
    expect(&fixture, (int[]){NOT_ONE, INTACT, BROKEN});
    look(&fixture, hops);
    assert_true(hops[0].batch && hops[1].batch && hops[2].batch);
    struct fixture said = {0};
    add(&said, 0, RECEIVE, ORDERS)->batch_count = 3;
    expect(&said, (int[]){BROKEN});
    said.spans[0].link_count = 1;
    expect(&said, (int[]){INTACT});
    struct fixture alone = {0}; /* one message, one link: it could have a parent */
    add(&alone, 0, PROCESS, ORDERS)->link_count = 1;
    expect(&alone, (int[]){BROKEN});
    alone.spans[0].link_count = 2;
    expect(&alone, (int[]){INTACT});
}

static void test_copies_and_loops_stand_for_nothing(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    add(&fixture, 0, PROCESS, ORDERS);
    add(&fixture, 0, PROCESS, ORDERS)->span_id = span_id_of(1);
    add(&fixture, 4, PROCESS, ORDERS);
    add(&fixture, 3, PROCESS, ORDERS);
    expect(&fixture, (int[]){BROKEN, NOT_ONE, NOT_ONE, NOT_ONE});
    struct fixture none = {0};
    expect(&none, NULL);
}

/* Whatever the ids say: what a span refers to stands for a message. */
static void test_every_stand_stands(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 7);
    for (int round = 0; round < 20000; round++) {
        struct fixture fixture = {0};
        struct repair_hop hops[SPANS_MAX];
        uint32_t count = 1 + (uint32_t)random_below(&random, SPANS_MAX);
        for (uint32_t i = 0; i < count; i++) {
            struct repair_span *span = add(&fixture, random_below(&random, count + 2),
                                           (int)random_below(&random, REPAIR_ROLE_SETTLE + 1),
                                           random_below(&random, 3));
            span->service = (uint32_t)random_below(&random, 2);
            span->link_count = (uint16_t)random_below(&random, 3);
        }
        look(&fixture, hops);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(hops[i].state != REPAIR_HOP_NONE, hops[i].stand == i);
            if (hops[i].stand != REPAIR_NO_SPAN)
                assert_int_equal(hops[hops[i].stand].stand, hops[i].stand);
        }
    }
}

static void test_memory_shortage(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct repair_scratch *scratch = NULL;
    struct repair_hop hops[SPANS_MAX];
    add(&fixture, 0, PROCESS, ORDERS);
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    for (uint64_t nth = 1; nth <= 3; nth++) {
        memory_fail_at(nth);
        assert_int_equal(repair_survey(scratch, fixture.spans, 1, hops), SB_ERR_MEMORY);
    }
    memory_fail_at(0);
    assert_int_equal(repair_survey(scratch, fixture.spans, 1, hops), SB_OK);
    assert_int_equal(hops[0].state, BROKEN);
    assert_int_equal(repair_survey_find(scratch, span_id_of(1)), 0);
    assert_int_equal(repair_survey_find(scratch, span_id_of(2)), REPAIR_NO_SPAN);
    repair_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_consumer_without_a_parent_is_broken),
        cmocka_unit_test(test_a_parent_from_elsewhere_makes_it_whole),
        cmocka_unit_test(test_the_caller_of_a_server_is_no_producer),
        cmocka_unit_test(test_a_process_that_sends_to_itself),
        cmocka_unit_test(test_a_message_is_counted_where_it_is_processed),
        cmocka_unit_test(test_a_batch_needs_links_and_no_parent),
        cmocka_unit_test(test_copies_and_loops_stand_for_nothing),
        cmocka_unit_test(test_every_stand_stands),
        cmocka_unit_test(test_memory_shortage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
