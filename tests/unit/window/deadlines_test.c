#include "window_fixture.h"

#include "support/random.h"

static void test_deadlines_come_in_the_order_of_arrival(void **state)
{
    (void)state;
    enum { TRACES = 100 };
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    assert_int_equal(window_due(window, UINT64_MAX), WINDOW_NONE);
    window_trace traces[TRACES];
    for (uint64_t i = 0; i < TRACES; i++)
        traces[i] = open_trace(window, i, 1000 + i * NS_PER_MS);
    /* More spans change nothing: the deadline counts from the first one. */
    assert_int_equal(append(window, traces[0], 100), SB_OK);
    assert_int_equal(window_due(window, WAIT_NS + 999), WINDOW_NONE);
    for (uint64_t i = 0; i < TRACES; i++) {
        uint64_t due_ns = 1000 + i * NS_PER_MS + WAIT_NS;
        assert_int_equal(window_oldest(window), traces[i]);
        assert_int_equal(window_due(window, due_ns - 1), WINDOW_NONE);
        assert_int_equal(window_due(window, due_ns), traces[i]);
        assert_int_equal(window_due(window, due_ns), traces[i]); /* it stays where it is */
        window_close(window, traces[i]);
    }
    assert_int_equal(window_oldest(window), WINDOW_NONE);
    window_free(window);
}

static void test_a_held_trace_is_due_again_after_a_while(void **state)
{
    (void)state;
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    window_trace first = open_trace(window, 1, 0);
    window_trace second = open_trace(window, 2, 1);
    window_hold(window, first, WAIT_NS);
    assert_int_equal(window_due(window, WAIT_NS), WINDOW_NONE);
    assert_int_equal(window_due(window, WAIT_NS + 1), second);
    window_hold(window, second, WAIT_NS + 1);
    assert_int_equal(window_due(window, WAIT_NS + RETRY_NS - 1), WINDOW_NONE);
    assert_int_equal(window_due(window, WAIT_NS + RETRY_NS), first);
    window_hold(window, first, WAIT_NS + RETRY_NS);
    assert_int_equal(window_due(window, WAIT_NS + RETRY_NS + 1), second);
    window_free(window);
}

static void test_a_suspended_trace_is_never_due(void **state)
{
    (void)state;
    struct window_options options = default_options();
    struct window *window = new_window(&options);
    window_trace trace = open_trace(window, 1, 0);
    window_suspend(window, trace);
    assert_int_equal(window_due(window, UINT64_MAX), WINDOW_NONE);
    assert_int_equal(window_oldest(window), WINDOW_NONE);
    assert_int_equal(window_any(window), trace);
    assert_int_equal(window_first_seen_ns(window, trace), 0);
    window_free(window);
}

/* The deadlines that a root and idleness set, by themselves and together, against arithmetic. */
enum { CLOCKED_TRACES = 40 };

struct clocked {
    bool open;
    window_trace trace;
    uint64_t first_ns;
    uint64_t last_ns;
    uint64_t root_ns; /* UINT64_MAX: none */
};

struct clocks {
    struct window *window;
    struct window_options options;
    struct random random;
    uint64_t now_ns;
    uint64_t next_number;
    struct clocked traces[CLOCKED_TRACES];
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t deadline_of(const struct clocks *clocks, const struct clocked *t)
{
    const struct window_options *options = &clocks->options;
    uint64_t due_ns = t->first_ns + options->wait_ns;
    if (options->idle_ns != 0)
        due_ns = least(due_ns, t->last_ns + options->idle_ns);
    if (options->after_root_ns != 0 && t->root_ns != UINT64_MAX)
        due_ns = least(due_ns, t->root_ns + options->after_root_ns);
    return due_ns;
}

static struct clocked *find_clocked(struct clocks *clocks, window_trace trace)
{
    for (int i = 0; i < CLOCKED_TRACES; i++)
        if (clocks->traces[i].open && clocks->traces[i].trace == trace)
            return &clocks->traces[i];
    fail();
    return NULL;
}

static void take_due(struct clocks *clocks)
{
    window_trace due;
    while ((due = window_due(clocks->window, clocks->now_ns)) != WINDOW_NONE) {
        struct clocked *t = find_clocked(clocks, due);
        assert_true(deadline_of(clocks, t) <= clocks->now_ns);
        enum window_deadline why = window_deadline(clocks->window, due, clocks->now_ns);
        if (t->first_ns + WAIT_NS <= clocks->now_ns)
            assert_int_equal(why, WINDOW_WAIT);
        else if (clocks->options.idle_ns == 0 || clocks->options.idle_ns > WAIT_NS)
            assert_int_equal(why, WINDOW_AFTER_ROOT);
        else if (clocks->options.after_root_ns == 0)
            assert_int_equal(why, WINDOW_IDLE);
        window_close(clocks->window, due);
        t->open = false;
    }
}

/* None is kept waiting for longer than it takes to look again. */
static void check_none_is_overdue(struct clocks *clocks, uint64_t tick_ns)
{
    for (int i = 0; i < CLOCKED_TRACES; i++) {
        struct clocked t = clocks->traces[i];
        if (clocks->options.idle_ns != 0)
            t.root_ns = UINT64_MAX; /* it may have come while the trace was held */
        if (t.open)
            assert_true(clocks->now_ns < deadline_of(clocks, &t) + RETRY_NS + tick_ns);
    }
}

static void clocked_step(struct clocks *clocks)
{
    struct clocked *t = &clocks->traces[random_below(&clocks->random, CLOCKED_TRACES)];
    if (!t->open) {
        *t = (struct clocked){
            .open = true,
            .trace = open_trace(clocks->window, clocks->next_number++, clocks->now_ns),
            .first_ns = clocks->now_ns,
            .root_ns = UINT64_MAX};
    }
    assert_int_equal(append(clocks->window, t->trace, 10), SB_OK);
    window_touch(clocks->window, t->trace, clocks->now_ns);
    t->last_ns = clocks->now_ns;
    if (t->root_ns == UINT64_MAX && random_chance(&clocks->random, 30)) {
        window_root_seen(clocks->window, t->trace, clocks->now_ns);
        t->root_ns = clocks->now_ns;
    }
}

static void test_a_root_and_idleness_bring_the_deadline_forward(void **state)
{
    (void)state;
    enum { TICKS = 20000, TICK_MS = 20 };
    static const uint64_t idle_s[] = {0, 3, 40}; /* the last is longer than the wait */
    for (int i = 0; i < 6; i++) {
        static struct clocks clocks;
        clocks = (struct clocks){.options = default_options(), .now_ns = NS_PER_S};
        clocks.options.idle_ns = idle_s[i % 3] * NS_PER_S;
        clocks.options.after_root_ns = i < 3 ? 0 : 2 * NS_PER_S;
        clocks.window = new_window(&clocks.options);
        random_init(&clocks.random, 77);
        for (int tick = 0; tick < TICKS; tick++) {
            clocks.now_ns += TICK_MS * NS_PER_MS;
            if (random_chance(&clocks.random, 40))
                clocked_step(&clocks);
            take_due(&clocks);
            check_none_is_overdue(&clocks, TICK_MS * NS_PER_MS);
        }
        assert_true(clocks.next_number > 300);
        window_free(clocks.window);
    }
}

/* A trace whose root has come may be held for a tap: the root is still why it is due. */
static void test_a_held_trace_still_knows_its_root(void **state)
{
    (void)state;
    for (int idle = 0; idle < 2; idle++) {
        struct window_options options = default_options();
        options.after_root_ns = NS_PER_S;
        options.idle_ns = idle ? 10 * NS_PER_S : 0;
        struct window *window = new_window(&options);
        window_trace trace = open_trace(window, 1, 0);
        window_touch(window, trace, 0);
        window_root_seen(window, trace, 0);
        assert_int_equal(window_due(window, NS_PER_S), trace);
        window_hold(window, trace, NS_PER_S);
        assert_int_equal(window_due(window, NS_PER_S + RETRY_NS - 1), WINDOW_NONE);
        assert_int_equal(window_due(window, NS_PER_S + RETRY_NS), trace);
        assert_int_equal(window_deadline(window, trace, NS_PER_S + RETRY_NS),
                         WINDOW_AFTER_ROOT);
        window_free(window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines_come_in_the_order_of_arrival),
        cmocka_unit_test(test_a_held_trace_is_due_again_after_a_while),
        cmocka_unit_test(test_a_suspended_trace_is_never_due),
        cmocka_unit_test(test_a_root_and_idleness_bring_the_deadline_forward),
        cmocka_unit_test(test_a_held_trace_still_knows_its_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
