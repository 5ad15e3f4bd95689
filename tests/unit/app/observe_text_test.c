#include "look_fixture.h"

enum { COLUMNS = 80 };

static void fill(struct look_fixture *fixture)
{
    fixture_init(fixture);
    add_row(fixture, "orders", "billing", "opentelemetry.instrumentation.confluent_kafka");
    set(fixture, WORKER_HOP_intact, 1);
    set(fixture, WORKER_HOP_broken, 1999999);
    set(fixture, WORKER_HOP_by_header, 1500000);
    set(fixture, WORKER_HOP_repaired_parent, 1400000);
    set(fixture, WORKER_HOP_repaired_link, 100000);
    set(fixture, WORKER_HOP_only_reported, 1);
    set(fixture, WORKER_HOP_producer_unseen, 2);
    for (int i = WORKER_HOP_ambiguous; i < WORKER_HOP_COUNTER_COUNT; i++)
        set(fixture, (enum worker_hop_counter)i, 30);
    fixture->look.observed.counts.cut = 4;
    fixture->look.observed.counts.unknown = 3;
    fixture->look.observed.counts.reasons[WORKER_OBSERVED_pressure] = 2;
    fixture->observed[ORDERS].with_context = 1234;
    fixture->observed[ORDERS].malformed = 1;
    fixture->counters[BAD].dead_records[OTLP_FAULT_MALFORMED] = 2;
    fixture->counters[BAD].dead_spans[OTLP_FAULT_TRACE_ID] = 2;
    fixture->account.counters.late_spans = 7;
    fixture->account.held = 9;
    observe_find_steps(&fixture->look);
}

static void check_lines(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (len > COLUMNS)
            fail_msg("%zu columns: %.*s", len, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void expect(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("not there: %s\n%s", part, text);
}

static void test_everything_that_can_be_said(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    struct text out;
    text_init(&out, OBSERVE_TEXT_MAX);
    fill(&fixture);
    observe_write_text(&fixture.look, false, &out);
    assert_int_equal(out.error, SB_OK);
    const char *text = text_string(&out);
    assert_null(strchr(text, '\x1b'));
    expect(text, "A look of 90s. Nothing was committed, exported or written.\n");
    expect(text, "         1,234  spans read, in 12 records; 0 messages\n");
    expect(text, "2,000,000 messages taken in, 1,999,999 (99 %) lost the trace;");
    expect(text, "  ..emetry.instrumentation.confluent_kafka ");
    expect(text, "2,000,000 1,999,999  99 % 1,500,000\n");
    expect(text, "     1,500,000  header_at_coordinate: ");
    expect(text, "     1,400,000  the consumer's trace moves under the producer's span\n");
    expect(text, "in orders, 1,234 of them with a traceparent, 1 with one that is");
    expect(text, "2  records of bad: malformed\n");
    expect(text, "   1. Set errors.deadletterqueue for bad:");
    expect(text, ": 1,234 read, 1,234 observed, 0 dead, 9 open.\n");
    for (size_t at = 0; text[at] != '\0'; at++)
        assert_in_range((unsigned char)text[at], '\n', '~');
    check_lines(text);
    text_clear(&out);
}

/* The same words; colour is put around them. */
static void test_colour_changes_no_word(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    struct text plain;
    struct text coloured;
    struct text stripped;
    text_init(&plain, OBSERVE_TEXT_MAX);
    text_init(&coloured, OBSERVE_TEXT_MAX);
    text_init(&stripped, OBSERVE_TEXT_MAX);
    fill(&fixture);
    observe_write_text(&fixture.look, false, &plain);
    observe_write_text(&fixture.look, true, &coloured);
    for (const char *at = text_string(&coloured); *at != '\0'; at++) {
        if (*at == '\x1b')
            at = strchr(at, 'm');
        else
            text_append_char(&stripped, *at);
    }
    assert_string_equal(text_string(&stripped), text_string(&plain));
    assert_true(coloured.len > plain.len);
    text_clear(&plain);
    text_clear(&coloured);
    text_clear(&stripped);
}

/* Many rows share a last one, and none is lost. */
static void test_long_tables_are_cut(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    struct text out;
    char name[WORKER_NAME_LEN];
    text_init(&out, OBSERVE_TEXT_MAX);
    fixture_init(&fixture);
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "%075d", i);
        add_row(&fixture, name, name, "lib");
        set(&fixture, WORKER_HOP_broken, 1);
        set(&fixture, WORKER_HOP_names_nothing, 1);
    }
    fixture.look.observed.others[WORKER_BY_DESTINATION].counts[WORKER_HOP_broken] = 100;
    observe_find_steps(&fixture.look);
    observe_write_text(&fixture.look, false, &out);
    const char *text = text_string(&out);
    expect(text,
           "  5 others and more                              105       105 100 %         0\n");
    expect(text,
           "  5 others                                         5         5 100 %         0\n");
    expect(text, "and 5 more: see next_steps");
    check_lines(text);
    text_clear(&out);
}

static void test_nothing_broken(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    struct text out;
    text_init(&out, OBSERVE_TEXT_MAX);
    fixture_init(&fixture);
    observe_write_text(&fixture.look, false, &out);
    expect(text_string(&out), "No span was seen that takes in a message.\n");
    text_reset(&out);
    add_row(&fixture, "orders", "billing", "lib");
    set(&fixture, WORKER_HOP_intact, 3);
    observe_write_text(&fixture.look, false, &out);
    expect(text_string(&out), "Of 3 messages taken in, none lost the trace.\n");
    assert_null(strstr(text_string(&out), "Why the others"));
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_that_can_be_said),
        cmocka_unit_test(test_colour_changes_no_word),
        cmocka_unit_test(test_long_tables_are_cut),
        cmocka_unit_test(test_nothing_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
