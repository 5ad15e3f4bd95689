#include "otlp/keys.h"

#include <stdio.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

static uint16_t add(struct otlp_keys *keys, struct bytes key)
{
    uint16_t id = OTLP_KEY_NONE;
    assert_int_equal(otlp_keys_add(keys, key, &id), SB_OK);
    return id;
}

static void test_ids_count_up_and_stay(void **state)
{
    (void)state;
    struct otlp_keys *keys;
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_keys_count(keys), 0);
    assert_int_equal(otlp_keys_find(keys, BYTES_LITERAL("a")), OTLP_KEY_NONE);
    assert_int_equal(add(keys, BYTES_LITERAL("messaging.system")), 0);
    assert_int_equal(add(keys, BYTES_LITERAL("messaging.message.id")), 1);
    assert_int_equal(add(keys, BYTES_LITERAL("messaging.system")), 0);
    assert_int_equal(add(keys, bytes_of(NULL, 0)), 2);
    assert_int_equal(otlp_keys_count(keys), 3);
    assert_int_equal(otlp_keys_find(keys, BYTES_LITERAL("messaging.message.id")), 1);
    assert_int_equal(otlp_keys_find(keys, BYTES_LITERAL("")), 2);
    otlp_keys_free(keys);
    otlp_keys_free(NULL);
}

static void test_the_key_is_copied(void **state)
{
    (void)state;
    struct otlp_keys *keys;
    char key[] = "tenant.id";
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    add(keys, bytes_text(key));
    key[0] = 'x';
    assert_int_equal(otlp_keys_find(keys, BYTES_LITERAL("tenant.id")), 0);
    otlp_keys_free(keys);
}

/* Each byte counts, wherever it is and however long the key. */
static void test_no_byte_is_overlooked(void **state)
{
    (void)state;
    enum { LEN_MAX = 70 };
    uint8_t key[LEN_MAX + 1];
    for (size_t len = 0; len <= LEN_MAX; len++) {
        struct otlp_keys *keys;
        assert_int_equal(otlp_keys_new(&keys), SB_OK);
        for (size_t i = 0; i < sizeof(key); i++)
            key[i] = (uint8_t)('a' + i % 26);
        add(keys, bytes_of(key, len));
        assert_int_equal(otlp_keys_find(keys, bytes_of(key, len)), 0);
        assert_int_equal(otlp_keys_find(keys, bytes_of(key, len + 1)), OTLP_KEY_NONE);
        for (size_t i = 0; i < len; i++) {
            key[i] ^= 1;
            assert_int_equal(otlp_keys_find(keys, bytes_of(key, len)), OTLP_KEY_NONE);
            key[i] ^= 1;
        }
        otlp_keys_free(keys);
    }
}

static void test_as_many_as_fit_and_no_more(void **state)
{
    (void)state;
    struct otlp_keys *keys;
    char name[16];
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    for (int i = 0; i < OTLP_KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "key.%d", i);
        assert_int_equal(add(keys, bytes_text(name)), i);
    }
    uint16_t id = 7;
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("more"), &id), SB_ERR_LIMIT);
    assert_int_equal(id, 7);
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("key.3"), &id), SB_OK);
    assert_int_equal(id, 3);
    for (int i = 0; i < OTLP_KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "key.%d", i);
        assert_int_equal(otlp_keys_find(keys, bytes_text(name)), i);
    }
    otlp_keys_free(keys);
}

/* Few letters and lengths, so that many keys share a slot; a plain list is the model. */
static void test_against_a_list(void **state)
{
    (void)state;
    enum { KEY_LEN_MAX = 12, ROUNDS = 20000 };
    static char list[OTLP_KEYS_MAX][KEY_LEN_MAX + 1];
    int count = 0;
    struct otlp_keys *keys;
    struct random random;
    random_init(&random, 1);
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    for (int round = 0; round < ROUNDS; round++) {
        char key[KEY_LEN_MAX + 1] = "";
        size_t len = random_below(&random, KEY_LEN_MAX + 1);
        for (size_t i = 0; i < len; i++)
            key[i] = (char)('a' + random_below(&random, 2));
        int expected = OTLP_KEY_NONE;
        for (int i = 0; i < count; i++) {
            if (strcmp(list[i], key) == 0)
                expected = i;
        }
        assert_int_equal(otlp_keys_find(keys, bytes_text(key)), expected);
        if (expected == OTLP_KEY_NONE && count < OTLP_KEYS_MAX && random_chance(&random, 10)) {
            assert_int_equal(add(keys, bytes_text(key)), count);
            memcpy(list[count++], key, sizeof(key));
        }
    }
    assert_true(count > 500);
    otlp_keys_free(keys);
}

static void test_short_memory(void **state)
{
    (void)state;
    struct otlp_keys *keys = NULL;
    memory_fail_at(1);
    assert_int_equal(otlp_keys_new(&keys), SB_ERR_MEMORY);
    assert_null(keys);
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    uint16_t id = 7;
    memory_fail_at(1);
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("a"), &id), SB_ERR_MEMORY);
    assert_int_equal(id, 7);
    assert_int_equal(otlp_keys_count(keys), 0);
    assert_int_equal(otlp_keys_find(keys, BYTES_LITERAL("a")), OTLP_KEY_NONE);
    otlp_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_count_up_and_stay),
        cmocka_unit_test(test_the_key_is_copied),
        cmocka_unit_test(test_no_byte_is_overlooked),
        cmocka_unit_test(test_as_many_as_fit_and_no_more),
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
