#include "exposition.h"

#include "support/scrape.h"
#include "support/test.h"

static void test_a_family(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 4096);
    const struct exposition_label labels[] = {{"topic", "orders"}, {"partition", "3"}};
    exposition_family(&out, "x_total", EXPOSITION_COUNTER, "What it is.");
    exposition_sample(&out, "x_total", labels, 2, UINT64_MAX);
    exposition_sample(&out, "x_total", labels, 1, 0);
    exposition_single(&out, "y", EXPOSITION_GAUGE, "Below zero.", -7);
    assert_string_equal(text_string(&out),
                        "# HELP x_total What it is.\n# TYPE x_total counter\n"
                        "x_total{topic=\"orders\",partition=\"3\"} 18446744073709551615\n"
                        "x_total{topic=\"orders\"} 0\n"
                        "# HELP y Below zero.\n# TYPE y gauge\ny -7\n");
    text_clear(&out);
}

static void test_escapes(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 4096);
    const struct exposition_label label = {"a", "q\" b\\ n\n u\xc3\xa9 bad\xff\xc3 end"};
    exposition_family(&out, "x", EXPOSITION_GAUGE, "q\" b\\ n\n");
    exposition_sample(&out, "x", &label, 1, 1);
    assert_string_equal(
        text_string(&out),
        "# HELP x q\" b\\\\ n\\n\n# TYPE x gauge\n"
        "x{a=\"q\\\" b\\\\ n\\n u\xc3\xa9 bad\xef\xbf\xbd\xef\xbf\xbd end\"} 1\n");
    static struct scrape scrape;
    scrape_read(&scrape, out.at, out.len);
    assert_int_equal(scrape.count, 1);
    text_clear(&out);
}

static void test_shortage_shows(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 16);
    exposition_single(&out, "a_name", EXPOSITION_GAUGE, "Longer than the room.", 1);
    assert_int_not_equal(out.error, SB_OK);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_family),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_shortage_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
