#include <string.h>
#include <unistd.h>

#include "compress.h"
#include "otlp_rig.h"
#include "retry_after.h"
#include "support/temp_dir.h"
#include "support/test.h"

enum { SPANS = 64 };

/* A receiver over HTTP and a sink that sends to it. */
struct fixture {
    struct otlp_receiver *receiver;
    struct otlp_rig rig;
};

static void open_fixture(struct fixture *fixture, receiver_decide_fn on_request, void *arg)
{
    struct receiver_options options = {
        .protocol = RECEIVER_HTTP, .on_request = on_request, .arg = arg};
    fixture->receiver = receiver_new(&options);
    otlp_rig_init(&fixture->rig, receiver_url(fixture->receiver));
}

static void close_fixture(struct fixture *fixture)
{
    otlp_rig_clear(&fixture->rig);
    receiver_free(fixture->receiver);
}

/* Sends one batch, expects that outcome for so many of its spans, and returns its counters. */
static struct sink_counters expect(struct fixture *fixture, enum sink_outcome outcome,
                                   uint32_t count)
{
    struct sink_batch *batch = otlp_rig_send(&fixture->rig, SPANS);
    assert_int_equal(rig_count(batch, outcome), count);
    assert_int_equal(rig_count(batch, SINK_PENDING), 0);
    sink_batch_free(batch);
    return rig_counters(&fixture->rig.base);
}

/* Poison: spans whose number can be divided by `arg`. */
static void refuse_poison(void *arg, const struct receiver_request *request,
                          struct receiver_answer *ret)
{
    uint32_t divisor = *(const uint32_t *)arg;
    for (uint32_t i = 0; i < request->span_count; i++) {
        if (rig_span_number(request->span_ids[i]) % divisor == 0)
            ret->status = 400;
    }
}

static void test_400_finds_the_poison(void **state)
{
    (void)state;
    static const uint32_t divisors[] = {1, 7, 63, 64};
    for (size_t i = 0; i < sizeof(divisors) / sizeof(divisors[0]); i++) {
        uint32_t divisor = divisors[i];
        struct fixture fixture;
        open_fixture(&fixture, refuse_poison, &divisor);
        otlp_rig_start(&fixture.rig);
        struct sink_batch *batch = otlp_rig_send(&fixture.rig, SPANS);
        uint32_t poisoned = 0;
        for (uint32_t at = 0; at < SPANS; at++) {
            bool poison = batch->spans[at].ticket % divisor == 0;
            assert_int_equal(batch->spans[at].outcome, poison ? SINK_REJECTED : SINK_EXPORTED);
            assert_int_equal(receiver_span_count(fixture.receiver, rig_span_id(at)), !poison);
            poisoned += poison;
        }
        struct sink_counters counters = rig_counters(&fixture.rig.base);
        assert_int_equal(counters.spans_rejected, poisoned);
        assert_int_equal(counters.spans_exported, SPANS - poisoned);
        assert_int_equal(counters.requests, 1 + 2 * counters.bisections);
        assert_int_equal(counters.retries, 0);
        sink_batch_free(batch);
        close_fixture(&fixture);
    }
}

/* Takes no more than `arg` spans at once. */
static void refuse_many(void *arg, const struct receiver_request *request,
                        struct receiver_answer *ret)
{
    if (request->span_count > *(const uint32_t *)arg)
        ret->status = 413;
}

static void test_413_cuts_the_batch(void **state)
{
    (void)state;
    uint32_t most = 16;
    struct fixture fixture;
    open_fixture(&fixture, refuse_many, &most);
    otlp_rig_start(&fixture.rig);
    struct sink_counters counters = expect(&fixture, SINK_EXPORTED, SPANS);
    assert_int_equal(counters.bisections, 3);
    assert_int_equal(counters.requests, 7);
    assert_int_equal(receiver_spans(fixture.receiver), SPANS);
    close_fixture(&fixture);
}

static void test_413_for_a_span_alone(void **state)
{
    (void)state;
    uint32_t most = 0;
    struct fixture fixture;
    open_fixture(&fixture, refuse_many, &most);
    otlp_rig_start(&fixture.rig);
    struct sink_counters counters = expect(&fixture, SINK_TOO_LARGE, SPANS);
    assert_int_equal(counters.spans_too_large, SPANS);
    assert_int_equal(counters.spans_rejected, 0);
    close_fixture(&fixture);
}

/* The server answers and closes while most of the body is still to be sent. */
static void test_413_told_early(void **state)
{
    (void)state;
    enum { MANY = 100000 }; /* some 4 MB */
    struct receiver_options options = {.protocol = RECEIVER_HTTP, .message_max = 1024 * 1024};
    struct fixture fixture = {.receiver = receiver_new(&options)};
    otlp_rig_init(&fixture.rig, receiver_url(fixture.receiver));
    otlp_rig_start(&fixture.rig);
    struct sink_batch *batch = otlp_rig_send(&fixture.rig, MANY);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), MANY);
    sink_batch_free(batch);
    assert_int_equal(rig_counters(&fixture.rig.base).bisections, 3);
    assert_int_equal(receiver_spans(fixture.receiver), MANY);
    close_fixture(&fixture);
}

static void test_retried_until_it_works(void **state)
{
    (void)state;
    static const struct receiver_answer rows[] = {
        {.status = 429}, {.status = 502},        {.status = 503},
        {.status = 504}, {.act = RECEIVER_DROP},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        open_fixture(&fixture, NULL, NULL);
        const struct receiver_answer answers[] = {rows[i], rows[i], rows[i]};
        receiver_play(fixture.receiver, answers, 3);
        otlp_rig_start(&fixture.rig);
        struct sink_counters counters = expect(&fixture, SINK_EXPORTED, SPANS);
        assert_int_equal(counters.requests, 4);
        assert_int_equal(counters.retries, 3);
        assert_int_equal(counters.bytes_sent % 4, 0);
        assert_int_equal(otlp_rig_wait_count(&fixture.rig), 3);
        for (uint32_t wait = 0; wait < 3; wait++)
            assert_true(otlp_rig_wait_ns(&fixture.rig, wait) <= (NS_PER_S << wait));
        assert_int_equal(receiver_spans(fixture.receiver), SPANS);
        assert_int_equal(rig_logged(&fixture.rig.base, "export_failed"), 3);
        assert_int_equal(fixture.rig.base.sink->ops->state(fixture.rig.base.sink), SINK_READY);
        close_fixture(&fixture);
    }
}

static void test_retry_after_wins(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint64_t wait_ns;
    } rows[] = {
        {"77", 77 * NS_PER_S},
        {"315360000", RETRY_AFTER_MAX_NS},
        /* A minute after FAKE_CLOCK_WALL_NS. */
        {"Fri, 02 Jan 2026 03:05:05 GMT", 60 * NS_PER_S},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        open_fixture(&fixture, NULL, NULL);
        const struct receiver_answer answer = {.status = 503,
                                               .headers = {{"Retry-After", rows[i].value}}};
        receiver_play(fixture.receiver, &answer, 1);
        otlp_rig_start(&fixture.rig);
        (void)expect(&fixture, SINK_EXPORTED, SPANS);
        assert_int_equal(otlp_rig_wait_count(&fixture.rig), 1);
        assert_int_equal(otlp_rig_wait_ns(&fixture.rig, 0), rows[i].wait_ns);
        close_fixture(&fixture);
    }
}

static void test_final_refusals(void **state)
{
    (void)state;
    static const int rows[] = {408, 410, 500, 501};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        open_fixture(&fixture, NULL, NULL);
        const struct receiver_answer answer = {.status = rows[i]};
        receiver_play(fixture.receiver, &answer, 1);
        otlp_rig_start(&fixture.rig);
        struct sink_counters counters = expect(&fixture, SINK_REJECTED, SPANS);
        assert_int_equal(counters.requests, 1);
        assert_int_equal(counters.spans_rejected, SPANS);
        assert_int_equal(rig_logged(&fixture.rig.base, "export_refused"), 1);
        close_fixture(&fixture);
    }
}

/* What /health says behind the endpoint's address. */
static void expect_why(const struct fixture *fixture, const char *text)
{
    char why[SINK_WHY_LEN];
    struct sink *sink = fixture->rig.base.sink;
    const char *url = receiver_url(fixture->receiver);
    sink->ops->read_why(sink, why);
    assert_memory_equal(why, url, strlen(url));
    assert_string_equal(why + strlen(url), text);
}

/* A wrong port or path, until somebody mends it: no span is given up meanwhile. */
static void test_nobody_takes_spans_there(void **state)
{
    (void)state;
    const struct receiver_answer rows[] = {
        {.status = 404, .body = BYTES_LITERAL("404 page not found\n")},
        {.status = 405},
        {.status = 415},
        {.status = 301, .headers = {{"Location", "http://127.0.0.1:1/"}}},
        {.headers = {{"Content-Type", "text/html"}}, .body = BYTES_LITERAL("<!doctype html>")},
    };
    static const char *const whys[] = {
        ": HTTP status 404: 404 page not found", ": HTTP status 405", ": HTTP status 415",
        ": HTTP status 301", ": HTTP status 200: it answers with a web page"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        open_fixture(&fixture, NULL, NULL);
        const struct receiver_answer answers[] = {rows[i], rows[i]};
        receiver_play(fixture.receiver, answers, 2);
        otlp_rig_start(&fixture.rig);
        struct sink_counters counters = expect(&fixture, SINK_EXPORTED, SPANS);
        assert_int_equal(counters.requests, 3);
        assert_int_equal(counters.spans_rejected, 0);
        assert_int_equal(otlp_rig_wait_count(&fixture.rig), 2);
        assert_int_equal(rig_logged(&fixture.rig.base, "no_receiver"), 2);
        expect_why(&fixture, whys[i]);
        close_fixture(&fixture);
    }
}

static const char token_new[] = "new\n";

/* The operator, who brings the new token while the sink waits. */
static void replace_token(struct otlp_rig *rig)
{
    if (rig->base.sink->ops->state(rig->base.sink) == SINK_UNAUTHORISED)
        temp_dir_write(rig->arg, "token", token_new, sizeof(token_new) - 1);
}

static void check_token(void *arg, const struct receiver_request *request,
                        struct receiver_answer *ret)
{
    const char *token = receiver_header(request, "authorization");
    if (token == NULL || strcmp(token, "Bearer new") != 0)
        ret->status = *(const int *)arg;
}

static void test_credentials_change_while_it_waits(void **state)
{
    (void)state;
    for (int status = 401; status <= 403; status += 2) {
        struct temp_dir dir;
        char path[TEMP_DIR_PATH_LEN];
        temp_dir_make(&dir);
        temp_dir_write(&dir, "token", "old\n", 4);
        temp_dir_path(&dir, "token", path);
        struct fixture fixture;
        open_fixture(&fixture, check_token, &status);
        const struct sink_otlp_header header = {
            .name = "Authorization", .file = path, .prefix = "Bearer "};
        fixture.rig.options.headers = &header;
        fixture.rig.options.header_count = 1;
        fixture.rig.on_wait = replace_token;
        fixture.rig.arg = &dir;
        otlp_rig_start(&fixture.rig);
        struct sink_counters counters = expect(&fixture, SINK_EXPORTED, SPANS);
        assert_int_equal(counters.requests, 2);
        assert_int_equal(otlp_rig_wait_count(&fixture.rig), 1);
        assert_int_equal(rig_logged(&fixture.rig.base, "unauthorised"), 1);
        assert_int_equal(fixture.rig.base.sink->ops->state(fixture.rig.base.sink), SINK_READY);
        /* Changed before it was refused: no wait at all. */
        temp_dir_write(&dir, "token", "old\n", 4);
        close_fixture(&fixture);
        open_fixture(&fixture, check_token, &status);
        fixture.rig.options.headers = &header;
        fixture.rig.options.header_count = 1;
        otlp_rig_start(&fixture.rig);
        temp_dir_write(&dir, "token", token_new, sizeof(token_new) - 1);
        counters = expect(&fixture, SINK_EXPORTED, SPANS);
        assert_int_equal(counters.requests, 2);
        assert_int_equal(otlp_rig_wait_count(&fixture.rig), 0);
        close_fixture(&fixture);
        temp_dir_remove(&dir);
    }
}

/* Refused ever and again: each wait has a bound that doubles, and nothing is lost. */
static void test_credentials_that_stay_bad(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL, NULL);
    struct receiver_answer answers[5];
    for (int i = 0; i < 5; i++)
        answers[i] = (struct receiver_answer){.status = 401};
    receiver_play(fixture.receiver, answers, 5);
    otlp_rig_start(&fixture.rig);
    struct sink_counters counters = expect(&fixture, SINK_EXPORTED, SPANS);
    assert_int_equal(counters.requests, 6);
    assert_int_equal(otlp_rig_wait_count(&fixture.rig), 5);
    uint64_t longest_ns = 0;
    for (uint32_t wait = 0; wait < 5; wait++) {
        uint64_t wait_ns = otlp_rig_wait_ns(&fixture.rig, wait);
        assert_true(wait_ns <= (NS_PER_S << wait));
        longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
    }
    assert_true(longest_ns > NS_PER_S); /* with the seed of the rig */
    close_fixture(&fixture);
}

static void test_partial_success(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL, NULL);
    const struct receiver_answer answers[] = {
        {.body = BYTES_LITERAL("\x0a\x06\x08\x03\x12\x02no")},
        {.body = BYTES_LITERAL("\x0a\x06\x08\x03\x12\x02no")},
        {.body = BYTES_LITERAL("\x0a\x05\x12\x03hmm")},
        {.body = BYTES_LITERAL("\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f")},
        {.body = BYTES_LITERAL("\x0a\x00")},
        {.body = BYTES_LITERAL("\xff\xff\xff")},
    };
    static const uint32_t rejected[] = {3, 3, 0, SPANS, 0, 0};
    receiver_play(fixture.receiver, answers, 6);
    otlp_rig_start(&fixture.rig);
    uint32_t sum = 0;
    for (int i = 0; i < 6; i++) {
        struct sink_counters counters = expect(&fixture, SINK_REJECTED, rejected[i]);
        sum += rejected[i];
        assert_int_equal(counters.spans_rejected, sum);
        assert_int_equal(counters.spans_exported, SPANS * (uint64_t)(i + 1) - sum);
        assert_int_equal(counters.requests, i + 1);
    }
    assert_int_equal(rig_counters(&fixture.rig.base).partial_successes, 4);
    assert_int_equal(rig_logged(&fixture.rig.base, "reason=no"), 1);
    assert_int_equal(rig_logged(&fixture.rig.base, "reason=hmm"), 1);
    close_fixture(&fixture);
}

static void test_answers_beyond_the_cap(void **state)
{
    (void)state;
    struct text bomb;
    text_init(&bomb, 2 * RESPONSE_BYTES_MAX);
    static uint8_t zeros[RESPONSE_BYTES_MAX + 1];
    struct compressor *gzip = NULL;
    assert_int_equal(compressor_new(SINK_COMPRESSION_GZIP, &gzip), SB_OK);
    assert_int_equal(compressor_append(gzip, bytes_of(zeros, sizeof(zeros)), &bomb), SB_OK);
    struct fixture fixture;
    open_fixture(&fixture, NULL, NULL);
    const struct receiver_answer answers[] = {
        {.act = RECEIVER_ENDLESS},
        {.act = RECEIVER_ENDLESS, .status = 503},
        {.headers = {{"Content-Encoding", "gzip"}}, .body = text_bytes(&bomb)},
    };
    receiver_play(fixture.receiver, answers, 3);
    otlp_rig_start(&fixture.rig);
    for (uint64_t i = 1; i <= 3; i++) {
        struct sink_counters counters = expect(&fixture, SINK_REJECTED, SPANS);
        assert_int_equal(counters.response_overflows, i);
        assert_int_equal(counters.requests, i);
    }
    (void)expect(&fixture, SINK_EXPORTED, SPANS);
    close_fixture(&fixture);
    compressor_free(gzip);
    text_clear(&bomb);
}

/* The deadline is real time here: it is what ends the answers. */
static void test_answers_that_do_not_end(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL, NULL);
    const struct receiver_answer answers[] = {
        {.act = RECEIVER_HOLD},                /* nothing: again */
        {.act = RECEIVER_DRIP},                /* 200: perhaps it has them; once more */
        {.act = RECEIVER_DRIP},                /* and no more */
        {.act = RECEIVER_DRIP, .status = 400}, /* the status says enough: both halves */
    };
    receiver_play(fixture.receiver, answers, 4);
    fixture.rig.options.timeout_ns = 500 * NS_PER_MS;
    otlp_rig_start(&fixture.rig);
    struct sink_counters counters = expect(&fixture, SINK_REJECTED, SPANS);
    assert_int_equal(counters.requests, 3);
    assert_int_equal(counters.retries, 2);
    assert_int_equal(rig_logged(&fixture.rig.base, "sink_fault"), 1);
    counters = expect(&fixture, SINK_EXPORTED, SPANS);
    assert_int_equal(counters.bisections, 1);
    assert_int_equal(counters.requests, 6);
    close_fixture(&fixture);
}

static void test_the_next_endpoint_after_a_failure(void **state)
{
    (void)state;
    struct fixture first;
    struct fixture second;
    open_fixture(&first, NULL, NULL);
    open_fixture(&second, NULL, NULL);
    char gone[64];
    int fd = otlp_rig_refuse_port(gone);
    const struct receiver_answer busy = {.status = 503, .headers = {{"Retry-After", "60"}}};
    receiver_play(first.receiver, &busy, 1);
    first.rig.endpoints[1] = gone;
    first.rig.endpoints[2] = receiver_url(second.receiver);
    first.rig.options.endpoint_count = 3;
    otlp_rig_start(&first.rig);
    struct sink_counters counters = expect(&first, SINK_EXPORTED, SPANS);
    assert_int_equal(counters.requests, 3);
    assert_int_equal(otlp_rig_wait_count(&first.rig), 0); /* that was only one round */
    assert_int_equal(receiver_spans(second.receiver), SPANS);
    /* And there it stays. */
    counters = expect(&first, SINK_EXPORTED, SPANS);
    assert_int_equal(counters.requests, 4);
    assert_int_equal(receiver_spans(second.receiver), 2 * SPANS);
    close_fixture(&second);
    close_fixture(&first);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_400_finds_the_poison),
        cmocka_unit_test(test_413_cuts_the_batch),
        cmocka_unit_test(test_413_for_a_span_alone),
        cmocka_unit_test(test_413_told_early),
        cmocka_unit_test(test_retried_until_it_works),
        cmocka_unit_test(test_retry_after_wins),
        cmocka_unit_test(test_final_refusals),
        cmocka_unit_test(test_nobody_takes_spans_there),
        cmocka_unit_test(test_credentials_change_while_it_waits),
        cmocka_unit_test(test_credentials_that_stay_bad),
        cmocka_unit_test(test_partial_success),
        cmocka_unit_test(test_answers_beyond_the_cap),
        cmocka_unit_test(test_answers_that_do_not_end),
        cmocka_unit_test(test_the_next_endpoint_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
