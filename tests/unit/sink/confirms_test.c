#include "confirms.h"

#include "core/memory.h"
#include "shipment.h"
#include "support/random.h"
#include "support/test.h"

enum { RECORDS = 20000 };

static struct shipment_record records[RECORDS];

/* What was settled: each record once. */
struct settled {
    uint32_t count;
    uint32_t returned;
    uint64_t last; /* number of the record */
    bool in_order;
};

static void on_settled(void *arg, struct shipment_record *record, bool returned)
{
    struct settled *settled = arg;
    uint64_t number = (uint64_t)(record - records);
    assert_false(record->done);
    record->done = true;
    settled->in_order = settled->in_order && (settled->count == 0 || number > settled->last);
    settled->last = number;
    settled->count++;
    settled->returned += returned;
}

static void push(struct confirms *confirms, uint32_t number)
{
    records[number] = (struct shipment_record){.len = number};
    assert_int_equal(confirms_reserve(confirms), SB_OK);
    confirms_push(confirms, &records[number]);
}

static void test_one_and_many(void **state)
{
    (void)state;
    struct confirms confirms;
    struct settled settled = {.in_order = true};
    confirms_init(&confirms);
    for (uint32_t i = 1; i <= 10; i++)
        push(&confirms, i);
    assert_true(confirms_settle(&confirms, 4, false, on_settled, &settled));
    assert_int_equal(settled.last, 4);
    assert_int_equal(confirms.oldest, 1);
    assert_true(confirms_settle(&confirms, 1, false, on_settled, &settled));
    assert_int_equal(confirms.oldest, 2);
    settled = (struct settled){.in_order = true};
    assert_true(confirms_settle(&confirms, 6, true, on_settled, &settled));
    assert_int_equal(settled.count, 4);
    assert_true(settled.in_order);
    assert_int_equal(confirms.oldest, 7);
    /* Again, and 0 for all of them. */
    assert_true(confirms_settle(&confirms, 6, true, on_settled, &settled));
    assert_true(confirms_settle(&confirms, 4, false, on_settled, &settled));
    assert_int_equal(settled.count, 4);
    assert_int_equal(confirms_longest(&confirms), 10);
    assert_true(confirms_settle(&confirms, 0, true, on_settled, &settled));
    assert_int_equal(settled.count, 8);
    assert_int_equal(confirms_longest(&confirms), 0);
    confirms_clear(&confirms);
}

static void test_tags_that_never_were(void **state)
{
    (void)state;
    struct confirms confirms;
    struct settled settled = {0};
    confirms_init(&confirms);
    assert_false(confirms_settle(&confirms, 1, false, on_settled, &settled));
    assert_true(confirms_settle(&confirms, 0, true, on_settled, &settled));
    assert_false(confirms_mark_returned(&confirms, 0));
    assert_false(confirms_mark_returned(&confirms, 1));
    push(&confirms, 1);
    assert_false(confirms_settle(&confirms, 0, false, on_settled, &settled));
    assert_false(confirms_settle(&confirms, 2, true, on_settled, &settled));
    assert_false(confirms_settle(&confirms, UINT64_MAX, true, on_settled, &settled));
    assert_false(confirms_mark_returned(&confirms, UINT64_MAX));
    assert_int_equal(settled.count, 0);
    confirms_reset(&confirms);
    assert_false(confirms_settle(&confirms, 1, false, on_settled, &settled));
    push(&confirms, 2);
    assert_true(confirms_settle(&confirms, 1, false, on_settled, &settled));
    assert_int_equal(settled.last, 2);
    confirms_clear(&confirms);
}

static void test_returned(void **state)
{
    (void)state;
    struct confirms confirms;
    struct settled settled = {0};
    confirms_init(&confirms);
    for (uint32_t i = 1; i <= 3; i++)
        push(&confirms, i);
    assert_true(confirms_mark_returned(&confirms, 2));
    assert_true(confirms_settle(&confirms, 3, true, on_settled, &settled));
    assert_int_equal(settled.count, 3);
    assert_int_equal(settled.returned, 1);
    assert_false(confirms_mark_returned(&confirms, 2));
    confirms_clear(&confirms);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct confirms confirms;
    struct settled settled = {0};
    confirms_init(&confirms);
    memory_fail_at(1);
    assert_int_equal(confirms_reserve(&confirms), SB_ERR_MEMORY);
    memory_fail_at(0);
    push(&confirms, 1);
    uint32_t room = confirms.room;
    for (uint32_t i = 2; i <= room; i++)
        push(&confirms, i);
    memory_fail_at(1);
    assert_int_equal(confirms_reserve(&confirms), SB_ERR_MEMORY);
    memory_fail_at(0);
    push(&confirms, room + 1);
    assert_true(confirms_settle(&confirms, room + 1, true, on_settled, &settled));
    assert_int_equal(settled.count, room + 1);
    confirms_clear(&confirms);
}

/* Against a plain list: what is open, by tag. */
static void test_like_a_plain_list(void **state)
{
    (void)state;
    static bool open[RECORDS + 1];
    struct confirms confirms;
    struct random random;
    confirms_init(&confirms);
    random_init(&random, 7);
    uint32_t pushed = 0;
    while (pushed + 1 < RECORDS) {
        if (random_below(&random, 3) > 0 || pushed == 0) {
            open[++pushed] = true;
            push(&confirms, pushed);
            continue;
        }
        uint64_t tag = 1 + random_below(&random, pushed);
        bool multiple = random_below(&random, 50) == 0;
        struct settled settled = {.in_order = true};
        uint32_t expected = 0;
        for (uint64_t at = multiple ? 1 : tag; at <= tag; at++) {
            expected += open[at];
            open[at] = false;
        }
        assert_true(confirms_settle(&confirms, tag, multiple, on_settled, &settled));
        assert_int_equal(settled.count, expected);
        assert_true(settled.in_order);
        assert_true(confirms.oldest == confirms.next || open[confirms.oldest]);
    }
    confirms_clear(&confirms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_and_many),      cmocka_unit_test(test_tags_that_never_were),
        cmocka_unit_test(test_returned),          cmocka_unit_test(test_memory_is_short),
        cmocka_unit_test(test_like_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
