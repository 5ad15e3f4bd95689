#include "otlp/scan.h"

#include "pieces.h"
#include "support/test.h"

struct seen {
    uint16_t keys[8];
    struct bytes values[8];
    size_t count;
};

static void on_hit(void *arg, const struct otlp_hit *hit)
{
    struct seen *seen = arg;
    assert_true(seen->count < 8);
    seen->keys[seen->count] = hit->key;
    seen->values[seen->count++] = hit->value;
}

static struct seen scan_resource(struct bytes fields)
{
    struct otlp_keys *keys;
    struct seen seen = {0};
    uint16_t id;
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("service.name"), &id), SB_OK);
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("tenant.id"), &id), SB_OK);
    otlp_scan_resource(fields, keys, on_hit, &seen);
    otlp_keys_free(keys);
    return seen;
}

static void test_wanted_attributes_of_all_parts(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes name = pieces_field(&pieces, 1, pieces_pair(&pieces, "service.name", "cart"));
    struct bytes other = pieces_field(&pieces, 1, pieces_pair(&pieces, "host.name", "h"));
    struct bytes tenant = pieces_field(&pieces, 1, pieces_pair(&pieces, "tenant.id", "t"));
    struct bytes fields = JOIN(&pieces, pieces_field(&pieces, 1, JOIN(&pieces, other, name)),
                               pieces_field(&pieces, 3, BYTES_LITERAL("schema")),
                               pieces_field(&pieces, 1, tenant));
    struct seen seen = scan_resource(fields);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.keys[0], 0);
    assert_true(bytes_equal(seen.values[0], BYTES_LITERAL("\x0a\x04"
                                                          "cart")));
    assert_int_equal(seen.keys[1], 1);
    pieces_clear(&pieces);
}

static void test_no_resource(void **state)
{
    (void)state;
    assert_int_equal(scan_resource(bytes_of(NULL, 0)).count, 0);
    assert_int_equal(scan_resource(BYTES_LITERAL("\x08\x01\x0a\x00")).count, 0);
    assert_int_equal(scan_resource(BYTES_LITERAL("\x0a\x05")).count, 0);
}

static void test_name_and_version_of_a_scope(void **state)
{
    (void)state;
    struct bytes name = BYTES_LITERAL("unset");
    struct bytes version = BYTES_LITERAL("unset");
    otlp_scan_scope(bytes_of(NULL, 0), &name, &version);
    assert_int_equal(name.len, 0);
    assert_int_equal(version.len, 0);
    otlp_scan_scope(BYTES_LITERAL("\x0a\x08\x12\x02v1\x0a\x02io\x1a\x03url"), &name, &version);
    assert_true(bytes_equal(name, BYTES_LITERAL("io")));
    assert_true(bytes_equal(version, BYTES_LITERAL("v1")));
    /* In two parts, the second with a name alone. */
    otlp_scan_scope(BYTES_LITERAL("\x0a\x08\x12\x02v1\x0a\x02io\x0a\x04\x0a\x02kp"), &name,
                    &version);
    assert_true(bytes_equal(name, BYTES_LITERAL("kp")));
    assert_true(bytes_equal(version, BYTES_LITERAL("v1")));
    otlp_scan_scope(BYTES_LITERAL("\x0a\x09\x12"), &name, &version);
    assert_int_equal(name.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted_attributes_of_all_parts),
        cmocka_unit_test(test_no_resource),
        cmocka_unit_test(test_name_and_version_of_a_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
