#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "ledger/ledger.h"
#include "support/random.h"

static struct ledger *new_ledger(void)
{
    struct ledger *ledger = NULL;
    assert_int_equal(ledger_new(&ledger), SB_OK);
    return ledger;
}

static ledger_partition open_partition(struct ledger *ledger)
{
    ledger_partition partition = 0;
    assert_int_equal(ledger_open_partition(ledger, &partition), SB_OK);
    return partition;
}

static ledger_record begin(struct ledger *ledger, ledger_partition partition, int64_t offset)
{
    ledger_record record = 0;
    assert_int_equal(ledger_begin(ledger, partition, offset, &record), SB_OK);
    return record;
}

static void watermark_waits_for_the_oldest(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger();
    ledger_partition partition = open_partition(ledger);
    assert_true(ledger_watermark(ledger, partition) == LEDGER_NO_OFFSET);

    ledger_record first = begin(ledger, partition, 10);
    ledger_record second = begin(ledger, partition, 11);
    ledger_record third = begin(ledger, partition, 40); /* a gap is legal */
    ledger_release(ledger, second, 1);
    assert_true(ledger_watermark(ledger, partition) == LEDGER_NO_OFFSET);
    assert_int_equal(ledger_held(ledger), 2);

    ledger_release(ledger, first, 1);
    assert_int_equal(ledger_watermark(ledger, partition), 12);
    ledger_release(ledger, third, 1);
    assert_int_equal(ledger_watermark(ledger, partition), 41);
    assert_int_equal(ledger_held(ledger), 0);
    ledger_free(ledger);
}

static void record_is_held_until_its_last_count(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger();
    ledger_partition partition = open_partition(ledger);
    ledger_record record = begin(ledger, partition, 7);
    ledger_hold(ledger, record, 3);
    ledger_release(ledger, record, 1);
    ledger_release(ledger, record, 2);
    ledger_release(ledger, record, 0);
    assert_int_equal(ledger_held(ledger), 1);
    ledger_partition owner = 99;
    assert_int_equal(ledger_record_offset(ledger, record, &owner), 7);
    assert_int_equal(owner, partition);
    ledger_release(ledger, record, 1);
    assert_int_equal(ledger_watermark(ledger, partition), 8);
    ledger_free(ledger);
}

static void closed_partition_lets_go_of_its_records(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger();
    ledger_partition partition = open_partition(ledger);
    ledger_record first = begin(ledger, partition, 1);
    ledger_record second = begin(ledger, partition, 2);
    ledger_close_partition(ledger, partition);

    /* The number is not given out again while records of it are held. */
    ledger_partition other = open_partition(ledger);
    assert_int_not_equal(other, partition);
    ledger_record third = begin(ledger, other, 1);
    ledger_release(ledger, first, 1);
    assert_true(ledger_watermark(ledger, partition) == LEDGER_NO_OFFSET);
    assert_true(ledger_watermark(ledger, other) == LEDGER_NO_OFFSET);
    assert_int_equal(ledger_held(ledger), 2);
    ledger_release(ledger, second, 1);
    ledger_release(ledger, third, 1);
    assert_int_equal(ledger_watermark(ledger, other), 2);
    assert_int_equal(open_partition(ledger), partition);
    ledger_free(ledger);
}

/* What another owner reads again is told from what only this one has read. */
static void returned_partition_says_so_of_its_records(void **state)
{
    (void)state;
    struct ledger *ledger = new_ledger();
    ledger_partition returned = open_partition(ledger);
    ledger_partition closed = open_partition(ledger);
    ledger_partition open = open_partition(ledger);
    ledger_record records[] = {begin(ledger, returned, 1), begin(ledger, closed, 1),
                               begin(ledger, open, 1)};
    ledger_return_partition(ledger, returned);
    ledger_close_partition(ledger, closed);
    assert_true(ledger_is_returned(ledger, records[0]));
    assert_false(ledger_is_returned(ledger, records[1]));
    assert_false(ledger_is_returned(ledger, records[2]));
    ledger_release(ledger, records[0], 1);
    assert_int_equal(ledger_held(ledger), 2);
    /* Its place is taken by the next, which is not returned. */
    ledger_partition next = open_partition(ledger);
    assert_int_equal(next, returned);
    assert_false(ledger_is_returned(ledger, begin(ledger, next, 9)));
    ledger_free(ledger);
}

static void failed_allocation_changes_nothing(void **state)
{
    (void)state;
    struct ledger *ledger = NULL;
    memory_fail_at(1);
    assert_int_equal(ledger_new(&ledger), SB_ERR_MEMORY);
    assert_null(ledger);
    ledger = new_ledger();
    ledger_partition partition = 0;
    memory_fail_at(1);
    assert_int_equal(ledger_open_partition(ledger, &partition), SB_ERR_MEMORY);
    partition = open_partition(ledger);
    ledger_record record = 0;
    memory_fail_at(1);
    assert_int_equal(ledger_begin(ledger, partition, 5, &record), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_int_equal(ledger_held(ledger), 0);
    record = begin(ledger, partition, 5);
    ledger_release(ledger, record, 1);
    assert_int_equal(ledger_watermark(ledger, partition), 6);
    ledger_free(ledger);
}

static void warm_ledger_does_not_allocate(void **state)
{
    (void)state;
    enum { HELD = 1000, TURNS = 20000 };
    struct ledger *ledger = new_ledger();
    ledger_partition partition = open_partition(ledger);
    ledger_record held[HELD];
    for (int64_t i = 0; i < HELD; i++)
        held[i] = begin(ledger, partition, i);
    uint64_t allocations = memory_allocations();
    for (int64_t i = HELD; i < HELD + TURNS; i++) {
        ledger_release(ledger, held[i % HELD], 1);
        held[i % HELD] = begin(ledger, partition, i);
    }
    assert_int_equal(memory_allocations(), allocations);
    assert_int_equal(ledger_watermark(ledger, partition), TURNS);
    ledger_free(ledger);
}

/* The naive model: all records ever begun, in arrays, and every answer by a full scan. */
enum { MODEL_PARTITIONS = 40, MODEL_RECORDS = 3000, MODEL_STEPS = 12000 };

struct model_record {
    uint32_t partition; /* index into the model's partitions */
    int64_t offset;
    uint32_t counts;
    ledger_record ref;
};

struct model_partition {
    bool open;
    int64_t next_offset;
    ledger_partition ref;
};

struct model {
    struct ledger *ledger;
    struct random random;
    struct model_partition partitions[MODEL_PARTITIONS];
    uint32_t partition_count;
    struct model_record records[MODEL_RECORDS];
    uint32_t record_count;
};

static void model_check_partition(const struct model *model, uint32_t index)
{
    const struct model_partition *p = &model->partitions[index];
    int64_t watermark = LEDGER_NO_OFFSET;
    bool held = false;
    for (uint32_t i = 0; i < model->record_count; i++) {
        const struct model_record *r = &model->records[i];
        if (r->partition != index)
            continue;
        held = held || r->counts > 0;
        if (!held)
            watermark = r->offset + 1;
    }
    assert_true(ledger_watermark(model->ledger, p->ref) == watermark);
}

static void model_check(const struct model *model)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < model->record_count; i++) {
        const struct model_record *r = &model->records[i];
        if (r->counts == 0)
            continue;
        held++;
        ledger_partition owner;
        assert_int_equal(ledger_record_offset(model->ledger, r->ref, &owner), r->offset);
        assert_int_equal(owner, model->partitions[r->partition].ref);
    }
    assert_int_equal(ledger_held(model->ledger), held);
    for (uint32_t i = 0; i < model->partition_count; i++)
        if (model->partitions[i].open)
            model_check_partition(model, i);
}

static void model_open(struct model *model)
{
    if (model->partition_count == MODEL_PARTITIONS)
        return;
    struct model_partition *p = &model->partitions[model->partition_count++];
    p->open = true;
    p->next_offset = (int64_t)random_below(&model->random, 1000);
    p->ref = open_partition(model->ledger);
}

static void model_begin(struct model *model)
{
    if (model->partition_count == 0 || model->record_count == MODEL_RECORDS)
        return;
    uint32_t index = (uint32_t)random_below(&model->random, model->partition_count);
    struct model_partition *p = &model->partitions[index];
    if (!p->open)
        return;
    int64_t offset = p->next_offset;
    p->next_offset += 1 + (int64_t)random_below(&model->random, 3);
    model->records[model->record_count++] = (struct model_record){
        .partition = index,
        .offset = offset,
        .counts = 1,
        .ref = begin(model->ledger, p->ref, offset),
    };
}

static void model_hold_or_release(struct model *model, bool hold)
{
    if (model->record_count == 0)
        return;
    struct model_record *r = &model->records[random_below(&model->random, model->record_count)];
    if (r->counts == 0)
        return;
    if (hold) {
        uint32_t counts = (uint32_t)random_below(&model->random, 4);
        ledger_hold(model->ledger, r->ref, counts);
        r->counts += counts;
    } else {
        uint32_t counts = (uint32_t)random_between(&model->random, 1, r->counts);
        ledger_release(model->ledger, r->ref, counts);
        r->counts -= counts;
    }
}

static void model_step(struct model *model)
{
    uint64_t dice = random_below(&model->random, 1000);
    if (dice < 8) {
        model_open(model);
    } else if (dice < 12 && model->partition_count > 0) {
        struct model_partition *p =
            &model->partitions[random_below(&model->random, model->partition_count)];
        if (p->open)
            ledger_close_partition(model->ledger, p->ref);
        p->open = false;
    } else if (dice < 400) {
        model_begin(model);
    } else {
        model_hold_or_release(model, dice < 500);
    }
}

static void random_operations_agree_with_the_model(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        model = (struct model){.ledger = new_ledger()};
        random_init(&model.random, seed);
        for (int step = 0; step < MODEL_STEPS; step++) {
            model_step(&model);
            if (step % 16 == 0)
                model_check(&model);
        }
        model_check(&model);
        assert_true(model.record_count > MODEL_RECORDS / 2);
        ledger_free(model.ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watermark_waits_for_the_oldest),
        cmocka_unit_test(record_is_held_until_its_last_count),
        cmocka_unit_test(closed_partition_lets_go_of_its_records),
        cmocka_unit_test(returned_partition_says_so_of_its_records),
        cmocka_unit_test(failed_allocation_changes_nothing),
        cmocka_unit_test(warm_ledger_does_not_allocate),
        cmocka_unit_test(random_operations_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
