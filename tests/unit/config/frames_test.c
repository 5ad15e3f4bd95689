#include "support/test.h"
#include "syntax_check.h"

static void test_unclosed(void **state)
{
    (void)state;
    checked_expect("a = {\n b = 1;\nc = { d = 1; };", true,
                   "f:1: error: the '{' of a opened here is not closed\n"
                   "  help: close it with '}'\n");
    checked_expect("a = {\nb = (\n1", true,
                   "f:2: error: the '(' of b opened here is not closed\n"
                   "  help: close it with ')'\n"
                   "f:1: error: the '{' of a opened here is not closed\n"
                   "  help: close it with '}'\n");
    checked_expect(
        "a = (\n  { b = 1;\n);", true,
        "f:2: error: the '{' of a opened here is not closed before the ')' of line 3\n"
        "  help: close it with '}'\n");
    checked_expect("a = (\n  { b = 1; }\nc = 2;", true,
                   "f:1: error: the '(' of a opened here is not closed before line 3\n"
                   "  help: close it with ')'\n");
    checked_expect("a = [ 1, 2;\nb = 1;", false,
                   "f:1: error: the '[' of a opened in line 1 is not closed before this ';'\n"
                   "  help: close it with ']'\n");
}

static void test_mistyped(void **state)
{
    (void)state;
    checked_expect("a = { b = 1; );\nc = 1;", false,
                   "f:1: error: the '{' of a opened in line 1 is closed with ')'\n"
                   "  help: close it with '}'\n");
    checked_expect(
        "a = ( { b = [ 1, 2 ); } );", true,
        "f:1: error: the '[' of b opened here is not closed before the ')' of line 1\n"
        "  help: close it with ']'\n");
    checked_expect("a = (\n { b = [ 1, 2 ); }\n);", false,
                   "f:2: error: the '[' of b opened in line 2 is closed with ')'\n"
                   "  help: close it with ']'\n");
    checked_expect("a = 1; }", true, "f:1: error: this '}' closes nothing\n");
    checked_expect("a = ( b = 1; c = 2; );\nd = 1;", false,
                   "f:1: error: a list holds values, not settings\n"
                   "  help: settings stand in a group: { b = ...; }, a list of groups is "
                   "( { ... } )\n");
}

static void test_names(void **state)
{
    (void)state;
    checked_expect("ab = 1;\nb = { ab = 1; };\nab = 2;\nab = 3;", false,
                   "f:3: error: ab is set twice\n  help: the first one is in f:1\n"
                   "f:4: error: ab is set twice\n  help: the first one is in f:1\n");
    checked_expect("a = 1;\na = 2;", true,
                   "f:2: error: a is set twice\n  help: the first one is in f:1\n");
    checked_expect("window.wait = 1;", false,
                   "f:1: error: window.wait can not be the name of a setting\n"
                   "  help: write groups as window = { ... }; a librdkafka property goes into "
                   "kafka.properties as { name = \"window.wait\"; value = \"...\"; }\n");
    checked_expect("caf\xc3\xa9 = 1;", false,
                   "f:1: error: caf\xc3\xa9 can not be the name of a setting\n"
                   "  help: names are made of letters, digits, - and _\n");
    checked_expect("-ab = 1;", false,
                   "f:1: error: -ab can not be the name of a setting\n"
                   "  help: names are made of letters, digits, - and _\n");
}

static void test_many_names(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 1 << 20);
    for (int i = 0; i <= SYNTAX_NAMES_MAX; i++)
        text_printf(&text, "a%d = 1;\n", i);
    checked_expect(text_string(&text), true,
                   "f:1001: error: more than 1000 settings in one group\n");
    text_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unclosed),
        cmocka_unit_test(test_mistyped),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
