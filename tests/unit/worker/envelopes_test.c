#include "envelopes.h"

#include <stdio.h>

#include "core/memory.h"
#include "otlp/write.h"
#include "support/random.h"
#include "support/test.h"

/* Forgetting starts when so many are idle. */
enum { IDLE_MAX = 1024 };

struct fixture {
    struct otlp_keys *keys;
    struct decide *decide;
    struct decide_worker *worker;
    struct envelopes envelopes;
};

static void set_up(struct fixture *fixture)
{
    static const char *const values[] = {"gold"};
    const struct decide_policy policies[] = {
        {.name = "vip",
         .type = DECIDE_STRING_ATTRIBUTE,
         .key = "tier",
         .values = values,
         .value_count = 1},
    };
    const struct decide_options options = {.policies = policies, .policy_count = 1};
    uint32_t wrong;
    char why[DECIDE_WHY_LEN];
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    assert_int_equal(decide_new(&options, fixture->keys, &fixture->decide, &wrong, why), SB_OK);
    assert_int_equal(decide_worker_new(fixture->decide, &fixture->worker), SB_OK);
    assert_int_equal(envelopes_init(&fixture->envelopes, fixture->keys, fixture->worker, 5),
                     SB_OK);
}

static void tear_down(struct fixture *fixture)
{
    envelopes_clear(&fixture->envelopes);
    decide_worker_free(fixture->worker);
    decide_free(fixture->decide);
    otlp_keys_free(fixture->keys);
}

static enum sb_err intern_bytes(struct fixture *fixture, struct bytes resource,
                                struct bytes scope, uint32_t *ret)
{
    const struct otlp_envelope content = {.resource_fields = resource, .scope_fields = scope};
    return envelopes_intern(&fixture->envelopes, &content, ret);
}

static uint32_t intern(struct fixture *fixture, const char *resource, const char *scope)
{
    uint32_t number;
    assert_int_equal(intern_bytes(fixture, bytes_text(resource), bytes_text(scope), &number),
                     SB_OK);
    return number;
}

static uint32_t intern_number(struct fixture *fixture, uint64_t number)
{
    char resource[32];
    snprintf(resource, sizeof(resource), "r%llu", (unsigned long long)number);
    return intern(fixture, resource, "scope");
}

static void test_equal_content_is_kept_once(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    uint32_t one = intern(&fixture, "ab", "c");
    assert_int_equal(intern(&fixture, "ab", "c"), one);
    /* The border between the parts counts, and each part. */
    uint32_t other = intern(&fixture, "a", "bc");
    assert_int_not_equal(other, one);
    assert_int_not_equal(intern(&fixture, "ab", ""), one);
    assert_int_not_equal(intern(&fixture, "", "c"), one);
    assert_int_equal(fixture.envelopes.by_hash.used, 4);
    /* Equal resources are one service, whatever the scope. */
    uint32_t same_service = intern(&fixture, "ab", "d");
    assert_int_equal(envelopes_at(&fixture.envelopes, one)->service,
                     envelopes_at(&fixture.envelopes, same_service)->service);
    assert_int_not_equal(envelopes_at(&fixture.envelopes, one)->service,
                         envelopes_at(&fixture.envelopes, other)->service);
    tear_down(&fixture);
}

static void test_the_content_is_a_copy(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    char resource[] = "resource";
    char scope[] = "scope";
    uint32_t number = intern(&fixture, resource, scope);
    memset(resource, 'x', sizeof(resource) - 1);
    memset(scope, 'x', sizeof(scope) - 1);
    const struct otlp_envelope *view = &envelopes_at(&fixture.envelopes, number)->view;
    assert_true(bytes_equal(view->resource_fields, BYTES_LITERAL("resource")));
    assert_true(bytes_equal(view->scope_fields, BYTES_LITERAL("scope")));
    assert_int_equal(fixture.envelopes.bytes, 13);
    uint32_t empty;
    assert_int_equal(intern_bytes(&fixture, bytes_of(NULL, 0), bytes_of(NULL, 0), &empty),
                     SB_OK);
    assert_int_equal(envelopes_at(&fixture.envelopes, empty)->view.scope_fields.len, 0);
    tear_down(&fixture);
}

/* What policies look for in a resource is found once, when it is first seen. */
static void test_policies_see_the_resource(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    struct text resource;
    struct text fields;
    text_init(&resource, 1000);
    text_init(&fields, 1000);
    otlp_write_string_attribute(&resource, 1, BYTES_LITERAL("tier"), BYTES_LITERAL("gold"));
    otlp_write_bytes_field(&fields, 1, text_bytes(&resource));
    uint32_t gold;
    assert_int_equal(intern_bytes(&fixture, text_bytes(&fields), bytes_of(NULL, 0), &gold),
                     SB_OK);
    assert_int_equal(envelopes_at(&fixture.envelopes, gold)->matches, 1);
    assert_int_equal(envelopes_at(&fixture.envelopes, intern(&fixture, "", ""))->matches, 0);
    text_clear(&resource);
    text_clear(&fields);
    tear_down(&fixture);
}

static void test_idle_ones_are_swept_when_many_have_gathered(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    uint32_t held = intern_number(&fixture, 5000);
    envelopes_hold(&fixture.envelopes, held);
    for (uint64_t i = 0; i < IDLE_MAX - 1; i++)
        (void)intern_number(&fixture, i);
    envelopes_sweep(&fixture.envelopes);
    assert_int_equal(fixture.envelopes.by_hash.used, IDLE_MAX);
    (void)intern_number(&fixture, 6000);
    envelopes_sweep(&fixture.envelopes);
    assert_int_equal(fixture.envelopes.by_hash.used, 1);
    assert_int_equal(fixture.envelopes.idle, 0);
    assert_int_equal(fixture.envelopes.bytes, strlen("r5000scope"));
    assert_int_equal(intern_number(&fixture, 5000), held);
    envelopes_release_view(&fixture.envelopes, &envelopes_at(&fixture.envelopes, held)->view);
    assert_int_equal(fixture.envelopes.idle, 1);
    tear_down(&fixture);
}

/* References by number against a model of counts. */
static void test_random_holds_and_releases_against_a_model(void **state)
{
    (void)state;
    enum { CONTENTS = 3000, STEPS = 60000 };
    static uint32_t references[CONTENTS];
    static uint32_t numbers[CONTENTS];
    struct fixture fixture;
    struct random random;
    set_up(&fixture);
    random_init(&random, 8);
    memset(references, 0, sizeof(references));
    for (int step = 0; step < STEPS; step++) {
        uint64_t i = random_below(&random, CONTENTS);
        if (random_chance(&random, 55)) {
            uint32_t number = intern_number(&fixture, i);
            if (references[i] > 0)
                assert_int_equal(number, numbers[i]);
            numbers[i] = number;
            if (random_chance(&random, 60)) {
                envelopes_hold(&fixture.envelopes, number);
                references[i]++;
            }
        } else if (references[i] > 0) {
            envelopes_release(&fixture.envelopes, numbers[i]);
            references[i]--;
        }
        envelopes_sweep(&fixture.envelopes);
        assert_true(fixture.envelopes.idle < IDLE_MAX);
    }
    uint32_t held = 0;
    for (uint64_t i = 0; i < CONTENTS; i++) {
        if (references[i] == 0)
            continue;
        held++;
        assert_int_equal(intern_number(&fixture, i), numbers[i]);
        assert_int_equal(envelopes_at(&fixture.envelopes, numbers[i])->references,
                         references[i]);
    }
    assert_int_equal(fixture.envelopes.by_hash.used, held + fixture.envelopes.idle);
    tear_down(&fixture);
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t nth = 1; nth <= 100; nth += 3) {
        struct fixture fixture;
        set_up(&fixture);
        memory_fail_at(nth);
        for (uint64_t i = 0; i < 80; i++) {
            char resource[32];
            snprintf(resource, sizeof(resource), "r%llu", (unsigned long long)i);
            uint32_t used = fixture.envelopes.by_hash.used;
            uint32_t number = 99;
            if (intern_bytes(&fixture, bytes_text(resource), BYTES_LITERAL("scope"), &number) ==
                SB_OK)
                continue;
            failures++;
            assert_int_equal(number, 99);
            assert_int_equal(fixture.envelopes.by_hash.used, used);
            assert_int_equal(fixture.envelopes.pool.used, used);
            assert_int_equal(fixture.envelopes.idle, used);
            (void)intern_number(&fixture, i);
        }
        memory_fail_at(0);
        for (uint64_t i = 0; i < 80; i++)
            (void)intern_number(&fixture, i);
        assert_int_equal(fixture.envelopes.by_hash.used, 80);
        tear_down(&fixture);
    }
    assert_true(failures > 20);
    struct fixture fixture;
    set_up(&fixture);
    envelopes_clear(&fixture.envelopes);
    memory_fail_at(1);
    assert_int_equal(envelopes_init(&fixture.envelopes, fixture.keys, fixture.worker, 5),
                     SB_ERR_MEMORY);
    memory_fail_at(0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_content_is_kept_once),
        cmocka_unit_test(test_the_content_is_a_copy),
        cmocka_unit_test(test_policies_see_the_resource),
        cmocka_unit_test(test_idle_ones_are_swept_when_many_have_gathered),
        cmocka_unit_test(test_random_holds_and_releases_against_a_model),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
