#include "sink/batch.h"

#include "core/memory.h"
#include "support/test.h"

static void test_a_batch_is_filled_and_reused(void **state)
{
    (void)state;
    struct sink_batch *batch = NULL;
    assert_int_equal(sink_batch_new(4, 10, &batch), SB_OK);
    assert_int_equal(batch->span_room, 4);
    assert_int_equal(batch->span_count, 0);
    text_append_text(&batch->bytes, "0123456789");
    batch->span_count = 4;
    batch->opened_ns = 7;
    const char *at = batch->bytes.at;
    sink_batch_reset(batch);
    assert_int_equal(batch->span_count, 0);
    assert_int_equal(batch->bytes.len, 0);
    assert_int_equal(batch->opened_ns, 0);
    text_append_text(&batch->bytes, "0123456789");
    assert_ptr_equal(batch->bytes.at, at);
    text_append_text(&batch->bytes, "x");
    assert_int_equal(batch->bytes.error, SB_ERR_LIMIT);
    sink_batch_free(batch);
    sink_batch_free(NULL);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct sink_batch *batch = NULL;
        memory_fail_at(nth);
        assert_int_equal(sink_batch_new(4, 10, &batch), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_null(batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_is_filled_and_reused),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
