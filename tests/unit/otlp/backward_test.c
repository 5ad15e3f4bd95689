#include "backward.h"

#include "core/memory.h"
#include "support/test.h"

static void test_the_last_written_comes_first(void **state)
{
    (void)state;
    struct backward out;
    assert_int_equal(backward_init(&out, 100), SB_OK);
    assert_int_equal(backward_len(&out), 0);
    backward_put(&out, BYTES_LITERAL("end"));
    backward_put_head(&out, 5, 3);
    backward_put_varint(&out, 300);
    backward_put_varint(&out, 0x08);
    assert_true(bytes_equal(backward_bytes(&out), BYTES_LITERAL("\x08\xac\x02\x2a\x03"
                                                                "end")));
    backward_put_fixed32(&out, 0x04030201);
    backward_put_fixed64(&out, UINT64_C(0x0807060504030201));
    assert_memory_equal(backward_bytes(&out).at, "\1\2\3\4\5\6\7\10\1\2\3\4", 12);
    assert_false(out.overflow);
    backward_clear(&out);
}

static void test_room_may_be_given_back(void **state)
{
    (void)state;
    struct backward out;
    assert_int_equal(backward_init(&out, 10), SB_OK);
    uint8_t *at = backward_grow(&out, 10);
    assert_non_null(at);
    memcpy(at, "xxxx", 4);
    memcpy(at + 4, "kept..", 6);
    backward_shrink(&out, 4);
    assert_true(bytes_equal(backward_bytes(&out), BYTES_LITERAL("kept..")));
    backward_clear(&out);
}

static void test_overflow_sticks(void **state)
{
    (void)state;
    struct backward out;
    assert_int_equal(backward_init(&out, 3), SB_OK);
    backward_put(&out, BYTES_LITERAL("abc"));
    assert_false(out.overflow);
    backward_put(&out, BYTES_LITERAL("d"));
    assert_true(out.overflow);
    assert_null(backward_grow(&out, 0));
    assert_true(bytes_equal(backward_bytes(&out), BYTES_LITERAL("abc")));
    backward_clear(&out);
    memory_fail_at(1);
    assert_int_equal(backward_init(&out, 3), SB_ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_written_comes_first),
        cmocka_unit_test(test_room_may_be_given_back),
        cmocka_unit_test(test_overflow_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
