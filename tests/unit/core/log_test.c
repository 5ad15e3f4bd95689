#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "support/fake_clock.h"
#include "support/random.h"
#include "support/test.h"

enum { READ_ROOM = 60000 };

struct fixture {
    struct fake_clock clock;
    struct log *log;
    int ends[2];
    char read[READ_ROOM + 1];
};

static void open_log(struct fixture *fixture, enum log_format format, uint32_t per_second)
{
    fake_clock_init(&fixture->clock);
    assert_int_equal(pipe2(fixture->ends, O_NONBLOCK), 0);
    struct log_options options = {.level = LOG_INFO,
                                  .format = format,
                                  .per_second = per_second,
                                  .fd = fixture->ends[1],
                                  .clock = &fixture->clock.source};
    assert_int_equal(log_new(&options, &fixture->log), SB_OK);
}

static void close_log(struct fixture *fixture)
{
    log_free(fixture->log);
    close(fixture->ends[0]);
    close(fixture->ends[1]);
}

/* All that was written since the last call. */
static const char *read_log(struct fixture *fixture)
{
    size_t len = 0;
    ssize_t got;
    while ((got = read(fixture->ends[0], fixture->read + len, READ_ROOM - len)) > 0)
        len += (size_t)got;
    fixture->read[len] = '\0';
    return fixture->read;
}

static void test_logfmt_line(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 0);
    log_event(fixture.log, LOG_WARN, "sink", "export_failed", LOG_TEXT("sink", "tempo"),
              LOG_NUMBER("status", -503), LOG_TEXT("reason", "a \"b\"=c\\\n\t\x01"),
              LOG_TEXT("empty", ""), LOG_TEXT("none", NULL), LOG_TEXT("city", "K\xc3\xb6ln"));
    assert_string_equal(read_log(&fixture),
                        "ts=2026-01-02T03:04:05.000Z level=warn module=sink "
                        "event=export_failed sink=tempo status=-503 "
                        "reason=\"a \\\"b\\\"=c\\\\\\n\\t\\u0001\" empty=\"\" none=null "
                        "city=\"K\xc3\xb6ln\"\n");
    close_log(&fixture);
}

static void test_json_line(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_JSON, 0);
    fake_clock_set_wall_ns(&fixture.clock, UINT64_C(951782399) * NS_PER_S + 987654321);
    log_event(fixture.log, LOG_INFO, "app", "start", LOG_TEXT("name", "a\"b\\c\r\x1f\x7f"),
              LOG_NUMBER("least", INT64_MIN), LOG_TEXT("none", NULL));
    assert_string_equal(read_log(&fixture),
                        "{\"ts\":\"2000-02-28T23:59:59.987Z\",\"level\":\"info\","
                        "\"module\":\"app\",\"event\":\"start\","
                        "\"name\":\"a\\\"b\\\\c\\r\\u001f\\u007f\","
                        "\"least\":-9223372036854775808,\"none\":null}\n");
    close_log(&fixture);
}

static void test_levels(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 0);
    for (int level = LOG_DEBUG; level <= LOG_OFF; level++)
        log_event(fixture.log, (enum log_level)level, "m", "e", LOG_NUMBER("n", level));
    const char *text = read_log(&fixture);
    assert_null(strstr(text, "level=debug"));
    assert_non_null(strstr(text, "level=info module=m event=e n=1\n"));
    assert_non_null(strstr(text, "level=warn module=m event=e n=2\n"));
    assert_non_null(strstr(text, "level=error module=m event=e n=3\n"));
    assert_null(strstr(text, "n=4"));
    close_log(&fixture);
}

/* RFC 5424, section 6.2.1. */
static void test_levels_of_syslog(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_ERROR, LOG_ERROR, LOG_ERROR, LOG_ERROR,
                                            LOG_WARN,  LOG_DEBUG, LOG_DEBUG, LOG_DEBUG};
    for (int level = 0; level < 8; level++)
        assert_int_equal(log_level_of_syslog(level), levels[level]);
}

static void test_a_null_log_is_silent(void **state)
{
    (void)state;
    log_event(NULL, LOG_ERROR, "m", "e", LOG_NUMBER("n", 1));
    log_free(NULL);
}

static void log_value(struct fixture *fixture, const char *value)
{
    log_event(fixture->log, LOG_ERROR, "m", "e", LOG_TEXT("v", value));
}

/* What a JSON parser sees as the value of the field v. */
static void check_value(struct fixture *fixture, const char *value, const char *expected)
{
    log_value(fixture, value);
    const char *text = read_log(fixture);
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (line == NULL)
        fail_msg("%s in: %s", error.text, text);
    assert_string_equal(json_string_value(json_object_get(line, "v")), expected);
    json_decref(line);
}

#define REPLACED "\xef\xbf\xbd"

static void test_utf8_is_kept_and_else_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff", REPLACED},
        {"a\x80z", "a" REPLACED "z"},
        {"\xc3", REPLACED},
        {"\xe2\x82", REPLACED REPLACED},
        {"\xf0\x9f\x98", REPLACED REPLACED REPLACED},
        {"\xc0\xaf", REPLACED REPLACED},              /* overlong */
        {"\xc1\xbf", REPLACED REPLACED},              /* overlong */
        {"\xe0\x9f\xbf", REPLACED REPLACED REPLACED}, /* overlong */
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xed\xa0\x80", REPLACED REPLACED REPLACED}, /* a surrogate */
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xf0\x8f\xbf\xbf", REPLACED REPLACED REPLACED REPLACED},
        {"\xf4\x90\x80\x80", REPLACED REPLACED REPLACED REPLACED}, /* past U+10FFFF */
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xf5\x80\x80\x80", REPLACED REPLACED REPLACED REPLACED},
        {"\xc2\x9b", "\xc2\x9b"}, /* escaped in the line: see below */
    };
    struct fixture fixture;
    open_log(&fixture, LOG_JSON, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_value(&fixture, cases[i].in, cases[i].out);
    log_value(&fixture, "\xc2\x9b");
    assert_non_null(strstr(read_log(&fixture), "\"v\":\"\\u009b\""));
    close_log(&fixture);
}

/* Whatever the value: one line, valid JSON, no control character but the newline at its end. */
static void test_random_values_make_one_clean_line(void **state)
{
    (void)state;
    struct fixture fixture;
    struct random random;
    random_init(&random, 41);
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        open_log(&fixture, (enum log_format)format, 0);
        for (int i = 0; i < 3000; i++) {
            char value[200];
            size_t len = random_below(&random, sizeof(value));
            random_fill(&random, value, len);
            value[len] = '\0';
            log_value(&fixture, value);
            const char *text = read_log(&fixture);
            size_t text_len = strlen(text);
            assert_true(text_len > 0);
            for (size_t k = 0; k + 1 < text_len; k++)
                assert_true((uint8_t)text[k] >= 0x20 && text[k] != 0x7f);
            assert_int_equal(text[text_len - 1], '\n');
            json_t *line = format == LOG_JSON ? json_loads(text, 0, NULL) : NULL;
            assert_true(format != LOG_JSON || line != NULL);
            json_decref(line);
        }
        close_log(&fixture);
    }
}

static void test_long_values_and_lines_are_cut(void **state)
{
    (void)state;
    static char value[20000];
    memset(value, '\x01', sizeof(value) - 1); /* six bytes each when escaped */
    struct fixture fixture;
    open_log(&fixture, LOG_JSON, 0);
    log_event(fixture.log, LOG_ERROR, "m", "e", LOG_TEXT("a", value), LOG_NUMBER("b", 2));
    json_t *line = json_loads(read_log(&fixture), 0, NULL);
    const char *cut = json_string_value(json_object_get(line, "a"));
    assert_string_equal(cut + strlen(cut) - 4, "\x01...");
    assert_int_equal(json_integer_value(json_object_get(line, "b")), 2);
    assert_null(json_object_get(line, "cut"));
    json_decref(line);

    log_event(fixture.log, LOG_ERROR, "m", "e", LOG_TEXT("a", value), LOG_TEXT("b", value),
              LOG_TEXT("c", value), LOG_TEXT("d", value), LOG_NUMBER("last", 5));
    const char *text = read_log(&fixture);
    assert_true(strlen(text) <= 4096);
    line = json_loads(text, 0, NULL);
    assert_non_null(json_object_get(line, "c"));
    assert_null(json_object_get(line, "d"));
    assert_null(json_object_get(line, "last"));
    assert_true(json_is_true(json_object_get(line, "cut")));
    json_decref(line);
    close_log(&fixture);

    open_log(&fixture, LOG_LOGFMT, 0);
    log_event(fixture.log, LOG_ERROR, "m", "e", LOG_TEXT("a", value), LOG_TEXT("b", value),
              LOG_TEXT("c", value), LOG_TEXT("d", value));
    text = read_log(&fixture);
    assert_string_equal(text + strlen(text) - strlen("...\" cut=true\n"), "...\" cut=true\n");
    close_log(&fixture);
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void test_repeats_are_limited_per_event(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 3);
    for (int i = 0; i < 10; i++)
        log_event(fixture.log, LOG_WARN, "m", "busy", LOG_NUMBER("i", i));
    log_event(fixture.log, LOG_WARN, "m", "other", LOG_NUMBER("i", 0));
    const char *text = read_log(&fixture);
    assert_int_equal(count_lines(text), 4);
    assert_null(strstr(text, "suppressed"));
    assert_non_null(strstr(text, "event=other"));

    fake_clock_advance_ms(&fixture.clock, 999);
    log_event(fixture.log, LOG_WARN, "m", "busy", LOG_NUMBER("i", 10));
    assert_string_equal(read_log(&fixture), "");
    fake_clock_advance_ms(&fixture.clock, 1);
    log_event(fixture.log, LOG_WARN, "m", "busy", LOG_NUMBER("i", 11));
    assert_non_null(strstr(read_log(&fixture), "event=busy suppressed=8 i=11\n"));
    log_event(fixture.log, LOG_WARN, "m", "busy", LOG_NUMBER("i", 12));
    assert_non_null(strstr(read_log(&fixture), "event=busy i=12\n"));
    close_log(&fixture);
}

/* More events than places: those beyond share one limit, and no count is lost. */
static void test_more_events_than_the_table_holds(void **state)
{
    (void)state;
    enum { EVENTS = 300 };
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 1);
    int shown = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < EVENTS; i++) {
            char event[16];
            snprintf(event, sizeof(event), "event%d", i);
            log_event(fixture.log, LOG_WARN, "m", event, LOG_NUMBER("i", i));
        }
        shown += count_lines(read_log(&fixture));
    }
    assert_int_equal(shown, 128);
    fake_clock_advance_ms(&fixture.clock, 1000);
    log_event(fixture.log, LOG_WARN, "m", "event299", LOG_NUMBER("i", 1));
    assert_non_null(strstr(read_log(&fixture), "suppressed=345 "));
    close_log(&fixture);
}

static void test_a_reader_that_is_gone_does_no_harm(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 0);
    errno = 1234;
    for (int i = 0; i < 3000; i++) /* the pipe is full long before the end */
        log_value(&fixture, "some value that makes the line a bit longer");
    assert_int_equal(errno, 1234);
    close_log(&fixture);
}

enum { THREADS = 4, PER_THREAD = 100 };

static void *log_many(void *arg)
{
    for (int i = 0; i < PER_THREAD; i++)
        log_event(arg, LOG_INFO, "m", "e", LOG_NUMBER("i", i), LOG_TEXT("t", "end"));
    return NULL;
}

static void test_threads_do_not_mix_lines(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, THREADS * PER_THREAD / 2);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, fixture.log), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *at = fixture.read;
    read_log(&fixture);
    int lines = 0;
    for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        assert_memory_equal(at, "ts=2026", 7);
        assert_string_equal(end - strlen(" t=end"), " t=end");
        lines++;
    }
    assert_int_equal(lines, THREADS * PER_THREAD / 2);
    close_log(&fixture);
}

static void test_memory_shortage_is_reported(void **state)
{
    (void)state;
    struct log_options options = {.level = LOG_INFO, .clock = clock_system()};
    struct log *log = NULL;
    memory_fail_at(1);
    assert_int_equal(log_new(&options, &log), SB_ERR_MEMORY);
    assert_null(log);
}

static void test_a_line_does_not_allocate(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_JSON, 1);
    uint64_t before = memory_allocations();
    log_value(&fixture, "value");
    assert_int_equal(memory_allocations(), before);
    close_log(&fixture);
}

static void test_a_module_may_have_a_level_of_its_own(void **state)
{
    (void)state;
    struct fixture fixture;
    open_log(&fixture, LOG_LOGFMT, 0);
    log_free(fixture.log);
    const struct log_module modules[] = {
        {"worker", LOG_DEBUG}, {"source", LOG_ERROR}, {"sink", LOG_OFF}};
    struct log_options options = {.level = LOG_INFO,
                                  .format = LOG_LOGFMT,
                                  .modules = modules,
                                  .module_count = 3,
                                  .fd = fixture.ends[1],
                                  .clock = &fixture.clock.source};
    assert_int_equal(log_new(&options, &fixture.log), SB_OK);
    static const char *const names[] = {"worker", "source", "sink", "app"};
    /* For each module: which of debug, info, warn, error are shown. */
    static const bool shown[][4] = {{true, true, true, true},
                                    {false, false, false, true},
                                    {false, false, false, false},
                                    {false, true, true, true}};
    for (int i = 0; i < 4; i++) {
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            log_event(fixture.log, (enum log_level)level, names[i], "event",
                      LOG_NUMBER("level", level));
            assert_int_equal(*read_log(&fixture) != '\0', shown[i][level]);
        }
    }
    close_log(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt_line),
        cmocka_unit_test(test_json_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_levels_of_syslog),
        cmocka_unit_test(test_a_module_may_have_a_level_of_its_own),
        cmocka_unit_test(test_a_null_log_is_silent),
        cmocka_unit_test(test_utf8_is_kept_and_else_replaced),
        cmocka_unit_test(test_random_values_make_one_clean_line),
        cmocka_unit_test(test_long_values_and_lines_are_cut),
        cmocka_unit_test(test_repeats_are_limited_per_event),
        cmocka_unit_test(test_more_events_than_the_table_holds),
        cmocka_unit_test(test_a_reader_that_is_gone_does_no_harm),
        cmocka_unit_test(test_threads_do_not_mix_lines),
        cmocka_unit_test(test_memory_shortage_is_reported),
        cmocka_unit_test(test_a_line_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
