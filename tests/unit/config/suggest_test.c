#include "config/suggest.h"

#include <string.h>

#include "support/test.h"

struct distance_example {
    const char *a;
    const char *b;
    unsigned distance;
};

static void test_distance(void **state)
{
    (void)state;
    static const struct distance_example examples[] = {
        {"", "", 0},
        {"wait", "wait", 0},
        {"wait", "", 4},
        {"", "wait", 4},
        {"wait", "wiat", 1}, /* neighbours swapped */
        {"wait", "wat", 1},
        {"wait", "waait", 1},
        {"wait", "wxit", 1},
        {"wait", "tiaw", 3},
        {"ca", "abc", 3}, /* no part is edited twice */
        {"after_root", "afterRoot", 1},
        {"after_root", "after-root", 0},
        {"after_root", "AFTER ROOT", 0},
        {"window.wait", "window_wait", 0},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        assert_int_equal(suggest_distance(examples[i].a, examples[i].b), examples[i].distance);
        assert_int_equal(suggest_distance(examples[i].b, examples[i].a), examples[i].distance);
    }
}

struct suggest_example {
    const char *word;
    const char *best;
};

static void test_suggestions(void **state)
{
    (void)state;
    static const char *const candidates[] = {"wait",  "idle",      "hold",    "after_root",
                                             "spans", "otlp_json", "on_full", "on"};
    static const struct suggest_example examples[] = {
        {"wiat", "wait"},
        {"idel", "idle"},
        {"hodl", "hold"},
        {"after-roots", "after_root"},
        {"span", "spans"},
        {"on_ful", "on_full"},
        {"json", "otlp_json"},
        {"onn", "on"},
        {"xyzzy", NULL},
        {"wa", NULL},
        {"", NULL},
        {"threshold", "hold"},
        {"WAIT", "wait"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct suggest suggest;
        suggest_init(&suggest, examples[i].word);
        for (size_t j = 0; j < sizeof(candidates) / sizeof(*candidates); j++)
            suggest_offer(&suggest, candidates[j]);
        if (examples[i].best == NULL)
            assert_null(suggest.best);
        else
            assert_string_equal(suggest.best == NULL ? "" : suggest.best, examples[i].best);
    }
}

/* Of two that are equally far, the one that begins alike. */
static void test_first_letter_decides(void **state)
{
    (void)state;
    struct suggest suggest;
    suggest_init(&suggest, "tails");
    suggest_offer(&suggest, "nails");
    suggest_offer(&suggest, "tail");
    suggest_offer(&suggest, "mails");
    assert_string_equal(suggest.best, "tail");
}

/* A near word wins over one that only holds it, and is told apart from it. */
static void test_far(void **state)
{
    (void)state;
    struct suggest suggest;
    suggest_init(&suggest, "spans");
    suggest_offer(&suggest, "spans_per_trace");
    assert_string_equal(suggest.best, "spans_per_trace");
    assert_true(suggest.best_cost >= SUGGEST_FAR);
    suggest_offer(&suggest, "spams");
    assert_string_equal(suggest.best, "spams");
    assert_true(suggest.best_cost < SUGGEST_FAR);
}

static void test_long_words(void **state)
{
    (void)state;
    char word[400];
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_int_equal(suggest_distance(word, word), 0);
    assert_true(suggest_distance(word, "b") > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_first_letter_decides),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
