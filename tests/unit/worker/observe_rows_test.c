#include <stdio.h>

#include "core/memory.h"
#include "hops.h"
#include "observe.h"
#include "support/test.h"

static void test_a_table_is_bounded(void **state)
{
    (void)state;
    struct observe_table table = {0};
    assert_int_equal(observe_table_init(&table), SB_OK);
    for (int round = 0; round < 2; round++)
        for (uint64_t id = 1; id <= WORKER_OBSERVED_ROWS + 100; id++)
            observe_row(&table, id << 32 | id)->counts[WORKER_HOP_sent]++;
    observe_row(&table, 0)->counts[WORKER_HOP_sent]++;
    assert_int_equal(table.count, WORKER_OBSERVED_ROWS + 1);
    assert_int_equal(table.rows[0].counts[WORKER_HOP_sent], 201);
    for (uint32_t i = 1; i < table.count; i++)
        assert_int_equal(table.rows[i].counts[WORKER_HOP_sent], 2);
    observe_table_clear(&table);
}

/* Names come from outside: hostile ones are cut and made plain, and too many share a row. */
static void test_hostile_names(void **state)
{
    (void)state;
    enum { TRACES = WORKER_OBSERVED_ROWS + 50 };
    struct rig rig;
    struct worker_observed observed;
    char topic[200];
    rig_init(&rig);
    rig.options.observe = true;
    rig.options.worker_count = 2;
    rig_start(&rig);
    for (uint32_t i = 0; i < TRACES; i++) {
        snprintf(topic, sizeof(topic), "%u\x1b[31m\xff%0150u", i, i);
        const struct span_spec spec = {.trace = rig_trace(&rig, i % 2, i),
                                       .id = i + 1,
                                       .operation = "process",
                                       .topic = topic,
                                       .placed = i % 3 == 0};
        rig_push(&rig, i % 2, &spec, 1);
    }
    rig_drain(&rig);
    assert_int_equal(worker_group_take_observed(rig.group, &observed), SB_OK);
    uint64_t broken = observed.others[WORKER_BY_HOP].counts[WORKER_HOP_broken];
    uint64_t reasons = 0;
    assert_int_equal(observed.row_count[WORKER_BY_HOP], WORKER_OBSERVED_ROWS);
    assert_int_equal(broken, 50);
    assert_string_equal(observed.others[WORKER_BY_HOP].destination, "");
    for (uint32_t i = 0; i < observed.row_count[WORKER_BY_HOP]; i++) {
        const struct worker_observed_row *row = &observed.rows[WORKER_BY_HOP][i];
        assert_true(row->named);
        assert_int_equal(strlen(row->destination), WORKER_NAME_LEN - 1);
        assert_non_null(strstr(row->destination, "?[31m?000"));
        broken += row->counts[WORKER_HOP_broken];
        reasons += row->counts[WORKER_HOP_names_nothing];
        reasons += row->counts[WORKER_HOP_topic_not_read];
    }
    for (int i = WORKER_HOP_ambiguous; i < WORKER_HOP_COUNTER_COUNT; i++)
        reasons += observed.others[WORKER_BY_HOP].counts[i];
    assert_int_equal(broken, TRACES);
    assert_int_equal(reasons, TRACES);
    assert_int_equal(observed.row_count[WORKER_BY_SERVICE], 1);
    worker_observed_clear(&observed);
    rig_clear(&rig);
}

static void test_rows_come_most_broken_first(void **state)
{
    (void)state;
    struct rig rig;
    struct worker_observed observed;
    static const char *const topics[] = {"a", "b", "b", "c", "b", "c"};
    rig_init(&rig);
    rig.options.observe = true;
    rig.options.worker_count = 3;
    rig_start(&rig);
    for (uint32_t i = 0; i < 6; i++) {
        const struct span_spec spec = {.trace = rig_trace(&rig, i % 3, i),
                                       .id = i + 1,
                                       .operation = "process",
                                       .topic = topics[i]};
        rig_push(&rig, i % 2, &spec, 1);
    }
    rig_drain(&rig);
    assert_int_equal(worker_group_take_observed(rig.group, &observed), SB_OK);
    assert_int_equal(observed.row_count[WORKER_BY_DESTINATION], 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct worker_observed_row *row = &observed.rows[WORKER_BY_DESTINATION][i];
        assert_string_equal(row->destination, ((const char *[]){"b", "c", "a"})[i]);
        assert_int_equal(row->counts[WORKER_HOP_broken], 3 - i);
    }
    worker_observed_clear(&observed);
    for (uint64_t nth = 1;; nth++) {
        memory_fail_at(nth);
        enum sb_err err = worker_group_take_observed(rig.group, &observed);
        memory_fail_at(0);
        if (err == SB_OK)
            break;
        assert_int_equal(err, SB_ERR_MEMORY);
    }
    worker_observed_clear(&observed);
    rig_clear(&rig);
}

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(worker_hop_counter_text(WORKER_HOP_sent), "sent");
    assert_string_equal(worker_hop_counter_text(WORKER_HOP_evidence_late), "evidence_late");
    assert_string_equal(worker_observed_reason_text(WORKER_OBSERVED_drain), "drain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_is_bounded),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_rows_come_most_broken_first),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
