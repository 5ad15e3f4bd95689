#include "support/test.h"

#include "bench.h"

static void test_a_figure_of_one_is_that_one(void **state)
{
    (void)state;
    double values[] = {7};
    struct bench_figure figure = bench_figure_of(values, 1);
    assert_true(figure.median == 7 && figure.least == 7 && figure.greatest == 7);
}

static void test_the_median_of_an_odd_number_is_the_middle_one(void **state)
{
    (void)state;
    double values[] = {9, 1, 4, 100, 2};
    struct bench_figure figure = bench_figure_of(values, 5);
    assert_true(figure.median == 4 && figure.least == 1 && figure.greatest == 100);
}

static void test_the_median_of_an_even_number_lies_between_two(void **state)
{
    (void)state;
    double values[] = {8, -3, 2, 5};
    struct bench_figure figure = bench_figure_of(values, 4);
    assert_true(figure.median == 3.5 && figure.least == -3 && figure.greatest == 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_figure_of_one_is_that_one),
        cmocka_unit_test(test_the_median_of_an_odd_number_is_the_middle_one),
        cmocka_unit_test(test_the_median_of_an_even_number_lies_between_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
