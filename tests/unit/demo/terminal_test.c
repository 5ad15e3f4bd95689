#include "support/test.h"

#include <unistd.h>

#include "terminal.h"

static const struct terminal_facts good = {
    .is_tty = true, .columns = 100, .term = "xterm", .codeset = "UTF-8"};

static void test_colour_only_on_a_terminal(void **state)
{
    (void)state;
    struct terminal_facts facts = good;
    assert_true(terminal_style_of(&facts).colour);
    facts.is_tty = false;
    assert_false(terminal_style_of(&facts).colour);
}

static void test_no_color_is_obeyed(void **state)
{
    (void)state;
    struct terminal_facts facts = good;
    facts.no_color = "1";
    assert_false(terminal_style_of(&facts).colour);
    facts.no_color = ""; /* as if not set: no-color.org */
    assert_true(terminal_style_of(&facts).colour);
}

static void test_dumb_terminals_get_no_colour(void **state)
{
    (void)state;
    struct terminal_facts facts = good;
    facts.term = "dumb";
    assert_false(terminal_style_of(&facts).colour);
    facts.term = NULL;
    assert_false(terminal_style_of(&facts).colour);
}

static void test_columns_are_kept_in_range(void **state)
{
    (void)state;
    static const uint32_t cases[][2] = {{0, 100}, {40, 80}, {80, 80}, {97, 97}, {300, 120}};
    struct terminal_facts facts = good;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        facts.columns = cases[i][0];
        assert_int_equal(terminal_style_of(&facts).columns, cases[i][1]);
    }
}

static void test_unicode_needs_utf8(void **state)
{
    (void)state;
    struct terminal_facts facts = good;
    assert_true(terminal_style_of(&facts).unicode);
    facts.codeset = "ANSI_X3.4-1968";
    assert_false(terminal_style_of(&facts).unicode);
    facts.codeset = NULL;
    assert_false(terminal_style_of(&facts).unicode);
}

static void test_pipe_is_no_terminal(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct terminal_style style = terminal_style_of_fd(fds[1]);
    assert_false(style.colour);
    assert_int_equal(style.columns, TERMINAL_COLUMNS_UNKNOWN);
    close(fds[0]);
    close(fds[1]);
}

static void test_inks_are_escapes_or_nothing(void **state)
{
    (void)state;
    struct terminal_style style = {.colour = true};
    for (int ink = TERMINAL_PLAIN; ink <= TERMINAL_CYAN; ink++)
        assert_int_equal(terminal_ink_text(&style, (enum terminal_ink)ink)[0], '\033');
    style.colour = false;
    assert_string_equal(terminal_ink_text(&style, TERMINAL_RED), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colour_only_on_a_terminal),
        cmocka_unit_test(test_no_color_is_obeyed),
        cmocka_unit_test(test_dumb_terminals_get_no_colour),
        cmocka_unit_test(test_columns_are_kept_in_range),
        cmocka_unit_test(test_unicode_needs_utf8),
        cmocka_unit_test(test_pipe_is_no_terminal),
        cmocka_unit_test(test_inks_are_escapes_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
