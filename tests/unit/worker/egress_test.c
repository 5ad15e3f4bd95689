#include "egress.h"

#include "core/clock.h"
#include "core/memory.h"
#include "fake_sink.h"
#include "otlp/keys.h"
#include "support/random.h"
#include "support/test.h"

enum { SINKS = 2, LINGER_MS = 10, FINISHED_MAX = 4096 };

struct finished {
    uint32_t record;
    enum sink_outcome outcome;
    uint8_t first_byte; /* of the body that was shown */
};

struct fixture {
    struct worker_options options;
    struct worker_batching batching[SINKS];
    struct fake_sink sinks[SINKS];
    struct sink *list[SINKS];
    struct otlp_keys *keys;
    struct decide *decide;
    struct decide_worker *decide_worker;
    struct envelopes envelopes;
    uint32_t envelope;
    struct egress egress;
    struct finished finished[FINISHED_MAX];
    uint32_t finished_count;
};

static void on_done(void *arg, struct sink_batch *batch)
{
    struct fixture *fixture = arg;
    assert_ptr_equal(batch->owner, fixture);
    mailbox_post(&fixture->egress.returned, &batch->item);
}

static void on_finished(void *arg, const struct ticket *ticket, const struct sink_batch *batch,
                        const struct sink_span *span)
{
    struct fixture *fixture = arg;
    assert_true(fixture->finished_count < FINISHED_MAX);
    fixture->finished[fixture->finished_count++] = (struct finished){
        .record = ticket->record,
        .outcome = (enum sink_outcome)ticket->outcome,
        .first_byte = (uint8_t)batch->bytes.at[span->at],
    };
}

static void start_decide(struct fixture *fixture)
{
    const struct decide_policy policy = {.name = "all", .type = DECIDE_ALWAYS_SAMPLE};
    const struct decide_options options = {.policies = &policy, .policy_count = 1};
    uint32_t wrong;
    char why[DECIDE_WHY_LEN];
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    assert_int_equal(decide_new(&options, fixture->keys, &fixture->decide, &wrong, why), SB_OK);
    assert_int_equal(decide_worker_new(fixture->decide, &fixture->decide_worker), SB_OK);
}

static void set_up(struct fixture *fixture, uint32_t sinks)
{
    memset(fixture, 0, sizeof(*fixture));
    start_decide(fixture);
    for (uint32_t i = 0; i < sinks; i++) {
        fake_sink_init(&fixture->sinks[i], "sink", on_done, fixture);
        fixture->list[i] = &fixture->sinks[i].head;
        fixture->batching[i] = (struct worker_batching){
            .spans_max = 10, .bytes_max = 1000, .linger_ns = LINGER_MS * NS_PER_MS};
    }
    fixture->options = (struct worker_options){
        .sinks = fixture->list, .batching = fixture->batching, .sink_count = sinks};
    assert_int_equal(
        envelopes_init(&fixture->envelopes, fixture->keys, fixture->decide_worker, 5), SB_OK);
    const struct otlp_envelope content = {.fault = 0};
    assert_int_equal(envelopes_intern(&fixture->envelopes, &content, &fixture->envelope),
                     SB_OK);
    envelopes_hold(&fixture->envelopes, fixture->envelope);
    assert_int_equal(
        egress_init(&fixture->egress, &fixture->options, &fixture->envelopes, fixture), SB_OK);
}

static uint32_t references(const struct fixture *fixture)
{
    return envelopes_at(&fixture->envelopes, fixture->envelope)->references - 1;
}

static void tear_down(struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->options.sink_count; i++) {
        fake_sink_give_back(&fixture->sinks[i]);
        fake_sink_clear(&fixture->sinks[i]);
    }
    egress_clear(&fixture->egress);
    envelopes_clear(&fixture->envelopes);
    decide_worker_free(fixture->decide_worker);
    decide_free(fixture->decide);
    otlp_keys_free(fixture->keys);
}

/* A span body that the oracle can read: a trace id, a span id, and so many blanks as name. */
static struct bytes body_of(uint32_t number, size_t len)
{
    static uint8_t body[1 << 16];
    assert_true(len >= 30 && len < sizeof(body));
    memset(body, 0, 30);
    memcpy(body, "\x0a\x10", 2);
    memcpy(body + 2, &number, sizeof(number));
    body[6] = 1;
    memcpy(body + 18, "\x12\x08", 2);
    memcpy(body + 20, &number, sizeof(number));
    body[27] = 1;
    memcpy(body + 28, "\x2a", 1);
    body[29] = 0;
    return bytes_of(body, len);
}

static enum sb_err add(struct fixture *fixture, uint32_t record, uint64_t now_ns)
{
    const struct egress_span span = {
        .raw = body_of(record, 30),
        .patch = BYTES_LITERAL("\x2a\x05hello"),
        .envelope = fixture->envelope,
        .record = record,
    };
    return egress_add(&fixture->egress, &span, now_ns);
}

static void collect(struct fixture *fixture)
{
    egress_collect(&fixture->egress, on_finished, fixture);
}

static void test_the_body_is_the_span_with_its_patch_behind(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 1);
    assert_int_equal(add(&fixture, 7, 0), SB_OK);
    assert_int_equal(egress_held(&fixture.egress), 1);
    egress_flush(&fixture.egress, UINT64_MAX);
    fake_sink_answer_all(&fixture.sinks[0]);
    assert_string_equal(fixture.sinks[0].spans[0].span->name, "hello");
    assert_false(fixture.sinks[0].spans[0].synthetic);
    collect(&fixture);
    assert_int_equal(fixture.finished_count, 1);
    assert_int_equal(fixture.finished[0].record, 7);
    assert_int_equal(fixture.finished[0].outcome, SINK_EXPORTED);
    assert_int_equal(egress_held(&fixture.egress), 0);
    assert_int_equal(references(&fixture), 0);
    tear_down(&fixture);
}

static void test_a_span_of_our_own_is_marked(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 1);
    const struct egress_span span = {
        .raw = body_of(1, 30), .envelope = fixture.envelope, .record = RECORD_NONE};
    assert_int_equal(egress_add(&fixture.egress, &span, 0), SB_OK);
    egress_flush(&fixture.egress, UINT64_MAX);
    fake_sink_answer_all(&fixture.sinks[0]);
    assert_true(fixture.sinks[0].spans[0].synthetic);
    tear_down(&fixture);
}

/* A span is finished when the last sink has answered, and ends in the worst class. */
static enum sink_outcome answer_as(void *arg, const struct out_span *span)
{
    (void)span;
    return *(const enum sink_outcome *)arg;
}

static void test_the_last_answer_finishes_and_the_worst_counts(void **state)
{
    (void)state;
    static const enum sink_outcome outcomes[] = {SINK_EXPORTED, SINK_REJECTED, SINK_TOO_LARGE,
                                                 SINK_LOST};
    for (int i = 0; i < 16; i++) {
        enum sink_outcome first = outcomes[i / 4];
        enum sink_outcome second = outcomes[i % 4];
        static struct fixture fixture;
        set_up(&fixture, 2);
        fixture.sinks[0].judge = answer_as;
        fixture.sinks[0].judge_arg = &first;
        fixture.sinks[1].judge = answer_as;
        fixture.sinks[1].judge_arg = &second;
        assert_int_equal(add(&fixture, 3, 0), SB_OK);
        assert_int_equal(references(&fixture), 2);
        egress_flush(&fixture.egress, UINT64_MAX);
        fake_sink_answer(&fixture.sinks[i % 2]);
        collect(&fixture);
        assert_int_equal(fixture.finished_count, 0);
        assert_int_equal(egress_held(&fixture.egress), 1);
        fake_sink_answer(&fixture.sinks[1 - i % 2]);
        collect(&fixture);
        assert_int_equal(fixture.finished_count, 1);
        assert_int_equal(fixture.finished[0].outcome, first > second ? first : second);
        assert_int_equal(fixture.finished[0].first_byte, 0x0a);
        assert_int_equal(references(&fixture), 0);
        tear_down(&fixture);
    }
}

/* A sink that was stopped gives back what it did not send: those spans stay held. */
static void test_what_comes_back_unsent_stays_held(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 2);
    assert_int_equal(add(&fixture, 1, 0), SB_OK);
    egress_flush(&fixture.egress, UINT64_MAX);
    fake_sink_give_back(&fixture.sinks[0]);
    fake_sink_answer_all(&fixture.sinks[1]);
    collect(&fixture);
    assert_int_equal(fixture.finished_count, 0);
    assert_int_equal(egress_held(&fixture.egress), 1);
    assert_int_equal(references(&fixture), 0);
    tear_down(&fixture);
}

static void test_a_batch_leaves_when_it_is_full_or_has_lingered(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 1);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(add(&fixture, i, 1000), SB_OK);
    assert_int_equal(fixture.sinks[0].held, 0);
    assert_int_equal(add(&fixture, 10, 2000), SB_OK); /* one more than spans_max */
    assert_int_equal(fixture.sinks[0].held, 1);
    assert_int_equal(fixture.sinks[0].first->span_count, 10);
    uint64_t due_ns = 2000 + LINGER_MS * NS_PER_MS;
    egress_flush(&fixture.egress, due_ns - 1);
    assert_int_equal(fixture.sinks[0].held, 1);
    egress_flush(&fixture.egress, due_ns);
    assert_int_equal(fixture.sinks[0].held, 2);

    const struct egress_span large = {
        .raw = body_of(50, 700), .envelope = fixture.envelope, .record = 50};
    assert_int_equal(egress_add(&fixture.egress, &large, 0), SB_OK);
    assert_int_equal(egress_add(&fixture.egress, &large, 0), SB_OK); /* beyond bytes_max */
    assert_int_equal(fixture.sinks[0].held, 3);
    /* A span larger than a batch is meant to be travels alone. */
    const struct egress_span larger = {
        .raw = body_of(60, 5000), .envelope = fixture.envelope, .record = 60};
    assert_int_equal(egress_add(&fixture.egress, &larger, 0), SB_OK);
    assert_int_equal(egress_add(&fixture.egress, &large, 0), SB_OK);
    assert_int_equal(fixture.sinks[0].held, 5);
    fake_sink_give_back(&fixture.sinks[0]);
    tear_down(&fixture);
}

static void test_room_is_where_every_sink_has_some(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 2);
    assert_true(egress_has_room(&fixture.egress));
    fixture.sinks[1].is_full = true;
    assert_false(egress_has_room(&fixture.egress));
    fixture.sinks[0].is_full = true;
    fixture.sinks[1].is_full = false;
    assert_false(egress_has_room(&fixture.egress));
    tear_down(&fixture);
}

static void test_a_warm_egress_does_not_allocate(void **state)
{
    (void)state;
    static struct fixture fixture;
    set_up(&fixture, 2);
    uint64_t warm = 0;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(add(&fixture, i, 0), SB_OK);
        if (round == 1)
            warm = memory_allocations();
        egress_flush(&fixture.egress, UINT64_MAX);
        fake_sink_answer_all(&fixture.sinks[0]);
        fake_sink_answer_all(&fixture.sinks[1]);
        collect(&fixture);
    }
    assert_int_equal(memory_allocations(), warm);
    assert_int_equal(fixture.finished_count, 200);
    tear_down(&fixture);
}

/* The nth allocation fails: that span is nowhere, all others leave once, in their order. */
static void test_memory_shortage_adds_nothing(void **state)
{
    (void)state;
    enum { SPANS = 3000 };
    int failures = 0;
    for (uint64_t nth = 1; nth <= 14; nth++) {
        static struct fixture fixture;
        set_up(&fixture, 2);
        fixture.batching[0].spans_max = UINT32_MAX;
        fixture.batching[0].bytes_max = SIZE_MAX;
        fixture.batching[1].spans_max = 1500;
        fixture.batching[1].bytes_max = SIZE_MAX;
        memory_fail_at(nth);
        for (uint32_t i = 0; i < SPANS; i++) {
            uint32_t held = egress_held(&fixture.egress);
            uint32_t before = references(&fixture);
            if (add(&fixture, i, 0) == SB_OK)
                continue;
            failures++;
            assert_int_equal(egress_held(&fixture.egress), held);
            assert_int_equal(references(&fixture), before);
            assert_int_equal(add(&fixture, i, 0), SB_OK);
        }
        memory_fail_at(0);
        egress_flush(&fixture.egress, UINT64_MAX);
        fake_sink_answer_all(&fixture.sinks[0]);
        fake_sink_answer_all(&fixture.sinks[1]);
        collect(&fixture);
        assert_int_equal(fixture.finished_count, SPANS);
        for (uint32_t i = 0; i < SPANS; i++) {
            assert_int_equal(fixture.finished[i].record, i);
            struct span_id id = out_id(&fixture.sinks[0].spans[i]);
            uint32_t number;
            memcpy(&number, id.byte, sizeof(number));
            assert_int_equal(number, i);
        }
        assert_int_equal(egress_held(&fixture.egress), 0);
        tear_down(&fixture);
    }
    assert_true(failures >= 10);
}

/* Sinks answering late, in any order and with any outcome: each span is finished once. */
static void test_random_answers_finish_each_span_once(void **state)
{
    (void)state;
    enum { SPANS = 4000 };
    static struct fixture fixture;
    static uint32_t seen[SPANS];
    struct random random;
    random_init(&random, 3);
    set_up(&fixture, 2);
    memset(seen, 0, sizeof(seen));
    uint32_t added = 0;
    for (uint64_t now_ns = 0; added < SPANS; now_ns += NS_PER_MS) {
        for (uint64_t i = random_below(&random, 15); i > 0 && added < SPANS; i--)
            assert_int_equal(add(&fixture, added++, now_ns), SB_OK);
        egress_flush(&fixture.egress, now_ns);
        for (uint32_t i = 0; i < SINKS; i++)
            if (random_chance(&random, 40))
                (void)fake_sink_answer(&fixture.sinks[i]);
        if (random_chance(&random, 30))
            collect(&fixture);
        assert_int_equal(fixture.finished_count + egress_held(&fixture.egress), added);
    }
    egress_flush(&fixture.egress, UINT64_MAX);
    fake_sink_answer_all(&fixture.sinks[0]);
    fake_sink_answer_all(&fixture.sinks[1]);
    collect(&fixture);
    for (uint32_t i = 0; i < fixture.finished_count; i++)
        seen[fixture.finished[i].record]++;
    for (uint32_t i = 0; i < SPANS; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(references(&fixture), 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_body_is_the_span_with_its_patch_behind),
        cmocka_unit_test(test_a_span_of_our_own_is_marked),
        cmocka_unit_test(test_the_last_answer_finishes_and_the_worst_counts),
        cmocka_unit_test(test_what_comes_back_unsent_stays_held),
        cmocka_unit_test(test_a_batch_leaves_when_it_is_full_or_has_lingered),
        cmocka_unit_test(test_room_is_where_every_sink_has_some),
        cmocka_unit_test(test_a_warm_egress_does_not_allocate),
        cmocka_unit_test(test_memory_shortage_adds_nothing),
        cmocka_unit_test(test_random_answers_finish_each_span_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
