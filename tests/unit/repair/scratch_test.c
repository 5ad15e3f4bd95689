#include "scratch.h"

#include "core/memory.h"
#include "support/test.h"

static void test_memory_shortage_is_reported(void **state)
{
    (void)state;
    struct repair_scratch *scratch = NULL;
    memory_fail_at(1);
    assert_int_equal(repair_scratch_new(&scratch), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_null(scratch);
    repair_scratch_free(NULL);
}

/* Once warm for the largest trace, resolving does not allocate. */
static void test_a_warm_scratch_does_not_allocate(void **state)
{
    (void)state;
    struct repair_scratch *scratch = NULL;
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    struct repair_span spans[200] = {0};
    for (uint8_t i = 0; i < 200; i++)
        spans[i].span_id.byte[0] = (uint8_t)(i + 1);
    struct repair_trace trace = {.spans = spans, .span_count = 200};
    assert_int_equal(repair_resolve(scratch, &trace, NULL), SB_OK);
    uint64_t before = memory_allocations();
    for (uint32_t count = 200; count > 0; count--) {
        trace.span_count = count;
        assert_int_equal(repair_resolve(scratch, &trace, NULL), SB_OK);
    }
    assert_int_equal(memory_allocations(), before);
    repair_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_shortage_is_reported),
        cmocka_unit_test(test_a_warm_scratch_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
