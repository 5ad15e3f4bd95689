#include "family.h"

#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { MANY = 20000, FLAGS_LOCAL = 0x100, FLAGS_REMOTE = 0x300 };

static struct span_id id_of(uint64_t number)
{
    struct span_id id;
    memcpy(id.byte, &number, sizeof(number));
    return id;
}

/* parent 0: a root. */
static struct repair_span span_of(uint64_t number, uint64_t parent, uint32_t service)
{
    return (struct repair_span){
        .span_id = id_of(number), .parent_id = id_of(parent), .service = service};
}

static void build(struct family *family, const struct repair_span *spans, uint32_t count)
{
    assert_int_equal(family_build(family, spans, count), SB_OK);
}

static void test_no_spans(void **state)
{
    (void)state;
    struct family family = {.seed = 1};
    build(&family, NULL, 0);
    assert_int_equal(family_find(&family, id_of(1)), NO_SPAN);
    family_clear(&family);
}

static void test_edges(void **state)
{
    (void)state;
    struct repair_span spans[] = {
        span_of(1, 0, 1), span_of(2, 1, 1), span_of(3, 2, 2), span_of(4, 99, 1),
        span_of(5, 1, 2), span_of(6, 1, 1), span_of(7, 0, 1), span_of(8, 99, 1),
    };
    spans[4].flags = FLAGS_LOCAL; /* the flags know better than the service */
    spans[5].flags = FLAGS_REMOTE;
    spans[6].flags = FLAGS_REMOTE; /* of no parent */
    spans[7].flags = FLAGS_LOCAL;  /* of a parent that is not here: nobody can tell */
    static const enum edge edges[] = {EDGE_ROOT,  EDGE_LOCAL,  EDGE_REMOTE, EDGE_REMOTE,
                                      EDGE_LOCAL, EDGE_REMOTE, EDGE_ROOT,   EDGE_REMOTE};
    static const uint32_t local_roots[] = {0, 0, 2, 3, 0, 5, 6, 7};
    static const uint32_t tops[] = {0, 0, 0, 3, 0, 0, 6, 7};
    struct family family = {.seed = 1};
    build(&family, spans, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(family.relatives[i].edge, edges[i]);
        assert_int_equal(family.relatives[i].local_root, local_roots[i]);
        assert_int_equal(family.relatives[i].top, tops[i]);
        assert_int_equal(family_find(&family, spans[i].span_id), i);
    }
    family_clear(&family);
}

static void test_loops_hang_nowhere(void **state)
{
    (void)state;
    const struct repair_span spans[] = {
        span_of(1, 1, 1),                                     /* its own parent */
        span_of(2, 3, 1), span_of(3, 4, 1), span_of(4, 2, 1), /* each other's */
        span_of(5, 4, 1),                                     /* below a loop */
        span_of(6, 0, 1), span_of(7, 6, 1),
    };
    struct family family = {.seed = 1};
    build(&family, spans, 7);
    assert_int_equal(family.ordered, 2);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(family.relatives[i].top, NO_SPAN);
        assert_int_equal(family.relatives[i].local_root, NO_SPAN);
        for (uint32_t n = 0; n < 7; n++) {
            assert_false(family_is_elder(&family, i, n));
            assert_false(family_is_elder(&family, n, i));
        }
    }
    assert_true(family_is_elder(&family, 5, 6));
    assert_true(family_is_elder(&family, 6, 6));
    assert_false(family_is_elder(&family, 6, 5));
    family_clear(&family);
}

static void test_copies_are_known_as_such(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1), span_of(2, 1, 1), span_of(1, 0, 1),
                                        span_of(2, 1, 1), span_of(3, 2, 1)};
    static const bool copies[] = {false, false, true, true, false};
    struct family family = {.seed = 1};
    build(&family, spans, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(family.relatives[i].is_copy, copies[i]);
    assert_int_equal(family_find(&family, id_of(2)), 1);
    assert_int_equal(family.relatives[4].parent, 1);
    family_clear(&family);
}

/* The same by walking up from every span, for at most as many steps as there are spans. */
static bool naive_is_elder(const struct repair_span *spans, uint32_t count, uint32_t elder,
                           uint32_t span, uint32_t *ret_top)
{
    bool met = false;
    uint32_t at = span;
    for (uint32_t steps = 0; steps <= count; steps++) {
        met = met || at == elder;
        uint32_t parent = NO_SPAN;
        for (uint32_t i = count; i-- > 0;)
            if (span_id_equal(spans[i].span_id, spans[at].parent_id))
                parent = i;
        if (parent == NO_SPAN || span_id_is_zero(spans[at].parent_id)) {
            *ret_top = at;
            return met;
        }
        at = parent;
    }
    *ret_top = NO_SPAN; /* a loop */
    return false;
}

static void test_random_shapes_against_a_model(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 77);
    struct family family = {.seed = 3};
    for (int round = 0; round < 1500; round++) {
        struct repair_span spans[40];
        uint32_t count = 1 + (uint32_t)random_below(&random, 40);
        for (uint32_t i = 0; i < count; i++)
            spans[i] =
                span_of(1 + random_below(&random, count),
                        random_chance(&random, 20) ? 0 : random_below(&random, count + 2),
                        (uint32_t)random_below(&random, 2));
        build(&family, spans, count);
        for (uint32_t span = 0; span < count; span++) {
            for (uint32_t elder = 0; elder < count; elder++) {
                uint32_t top;
                bool is_elder = naive_is_elder(spans, count, elder, span, &top);
                assert_int_equal(family_is_elder(&family, elder, span), is_elder);
                assert_int_equal(family.relatives[span].top, top);
            }
        }
        /* Parents come before children, and all but loops come. */
        bool seen[40] = {false};
        for (uint32_t i = 0; i < family.ordered; i++) {
            uint32_t at = family.order[i];
            assert_false(seen[at]);
            seen[at] = true;
            uint32_t parent = family.relatives[at].parent;
            assert_true(parent == NO_SPAN || seen[parent]);
        }
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(seen[i], family.relatives[i].top != NO_SPAN);
    }
    family_clear(&family);
}

/* Chains, stars and one great loop: no recursion that could end, no steps squared. */
static void test_large_hostile_shapes(void **state)
{
    (void)state;
    struct repair_span *spans = memory_zalloc(MANY, sizeof(*spans));
    assert_non_null(spans);
    struct family family = {.seed = 3};
    for (uint64_t i = 0; i < MANY; i++)
        spans[i] = span_of(i + 1, i, 1); /* a chain from the root down */
    build(&family, spans, MANY);
    assert_int_equal(family.ordered, MANY);
    assert_int_equal(family.relatives[MANY - 1].local_root, 0);
    assert_true(family_is_elder(&family, 0, MANY - 1));
    for (uint64_t i = 0; i < MANY; i++)
        spans[i] = span_of(i + 1, i + 2 <= MANY ? i + 2 : 0, 1); /* and from the leaf up */
    build(&family, spans, MANY);
    assert_int_equal(family.relatives[0].local_root, MANY - 1);
    spans[MANY - 1].parent_id = id_of(1); /* closed */
    build(&family, spans, MANY);
    assert_int_equal(family.ordered, 0);
    for (uint64_t i = 1; i < MANY; i++)
        spans[i] = span_of(i + 1, 1, 1); /* a star */
    spans[0].parent_id = id_of(0);
    build(&family, spans, MANY);
    assert_int_equal(family.ordered, MANY);
    for (uint64_t i = 0; i < MANY; i++)
        spans[i] = span_of(5, 5, 1); /* all the same */
    build(&family, spans, MANY);
    assert_int_equal(family.ordered, 0);
    family_clear(&family);
    memory_free(spans);
}

/* However many spans there are, the index has empty slots: a search always ends. */
static void test_missing_ids_are_missed(void **state)
{
    (void)state;
    struct family family = {.seed = 3};
    for (uint32_t count = 1; count <= 300; count++) {
        struct repair_span spans[300];
        for (uint32_t i = 0; i < count; i++)
            spans[i] = span_of(i + 1, 1000, 1);
        build(&family, spans, count);
        assert_int_equal(family_find(&family, id_of(1000)), NO_SPAN);
        assert_int_equal(family_find(&family, id_of(count)), count - 1);
    }
    family_clear(&family);
}

static void test_a_warm_family_does_not_allocate(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1), span_of(2, 1, 1)};
    struct family family = {.seed = 3};
    build(&family, spans, 2);
    uint64_t before = memory_allocations();
    build(&family, spans, 1);
    build(&family, spans, 2);
    assert_int_equal(memory_allocations(), before);
    family_clear(&family);
}

static void test_memory_shortage_is_survived(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1), span_of(2, 1, 1)};
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct family family = {.seed = 3};
        memory_fail_at(nth);
        assert_int_equal(family_build(&family, spans, 2), SB_ERR_MEMORY);
        memory_fail_at(0);
        build(&family, spans, 2);
        assert_int_equal(family.seed, 3);
        assert_int_equal(family.ordered, 2);
        family_clear(&family);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_spans),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_loops_hang_nowhere),
        cmocka_unit_test(test_copies_are_known_as_such),
        cmocka_unit_test(test_random_shapes_against_a_model),
        cmocka_unit_test(test_large_hostile_shapes),
        cmocka_unit_test(test_missing_ids_are_missed),
        cmocka_unit_test(test_a_warm_family_does_not_allocate),
        cmocka_unit_test(test_memory_shortage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
