#include "probabilistic.h"

#include <math.h>
#include <string.h>

#include "core/hex.h"
#include "support/random.h"
#include "support/test.h"

enum { SAMPLE = 100000 };

/*
 * Computed apart from this code, with exact fractions: (2^64 - 1) * (percentage / 100), cut
 * to 64 significant bits as the Collector does.
 */
static void test_the_threshold_is_exact(void **state)
{
    (void)state;
    static const struct {
        double percentage;
        uint64_t threshold;
    } rows[] = {
        {-50, 0},
        {-0.0, 0},
        {0, 0},
        {5e-324, 0},
        {1e-18, 0},
        {1e-17, 1},
        {1e-9, UINT64_C(0xafebff0)},
        {0.1, UINT64_C(0x4189374bc6a7ef)},
        {5, UINT64_C(0xcccccccccccccff)},
        {12.5, UINT64_C(0x1fffffffffffffff)},
        {25, UINT64_C(0x3fffffffffffffff)},
        {33, UINT64_C(0x547ae147ae147bff)},
        {50, UINT64_C(0x7fffffffffffffff)},
        {66.6, UINT64_C(0xaa7ef9db22d0dfff)},
        {75, UINT64_C(0xbfffffffffffffff)},
        {99.9999, UINT64_C(0xffffef39085f47ff)},
        {99.99999999999999, UINT64_C(0xfffffffffffff7ff)},
        {100, UINT64_MAX},
        {150, UINT64_MAX},
        {INFINITY, UINT64_MAX},
        {NAN, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(probabilistic_threshold(rows[i].percentage) == rows[i].threshold);
}

/* Hashes and kept ids, computed apart from this code. */
static void test_fixed_ids_are_kept_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *salt;
        const char *id;
        uint64_t hash;
        double kept_at; /* and above; below: not */
        double lost_at;
    } rows[] = {
        {NULL, "00000000000000000000000000000001", UINT64_C(0xe19535eed1bbaa8a), 100, 75},
        {"", "4bf92f3577b34da6a3ce929d0e0e4736", UINT64_C(0xa54533ba2e4970b5), 75, 50},
        {"default-hash-seed", "0af7651916cd43dd8448eb211c80319c", UINT64_C(0x33bf83d45f51634c),
         25, 5},
        {NULL, "ffffffffffffffffffffffffffffffff", UINT64_C(0x17bec3739634fe2d), 25, 5},
        {NULL, "5b8efff798038103d269b633813fc60c", UINT64_C(0x95f176d291b1d3f7), 75, 50},
        {"tail", "4bf92f3577b34da6a3ce929d0e0e4736", UINT64_C(0x19b524f7f6f850b), 5, 0},
        {"tail", "5b8efff798038103d269b633813fc60c", UINT64_C(0x774d1deaf858d069), 50, 33},
        {"tail", "000102030405060708090a0b0c0d0e0f", UINT64_C(0x30e9c2eebd596ee3), 25, 5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trace_id id;
        enum sb_err err = hex_decode(bytes_text(rows[i].id), false, id.byte, TRACE_ID_LEN);
        assert_int_equal(err, SB_OK);
        struct probabilistic kept = probabilistic_init(rows[i].kept_at, rows[i].salt);
        struct probabilistic lost = probabilistic_init(rows[i].lost_at, rows[i].salt);
        assert_true(probabilistic_hash(&kept, id) == rows[i].hash);
        assert_true(probabilistic_keeps(&kept, id));
        assert_false(probabilistic_keeps(&lost, id));
    }
}

/* The hash is kept up to the threshold itself, and at 0 percent not even there. */
static void test_the_boundary_belongs_to_the_kept(void **state)
{
    (void)state;
    struct trace_id id = {.byte = {1, 2, 3}};
    struct probabilistic policy = probabilistic_init(50, NULL);
    policy.threshold = probabilistic_hash(&policy, id);
    assert_true(probabilistic_keeps(&policy, id));
    policy.threshold--;
    assert_false(probabilistic_keeps(&policy, id));
    policy = probabilistic_init(0, NULL);
    policy.threshold = UINT64_MAX; /* as good as a hash of 0 */
    assert_false(probabilistic_keeps(&policy, id));
}

static void test_the_share_of_kept_ids(void **state)
{
    (void)state;
    static const struct {
        double percentage;
        const char *salt;
        double share;
    } rows[] = {
        {100, NULL, 100}, {0, NULL, 0},   {25, NULL, 25},   {33, NULL, 33},
        {33, "salt", 33}, {-50, NULL, 0}, {150, NULL, 100},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct random random;
        random_init(&random, 4);
        struct probabilistic policy = probabilistic_init(rows[i].percentage, rows[i].salt);
        int kept = 0;
        for (int n = 0; n < SAMPLE; n++) {
            struct trace_id id;
            random_fill(&random, id.byte, TRACE_ID_LEN);
            kept += probabilistic_keeps(&policy, id) ? 1 : 0;
        }
        double share = 100.0 * kept / SAMPLE;
        assert_true(fabs(share - rows[i].share) <= 0.2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_threshold_is_exact),
        cmocka_unit_test(test_fixed_ids_are_kept_or_not),
        cmocka_unit_test(test_the_boundary_belongs_to_the_kept),
        cmocka_unit_test(test_the_share_of_kept_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
