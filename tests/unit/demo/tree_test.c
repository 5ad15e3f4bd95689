#include "fixture.h"

#include "tree.h"

static void add(struct seen_list *list, struct seen_span span)
{
    assert_true(seen_list_add(list, &span));
}

static void expect_order(const struct tree *tree, const char *ids)
{
    assert_int_equal(tree->count, strlen(ids));
    for (uint32_t i = 0; i < tree->count; i++)
        assert_int_equal(tree->rows[i].span->span_id.byte[7], ids[i] - '0');
}

static void test_parents_come_first_and_children_by_time(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    add(&list, fixture_span(1, 4, 3, 30, 1));
    add(&list, fixture_span(1, 3, 1, 20, 20));
    add(&list, fixture_span(1, 2, 1, 10, 5));
    add(&list, fixture_span(1, 1, 0, 0, 50));
    tree_build(&list, &tree);
    expect_order(&tree, "1234");
    assert_int_equal(tree.rows[3].depth, 2);
    assert_true(tree.rows[1].open >> 1 & 1); /* span 3 follows below */
    assert_false(tree.rows[2].open >> 1 & 1);
    assert_true(tree_is_one(&tree));
}

static void test_pieces_are_not_one_tree(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    add(&list, fixture_span(1, 1, 0, 0, 10));
    add(&list, fixture_span(2, 2, 0, 5, 10));
    tree_build(&list, &tree);
    assert_int_equal(tree.traces, 2);
    assert_int_equal(tree.roots, 2);
    assert_false(tree_is_one(&tree));
}

static void test_orphan_is_shown_and_counted(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    add(&list, fixture_span(1, 1, 0, 0, 10));
    add(&list, fixture_span(1, 2, 9, 5, 10));
    tree_build(&list, &tree);
    expect_order(&tree, "12");
    assert_int_equal(tree.orphans, 1);
    assert_false(tree_is_one(&tree));
}

/* The parent's id in another trace is another span. */
static void test_parent_of_another_trace_is_none(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    add(&list, fixture_span(1, 1, 0, 0, 10));
    add(&list, fixture_span(2, 2, 1, 5, 10));
    tree_build(&list, &tree);
    assert_int_equal(tree.orphans, 1);
}

static void test_circles_are_counted_and_end(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    add(&list, fixture_span(1, 1, 0, 0, 10));
    add(&list, fixture_span(1, 2, 3, 5, 10));
    add(&list, fixture_span(1, 3, 2, 5, 10));
    add(&list, fixture_span(1, 4, 4, 5, 10));
    tree_build(&list, &tree);
    expect_order(&tree, "14");
    assert_int_equal(tree.lost, 2);
    assert_false(tree_is_one(&tree));
}

static void test_deepest_tree_fits(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    for (uint32_t i = 1; i <= SEEN_SPANS_MAX; i++)
        add(&list, fixture_span(1, (uint8_t)i, (uint8_t)(i - 1), i, 1));
    tree_build(&list, &tree);
    assert_int_equal(tree.count, SEEN_SPANS_MAX);
    assert_int_equal(tree.rows[SEEN_SPANS_MAX - 1].depth, SEEN_SPANS_MAX - 1);
    assert_true(tree_is_one(&tree));
}

static void test_nothing_is_no_tree(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct tree tree;
    tree_build(&list, &tree);
    assert_false(tree_is_one(&tree));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parents_come_first_and_children_by_time),
        cmocka_unit_test(test_pieces_are_not_one_tree),
        cmocka_unit_test(test_orphan_is_shown_and_counted),
        cmocka_unit_test(test_parent_of_another_trace_is_none),
        cmocka_unit_test(test_circles_are_counted_and_end),
        cmocka_unit_test(test_deepest_tree_fits),
        cmocka_unit_test(test_nothing_is_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
