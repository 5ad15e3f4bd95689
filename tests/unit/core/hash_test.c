#include "core/hash.h"

#include "support/random.h"
#include "support/test.h"

static void test_hash_is_xxh3(void **state)
{
    (void)state;
    /* XXH3_64bits of the empty input with seed 0, from the xxHash sanity tests. */
    assert_true(hash_bytes(bytes_of(NULL, 0), 0) == UINT64_C(0x2D06800538D394C2));
    /* XXH3_128bits of the empty input: high half, then low half. */
    uint64_t stable[2];
    hash_stable_128(bytes_of(NULL, 0), stable);
    assert_true(stable[0] == UINT64_C(0x99AA06D3014798D8));
    assert_true(stable[1] == UINT64_C(0x6001C324468D497F));
}

static void test_seed_and_every_byte_count(void **state)
{
    (void)state;
    uint8_t in[300];
    struct random random;
    random_init(&random, 3);
    random_fill(&random, in, sizeof(in));
    uint64_t hash = hash_bytes(bytes_of(in, sizeof(in)), 1);
    uint64_t stable[2];
    hash_stable_128(bytes_of(in, sizeof(in)), stable);
    assert_true(stable[0] != stable[1]);
    assert_true(hash == hash_bytes(bytes_of(in, sizeof(in)), 1));
    assert_true(hash != hash_bytes(bytes_of(in, sizeof(in)), 2));
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] ^= 1;
        assert_true(hash != hash_bytes(bytes_of(in, sizeof(in)), 1));
        uint64_t other[2];
        hash_stable_128(bytes_of(in, sizeof(in)), other);
        assert_true(other[0] != stable[0] && other[1] != stable[1]);
        in[i] ^= 1;
    }
}

/* The fullest of 256 groups by the upper and by the lower bits; ideal is count / 256. */
static unsigned fullest_group(const uint64_t *hashes, size_t count)
{
    unsigned high[256] = {0};
    unsigned tag[256] = {0};
    unsigned most = 0;
    for (size_t i = 0; i < count; i++) {
        high[hashes[i] >> 56]++;
        tag[(hashes[i] >> 32) & 255]++;
    }
    for (int i = 0; i < 256; i++) {
        most = high[i] > most ? high[i] : most;
        most = tag[i] > most ? tag[i] : most;
    }
    return most;
}

enum { ID_COUNT = 25600 };

static void check_spread(bool vary_high, bool vary_low, bool counting, uint64_t seed)
{
    static uint64_t hashes[ID_COUNT];
    struct random random;
    random_init(&random, 5);
    for (uint64_t i = 0; i < ID_COUNT; i++) {
        struct trace_id id = {0};
        uint64_t number = counting ? i : random_next(&random);
        if (vary_high)
            memcpy(id.byte, &number, 8);
        if (vary_low)
            memcpy(id.byte + 8, &number, 8);
        hashes[i] = hash_trace_id(id, seed);
    }
    /* Mean 100, deviation 10: 180 is past any chance. */
    assert_in_range(fullest_group(hashes, ID_COUNT), 100, 180);
}

static void test_trace_ids_spread_though_only_one_half_varies(void **state)
{
    (void)state;
    uint64_t seed = UINT64_C(0x0123456789abcdef);
    for (int counting = 0; counting < 2; counting++) {
        check_spread(true, true, counting != 0, seed);
        check_spread(true, false, counting != 0, seed);
        check_spread(false, true, counting != 0, seed);
    }
}

static void test_trace_hash_depends_on_the_seed(void **state)
{
    (void)state;
    struct trace_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    assert_true(hash_trace_id(id, 1) == hash_trace_id(id, 1));
    assert_true(hash_trace_id(id, 1) != hash_trace_id(id, 2));
}

static void test_random_seeds_differ(void **state)
{
    (void)state;
    uint64_t seed = hash_random_seed();
    assert_true(seed != hash_random_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_is_xxh3),
        cmocka_unit_test(test_seed_and_every_byte_count),
        cmocka_unit_test(test_trace_ids_spread_though_only_one_half_varies),
        cmocka_unit_test(test_trace_hash_depends_on_the_seed),
        cmocka_unit_test(test_random_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
