#include <string.h>

#include "core/memory.h"
#include "repair/resolve.h"
#include "support/random.h"
#include "support/test.h"

enum { SPANS_MAX = 40 };

static struct span_id id_of(uint64_t number)
{
    struct span_id id;
    memcpy(id.byte, &number, sizeof(number));
    return id;
}

static struct repair_span span_of(uint64_t number, uint64_t parent, uint32_t service,
                                  uint64_t start_ns, uint64_t end_ns)
{
    return (struct repair_span){.span_id = id_of(number),
                                .parent_id = id_of(parent),
                                .service = service,
                                .start_ns = start_ns,
                                .end_ns = end_ns};
}

static int64_t orphan_of(const struct repair_span *spans, uint32_t count)
{
    struct repair_scratch *scratch = NULL;
    struct repair_orphan first;
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    uint32_t found = repair_find_orphans(scratch, spans, count, false, &first, 1);
    repair_scratch_free(scratch);
    return found == 0 ? -1 : (int64_t)first.span;
}

/* -1: nobody, or it is no orphan. */
static int64_t adopter_of(const struct repair_span *spans, uint32_t count, uint32_t index)
{
    struct repair_scratch *scratch = NULL;
    struct repair_orphan orphans[SPANS_MAX];
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    uint32_t found = repair_find_orphans(scratch, spans, count, true, orphans, SPANS_MAX);
    repair_scratch_free(scratch);
    for (uint32_t i = 0; i < found; i++) {
        if (orphans[i].span == index)
            return orphans[i].adopter;
    }
    return -1;
}

static void test_the_first_orphan_is_found(void **state)
{
    (void)state;
    struct repair_span spans[] = {span_of(1, 0, 1, 1, 9), span_of(2, 1, 1, 1, 9),
                                  span_of(3, 77, 1, 1, 9), span_of(4, 78, 1, 1, 9)};
    assert_int_equal(orphan_of(spans, 4), 2);
    assert_int_equal(orphan_of(spans, 2), -1);
    assert_int_equal(orphan_of(spans, 0), -1);
    spans[2].parent_id = id_of(3); /* its own parent: known, if absurd */
    assert_int_equal(orphan_of(spans, 3), -1);
}

static void test_no_more_are_listed_than_asked_for(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1, 1, 9), span_of(2, 77, 1, 1, 9),
                                        span_of(3, 2, 1, 1, 9), span_of(4, 78, 1, 1, 9),
                                        span_of(5, 79, 1, 1, 9)};
    struct repair_scratch *scratch = NULL;
    struct repair_orphan orphans[3] = {{0}};
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    assert_int_equal(repair_find_orphans(scratch, spans, 5, true, orphans, 2), 2);
    assert_int_equal(orphans[0].span, 1);
    assert_int_equal(orphans[1].span, 3);
    assert_int_equal(repair_find_orphans(scratch, spans, 5, true, orphans, 3), 3);
    assert_int_equal(orphans[2].span, 4);
    repair_scratch_free(scratch);
}

static void test_who_adopts(void **state)
{
    (void)state;
    /* 0 root, 1 long, 2 short, 3 shortest but elsewhere, 4 beside it in time, 5 the orphan */
    struct repair_span spans[] = {
        span_of(1, 0, 9, 100, 900), span_of(2, 1, 1, 110, 800), span_of(3, 2, 1, 120, 300),
        span_of(4, 3, 2, 130, 280), span_of(5, 2, 1, 310, 400), span_of(6, 77, 1, 200, 250),
    };
    assert_int_equal(adopter_of(spans, 6, 5), 2);
    spans[5].start_ns = 120; /* the bounds belong to it */
    assert_int_equal(adopter_of(spans, 6, 5), 2);
    spans[5].start_ns = 300;
    assert_int_equal(adopter_of(spans, 6, 5), 2);
    spans[5].start_ns = 305;
    assert_int_equal(adopter_of(spans, 6, 5), 1);
    spans[5].start_ns = 950; /* nobody of its own service: the root */
    assert_int_equal(adopter_of(spans, 6, 5), 0);
    spans[5].start_ns = 200;
    spans[5].service = 3;
    assert_int_equal(adopter_of(spans, 6, 5), 0);
    spans[5].service = 1;
    spans[5].start_ns = 0; /* time unknown */
    assert_int_equal(adopter_of(spans, 6, 5), 0);
    spans[5].start_ns = 200;
    spans[2].start_ns = 0; /* another's time unknown */
    assert_int_equal(adopter_of(spans, 6, 5), 1);
}

static void test_ties(void **state)
{
    (void)state;
    struct repair_span spans[] = {
        span_of(1, 0, 9, 100, 900), span_of(2, 0, 9, 90, 95),   span_of(3, 1, 1, 150, 250),
        span_of(4, 1, 1, 160, 260), span_of(5, 1, 1, 160, 260), span_of(6, 77, 1, 200, 210),
    };
    assert_int_equal(adopter_of(spans, 6, 5), 3); /* as long, but later; then the first */
    spans[5].service = 7;
    assert_int_equal(adopter_of(spans, 6, 5), 1); /* of two roots the earlier */
}

static void test_never_one_that_could_close_a_circle(void **state)
{
    (void)state;
    /* Below the orphan, below another orphan, in a loop, and a copy of the orphan. */
    struct repair_span spans[] = {
        span_of(1, 0, 9, 1, 1000),   span_of(2, 77, 1, 200, 300), span_of(3, 2, 1, 190, 310),
        span_of(4, 78, 1, 180, 320), span_of(5, 4, 1, 180, 320),  span_of(6, 6, 1, 180, 320),
        span_of(2, 1, 1, 180, 320),  span_of(1, 0, 1, 190, 210),
    };
    assert_int_equal(adopter_of(spans, 8, 1), 0);
    assert_int_equal(adopter_of(spans + 1, 5, 0), -1); /* without a root there is nobody */
    /* An orphan that is itself the copy of a span with a parent. */
    const struct repair_span copies[] = {span_of(1, 0, 9, 1, 1000), span_of(2, 1, 1, 190, 310),
                                         span_of(2, 77, 1, 200, 300)};
    assert_int_equal(adopter_of(copies, 3, 2), 0);
}

static void test_only_orphans_are_adopted(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1, 1, 9), span_of(2, 1, 1, 2, 8)};
    assert_int_equal(adopter_of(spans, 2, 0), -1);
    assert_int_equal(adopter_of(spans, 2, 1), -1);
}

/* Adopting by turns, in whatever shape: every chain of parents still ends. */
static void test_adoption_by_turns_never_closes_a_circle(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 10);
    struct repair_scratch *scratch = NULL;
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    for (int round = 0; round < 2000; round++) {
        struct repair_span spans[SPANS_MAX];
        struct span_id adopted[SPANS_MAX];
        uint32_t count = 2 + (uint32_t)random_below(&random, SPANS_MAX - 2);
        for (uint32_t i = 0; i < count; i++) {
            /* Parents before children, so that no loop is there at the beginning. */
            uint64_t parent = random_below(&random, i + 1);
            bool lost = random_chance(&random, 40);
            spans[i] =
                span_of(i + 1, lost ? 1000 + i : parent, (uint32_t)random_below(&random, 2),
                        random_below(&random, 20), random_below(&random, 40));
            adopted[i] = spans[i].parent_id;
        }
        /* As a caller may: all from the spans as they came, patches applied at the end. */
        struct repair_orphan orphans[SPANS_MAX];
        uint32_t found = repair_find_orphans(scratch, spans, count, true, orphans, SPANS_MAX);
        for (uint32_t i = 0; i < found; i++) {
            if (orphans[i].adopter >= 0)
                adopted[orphans[i].span] = spans[orphans[i].adopter].span_id;
        }
        for (uint32_t i = 0; i < count; i++)
            spans[i].parent_id = adopted[i];
        for (uint32_t i = 0; i < count; i++) {
            uint64_t at = i + 1;
            uint32_t steps = 0;
            while (at != 0 && at <= count) {
                memcpy(&at, spans[at - 1].parent_id.byte, sizeof(at));
                assert_true(++steps <= count);
            }
        }
    }
    repair_scratch_free(scratch);
}

static void test_memory_shortage_finds_nobody(void **state)
{
    (void)state;
    const struct repair_span spans[] = {span_of(1, 0, 1, 1, 9), span_of(2, 77, 1, 2, 8)};
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct repair_scratch *scratch = NULL;
        assert_int_equal(repair_scratch_new(&scratch), SB_OK);
        struct repair_orphan orphan;
        memory_fail_at(nth);
        assert_int_equal(repair_find_orphans(scratch, spans, 2, true, &orphan, 1), 0);
        memory_fail_at(0);
        assert_int_equal(repair_find_orphans(scratch, spans, 2, true, &orphan, 1), 1);
        assert_int_equal(orphan.span, 1);
        assert_int_equal(orphan.adopter, 0);
        repair_scratch_free(scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_orphan_is_found),
        cmocka_unit_test(test_no_more_are_listed_than_asked_for),
        cmocka_unit_test(test_who_adopts),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_never_one_that_could_close_a_circle),
        cmocka_unit_test(test_only_orphans_are_adopted),
        cmocka_unit_test(test_adoption_by_turns_never_closes_a_circle),
        cmocka_unit_test(test_memory_shortage_finds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
