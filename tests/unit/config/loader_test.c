#include "loader.h"

#include <string.h>

#include "core/memory.h"
#include "support/test.h"

struct fixture {
    struct config_report report;
    struct settings_private private;
    struct loader loader;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.private = {.origin_count = 0}};
    config_report_init(&fixture->report);
    arena_init(&fixture->private.arena, 1 << 20);
    fixture->loader = (struct loader){.report = &fixture->report, .private = &fixture->private};
}

static void end(struct fixture *fixture)
{
    memory_free(fixture->private.origins);
    arena_clear(&fixture->private.arena);
    config_report_clear(&fixture->report);
}

static void test_origins(void **state)
{
    (void)state;
    enum { FIELDS = 500 };
    static int fields[FIELDS];
    struct fixture fixture;
    begin(&fixture);
    for (uint32_t i = 0; i < FIELDS; i++) {
        /* Backwards, so that sorting has something to do. */
        struct place at = {.file = i % 2 == 0 ? "a" : "b", .order = i % 2, .line = i + 1};
        loader_set_origin(&fixture.loader, &fields[FIELDS - 1 - i], at, i == 7);
    }
    const struct origin *found = origin_find(&fixture.private, &fields[FIELDS - 8]);
    assert_int_equal(found->line, 8);
    assert_string_equal(found->file, "b");
    assert_int_equal(found->order, 1);
    assert_true(found->secret);
    origins_sort(&fixture.private);
    for (uint32_t i = 0; i < FIELDS; i++) {
        found = origin_find_sorted(&fixture.private, &fields[i]);
        assert_non_null(found);
        assert_int_equal(found->line, FIELDS - i);
    }
    assert_null(origin_find_sorted(&fixture.private, &fixture));
    assert_null(origin_find(&fixture.private, &fixture));
    end(&fixture);
}

/* A field may come from where another did, and may stand in a file without a value. */
static void test_other_origins(void **state)
{
    (void)state;
    struct fixture fixture;
    int fields[4] = {0};
    struct place at = {.file = "a", .order = 3, .line = 7};
    begin(&fixture);
    loader_set_origin(&fixture.loader, &fields[0], at, true);
    loader_copy_origin(&fixture.loader, &fields[1], &fields[0]);
    loader_copy_origin(&fixture.loader, &fields[2], &fields[3]);
    const struct origin *copy = origin_find(&fixture.private, &fields[1]);
    assert_non_null(copy);
    assert_int_equal(copy->line, 7);
    assert_int_equal(copy->order, 3);
    assert_true(copy->secret);
    assert_null(origin_find(&fixture.private, &fields[2]));
    loader_set_failed(&fixture.loader, &fields[3], at, false);
    assert_non_null(origin_find(&fixture.private, &fields[3]));
    assert_false(origin_is_read(&fixture.private, &fields[3]));
    assert_true(origin_is_read(&fixture.private, &fields[0]));
    assert_false(origin_is_read(&fixture.private, &fields[2]));
    end(&fixture);
}

static void test_place(void **state)
{
    (void)state;
    struct fixture fixture;
    int field = 0;
    int other = 0;
    begin(&fixture);
    struct place at = {.file = "a", .order = 3, .line = 7, .column = 2};
    struct place fallback = {.file = "w", .order = 1, .line = 0};
    loader_set_origin(&fixture.loader, &field, at, false);
    assert_string_equal(origin_place(&fixture.loader, &field, fallback).file, "a");
    assert_int_equal(origin_place(&fixture.loader, &field, fallback).line, 7);
    assert_int_equal(origin_place(&fixture.loader, &field, fallback).order, 3);
    assert_string_equal(origin_place(&fixture.loader, &other, fallback).file, "w");
    end(&fixture);
}

static void test_merge(void **state)
{
    (void)state;
    struct fixture fixture;
    int first = 0;
    int second = 0;
    begin(&fixture);
    loader_set_origin(&fixture.loader, &first, (struct place){.file = "a", .line = 1}, false);
    loader_set_origin(&fixture.loader, &second, (struct place){.file = "a", .line = 2}, false);
    loader_set_origin(&fixture.loader, &first, (struct place){.file = "--x"}, false);
    loader_merge_origin(&fixture.loader, 0);
    assert_int_equal(fixture.private.origin_count, 2);
    assert_string_equal(origin_find(&fixture.private, &first)->file, "--x");
    assert_int_equal(origin_find(&fixture.private, &second)->line, 2);
    end(&fixture);
}

static void test_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    assert_string_equal(loader_text(&fixture.loader, "text"), "text");
    assert_non_null(loader_alloc(&fixture.loader, 0));
    assert_false(fixture.loader.out_of_memory);
    assert_null(loader_alloc(&fixture.loader, 2 << 20));
    assert_true(fixture.loader.out_of_memory);
    end(&fixture);
    begin(&fixture);
    memory_fail_at(1);
    assert_string_equal(loader_text(&fixture.loader, "text"), "");
    memory_fail_at(0);
    assert_true(fixture.loader.out_of_memory);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),       cmocka_unit_test(test_place),
        cmocka_unit_test(test_other_origins), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
