#include "compress.h"

#include <string.h>
#include <zstd.h>

#include "core/memory.h"
#include "inflate.h"
#include "support/random.h"
#include "support/test.h"

enum { LEN = 100000 };

static uint8_t plain[LEN];

/* Half noise, half the same byte. */
static void fill_plain(void)
{
    struct random random;
    random_init(&random, 3);
    random_fill(&random, plain, LEN / 2);
    memset(plain + LEN / 2, 'x', LEN / 2);
}

static void unfold(enum sink_compression kind, struct bytes packed, struct text *out)
{
    if (kind == SINK_COMPRESSION_GZIP) {
        assert_int_equal(inflate_gzip(packed, out), SB_OK);
    } else if (kind == SINK_COMPRESSION_ZSTD) {
        size_t len = (size_t)ZSTD_getFrameContentSize(packed.at, packed.len);
        uint8_t *to = text_grow(out, len);
        assert_non_null(to);
        assert_int_equal(ZSTD_decompress(to, len, packed.at, packed.len), len);
    } else {
        text_append(out, packed);
    }
}

static void test_every_kind_there_and_back(void **state)
{
    (void)state;
    fill_plain();
    for (int kind = SINK_COMPRESSION_NONE; kind <= SINK_COMPRESSION_ZSTD; kind++) {
        struct compressor *compressor = NULL;
        assert_int_equal(compressor_new((enum sink_compression)kind, &compressor), SB_OK);
        struct text packed;
        struct text out;
        text_init(&packed, 2 * LEN);
        text_init(&out, LEN);
        static const size_t lens[] = {0, 1, 1000, LEN, 7};
        for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
            /* What stood in the buffer before stays. */
            text_reset(&packed);
            text_append_text(&packed, "head");
            struct bytes in = bytes_of(plain, lens[i]);
            assert_int_equal(compressor_append(compressor, in, &packed), SB_OK);
            assert_memory_equal(packed.at, "head", 4);
            assert_int_equal(packed.at[packed.len], '\0');
            text_reset(&out);
            struct bytes packed_bytes = bytes_of(packed.at + 4, packed.len - 4);
            unfold((enum sink_compression)kind, packed_bytes, &out);
            assert_true(bytes_equal(text_bytes(&out), in));
            if (lens[i] == LEN && kind != SINK_COMPRESSION_NONE)
                assert_true(packed.len < LEN * 6 / 10);
        }
        text_clear(&packed);
        text_clear(&out);
        compressor_free(compressor);
    }
    compressor_free(NULL);
}

static void test_caps_and_short_memory(void **state)
{
    (void)state;
    for (int kind = SINK_COMPRESSION_NONE; kind <= SINK_COMPRESSION_ZSTD; kind++) {
        struct compressor *compressor = NULL;
        memory_fail_at(1);
        assert_int_equal(compressor_new((enum sink_compression)kind, &compressor),
                         SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_int_equal(compressor_new((enum sink_compression)kind, &compressor), SB_OK);
        struct text packed;
        text_init(&packed, 4);
        struct bytes in = bytes_of(plain, 1000);
        assert_int_equal(compressor_append(compressor, in, &packed), SB_ERR_LIMIT);
        text_clear(&packed);
        text_init(&packed, LEN);
        memory_fail_at(1);
        assert_int_equal(compressor_append(compressor, in, &packed), SB_ERR_MEMORY);
        memory_fail_at(0);
        text_reset(&packed);
        assert_int_equal(compressor_append(compressor, in, &packed), SB_OK);
        text_clear(&packed);
        compressor_free(compressor);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_null(compressor_name(SINK_COMPRESSION_NONE));
    assert_string_equal(compressor_name(SINK_COMPRESSION_GZIP), "gzip");
    assert_string_equal(compressor_name(SINK_COMPRESSION_ZSTD), "zstd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_there_and_back),
        cmocka_unit_test(test_caps_and_short_memory),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
