#include "inflate.h"

#include <zlib.h>

#include "compress.h"
#include "core/memory.h"
#include "support/test.h"

enum { CAP = 1024 * 1024 };

static struct text pack(const char *content, size_t len)
{
    struct text out;
    text_init(&out, SIZE_MAX - 1);
    struct compressor *gzip = NULL;
    assert_int_equal(compressor_new(SINK_COMPRESSION_GZIP, &gzip), SB_OK);
    assert_int_equal(compressor_append(gzip, bytes_of(content, len), &out), SB_OK);
    compressor_free(gzip);
    return out;
}

static void test_a_member_unfolds(void **state)
{
    (void)state;
    struct text packed = pack("content", 7);
    struct text out;
    text_init(&out, CAP);
    assert_int_equal(inflate_gzip(text_bytes(&packed), &out), SB_OK);
    assert_string_equal(text_string(&out), "content");
    /* What follows the first member does not count. */
    text_append_text(&packed, "junk");
    text_reset(&out);
    assert_int_equal(inflate_gzip(text_bytes(&packed), &out), SB_OK);
    assert_string_equal(text_string(&out), "content");
    text_clear(&packed);
    text_clear(&out);
}

static void test_a_bomb_stops_at_the_cap(void **state)
{
    (void)state;
    size_t len = 32 * 1024 * 1024;
    char *zeros = memory_zalloc(len, 1);
    struct text packed = pack(zeros, len);
    memory_free(zeros);
    assert_true(packed.len < len / 100);
    struct text out;
    text_init(&out, CAP);
    assert_int_equal(inflate_gzip(text_bytes(&packed), &out), SB_ERR_LIMIT);
    assert_true(out.room <= CAP + 1);
    text_clear(&packed);
    text_clear(&out);
}

static void test_every_cut_and_every_flipped_byte_is_survived(void **state)
{
    (void)state;
    struct text packed = pack("content content content", 23);
    struct text out;
    text_init(&out, CAP);
    for (size_t len = 0; len < packed.len; len++) {
        text_reset(&out);
        assert_int_equal(inflate_gzip(bytes_of(packed.at, len), &out), SB_ERR_INPUT);
    }
    for (size_t at = 0; at < packed.len; at++) {
        packed.at[at] ^= 0x55;
        text_reset(&out);
        enum sb_err err = inflate_gzip(text_bytes(&packed), &out);
        assert_true(err == SB_OK || err == SB_ERR_INPUT);
        packed.at[at] ^= 0x55;
    }
    text_clear(&packed);
    text_clear(&out);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct text packed = pack("content", 7);
    struct text out;
    text_init(&out, CAP);
    memory_fail_at(1);
    assert_int_equal(inflate_gzip(text_bytes(&packed), &out), SB_ERR_MEMORY);
    memory_fail_at(0);
    text_clear(&packed);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_member_unfolds),
        cmocka_unit_test(test_a_bomb_stops_at_the_cap),
        cmocka_unit_test(test_every_cut_and_every_flipped_byte_is_survived),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
