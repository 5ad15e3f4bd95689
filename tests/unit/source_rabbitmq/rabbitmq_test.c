#include "source_rabbitmq/rabbitmq.h"

#include "rig.h"

static void serve(struct fake_peer *peer)
{
    if (script_consumed(peer, 1))
        peer_serve_to_the_end(peer);
}

static void test_a_source_that_is_never_started(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, serve, NULL);
    assert_int_equal(rig_new(&rig), SB_OK);
    rig_turn(&rig);
    assert_false(sources_spans_drained(rig.sources));
    assert_null(sources_cluster_id(rig.sources));
    rig_end(&rig, true);
}

static void test_names_that_spans_use(void **state)
{
    (void)state;
    const char *const names[] = {"q", "ex", "ex:key:q", ":q", "ex:key"};
    const char *const others[] = {"", "qq", "e", "exx", "key", "q:x", "ex2:k"};
    struct rig rig;
    uint32_t index = 7;
    rig_init(&rig, serve, NULL);
    rig.topics[0].role = SOURCE_MESSAGES;
    rig.queues[0].exchange = "ex";
    assert_int_equal(rig_new(&rig), SB_OK);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(sources_find_topic(rig.sources, SOURCE_MESSAGES, names[i], &index));
    assert_int_equal(index, 0);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(sources_find_topic(rig.sources, SOURCE_MESSAGES, others[i], &index));
    assert_false(sources_find_topic(rig.sources, SOURCE_SPANS, "q", &index));
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_that_is_never_started),
        cmocka_unit_test(test_names_that_spans_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
