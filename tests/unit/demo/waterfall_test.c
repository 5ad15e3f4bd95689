#include "fixture.h"

#include "otlp/scan.h"
#include "waterfall.h"

static const struct terminal_style narrow = {.unicode = true, .columns = 80};

/* A checkout in little: two services, a queue between them, an error, a span of no length. */
static void fill(struct seen_list *list)
{
    struct seen_span spans[] = {
        fixture_span(1, 1, 0, 0, 100),   fixture_span(1, 2, 1, 10, 40),
        fixture_span(1, 3, 2, 30, 0),    fixture_span(1, 4, 2, 50, 350),
        fixture_span(1, 5, 4, 400, 600), fixture_span(1, 6, 5, 405, 5),
        fixture_span(1, 7, 5, 900, 100),
    };
    static const char *const services[] = {"web",     "checkout", "checkout", "kafka",
                                           "payment", "payment",  "payment"};
    static const char *const names[] = {
        "POST /checkout", "orders publish", "écrire",
        "orders queue",   "orders process", "a name that is much too long to be shown whole",
        "charge"};
    static const uint8_t kinds[] = {OTLP_KIND_SERVER,   OTLP_KIND_PRODUCER, OTLP_KIND_INTERNAL,
                                    OTLP_KIND_INTERNAL, OTLP_KIND_CONSUMER, OTLP_KIND_CLIENT,
                                    OTLP_KIND_CLIENT};
    spans[3].synthetic = true;
    spans[6].failed = true;
    list->count = 0;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        snprintf(spans[i].service, SEEN_TEXT_LEN, "%s", services[i]);
        snprintf(spans[i].name, SEEN_TEXT_LEN, "%s", names[i]);
        spans[i].kind = kinds[i];
        assert_true(seen_list_add(list, &spans[i]));
    }
}

static void expect(const struct seen_list *list, const struct terminal_style *style,
                   const char *expected)
{
    struct text out;
    text_init(&out, 1 << 16);
    waterfall_draw(&out, list, style);
    assert_string_equal(text_string(&out), expected);
    text_clear(&out);
}

static void test_picture_in_unicode(void **state)
{
    (void)state;
    struct seen_list list;
    fill(&list);
    expect(
        &list, &narrow,
        "  web       POST /checkout                server   ██                   100 ms\n"
        "  checkout  └ orders publish              producer █                   40.0 ms\n"
        "  checkout   ├ écrire                     internal ▐                      0 µs\n"
        "  kafka      └ orders queue               queue    ░░░░░░░░             350 ms\n"
        "  payment     └ orders process            consumer        ███████████   600 ms\n"
        "  payment      ├ a name that is much too… client          ▌             5.0 ms\n"
        "  payment      └ charge                   client                   ██   100 ms ✗\n");
}

static void test_picture_in_ascii(void **state)
{
    (void)state;
    struct terminal_style style = {.columns = 100};
    struct seen_list list;
    fill(&list);
    expect(&list, &style,
           "  web       POST /checkout                        server   ===               "
           "               100 ms\n"
           "  checkout  ` orders publish                      producer ==                "
           "              40.0 ms\n"
           "  checkout   | ?crire                             internal =                 "
           "                 0 us\n"
           "  kafka      ` orders queue                       queue     ...........      "
           "               350 ms\n"
           "  payment     ` orders process                    consumer             ======"
           "============   600 ms\n"
           "  payment      | a name that is much too long to. client               =     "
           "               5.0 ms\n"
           "  payment      ` charge                           client                     "
           "         ===   100 ms !\n");
}

static void test_no_row_is_wider_than_the_terminal(void **state)
{
    (void)state;
    struct seen_list list;
    fill(&list);
    for (uint32_t columns = 80; columns <= 120; columns++) {
        struct terminal_style style = {.unicode = true, .columns = columns};
        struct text out;
        text_init(&out, 1 << 16);
        waterfall_draw(&out, &list, &style);
        char *rest = out.at;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;)
            assert_true(waterfall_width(line) <= columns);
        text_clear(&out);
    }
}

/* Without its escapes the coloured picture is the plain one. */
static void test_colour_changes_nothing_else(void **state)
{
    (void)state;
    struct terminal_style style = narrow;
    struct seen_list list;
    struct text coloured;
    struct text bare;
    fill(&list);
    text_init(&coloured, 1 << 16);
    text_init(&bare, 1 << 16);
    style.colour = true;
    waterfall_draw(&coloured, &list, &style);
    for (const char *at = text_string(&coloured); *at != '\0'; at++) {
        if (*at == '\033')
            at = strchr(at, 'm');
        else
            text_append_char(&bare, *at);
    }
    assert_true(bare.len < coloured.len);
    expect(&list, &narrow, text_string(&bare));
    text_clear(&coloured);
    text_clear(&bare);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0 us"},           {640000, "640 us"},    {999999, "1000 us"},
        {1000000, "1.0 ms"},   {99940000, "99.9 ms"}, {99950000, "100 ms"},
        {999400000, "999 ms"}, {999500000, "1.00 s"}, {UINT64_C(75320000000), "75.32 s"}};
    struct terminal_style style = {.columns = 80};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text out;
        text_init(&out, 64);
        waterfall_put_duration(&out, cases[i].ns, &style);
        assert_string_equal(text_string(&out), cases[i].text);
        text_clear(&out);
    }
}

/* A name could clear the screen, or pretend to be a row. */
static void test_names_can_not_move_the_cursor(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct seen_span span = fixture_span(1, 1, 0, 0, 5);
    snprintf(span.name, sizeof(span.name), "a\033[2Jb\nc\x7f");
    assert_true(seen_list_add(&list, &span));
    expect(&list, &narrow,
           "  shop      a?[2Jb?c?                     internal ██████████████████   5.0 ms\n");
}

/* Deeper than the column is wide. */
static void test_deep_trees_keep_their_columns(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    struct text out;
    text_init(&out, 1 << 16);
    for (uint32_t i = 1; i <= SEEN_SPANS_MAX; i++) {
        struct seen_span span = fixture_span(1, (uint8_t)i, (uint8_t)(i - 1), i, 1);
        assert_true(seen_list_add(&list, &span));
    }
    waterfall_draw(&out, &list, &narrow);
    char *rest = out.at;
    uint32_t rows = 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; rows++)
        assert_int_equal(waterfall_width(line), 78);
    assert_int_equal(rows, SEEN_SPANS_MAX);
    text_clear(&out);
}

static void test_nothing_draws_nothing(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    expect(&list, &narrow, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture_in_unicode),
        cmocka_unit_test(test_picture_in_ascii),
        cmocka_unit_test(test_no_row_is_wider_than_the_terminal),
        cmocka_unit_test(test_colour_changes_nothing_else),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_names_can_not_move_the_cursor),
        cmocka_unit_test(test_deep_trees_keep_their_columns),
        cmocka_unit_test(test_nothing_draws_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
