#include "admin/health.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

static struct health_reasons reasons;
static struct text out;
static json_t *page;

static int show(enum health_phase phase)
{
    text_reset(&out);
    int status = health_write(&reasons, phase, &out);
    json_decref(page);
    page = json_loads(text_string(&out), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(page);
    assert_true(strlen(json_string_value(json_object_get(page, "message"))) > 0);
    return status;
}

static const char *status(void)
{
    return json_string_value(json_object_get(page, "status"));
}

static size_t shown_reasons(void)
{
    return json_array_size(json_object_get(page, "reasons"));
}

static int set_up(void **state)
{
    (void)state;
    memset(&reasons, 0, sizeof(reasons));
    text_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(page);
    page = NULL;
    text_clear(&out);
    return 0;
}

static void test_phases(void **state)
{
    (void)state;
    assert_int_equal(show(HEALTH_STARTING), 503);
    assert_string_equal(status(), "starting");
    assert_int_equal(show(HEALTH_RUNNING), 200);
    assert_string_equal(status(), "healthy");
    assert_int_equal(show(HEALTH_STOPPING), 503);
    assert_string_equal(status(), "stopping");
    text_reset(&out);
    assert_int_equal(health_write_alive(&out), 200);
    assert_string_equal(text_string(&out), "{\"status\":\"alive\"}\n");
}

static void test_reasons_come_and_go(void **state)
{
    (void)state;
    health_set(&reasons, "topic", "orders", "does not exist");
    health_set(&reasons, "sink", "orders", "backs off");
    health_set(&reasons, "topic", "orders", "not authorised");
    assert_int_equal(show(HEALTH_RUNNING), 503);
    assert_string_equal(status(), "unhealthy");
    assert_int_equal(shown_reasons(), 2);
    json_t *first = json_array_get(json_object_get(page, "reasons"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "part")), "topic");
    assert_string_equal(json_string_value(json_object_get(first, "name")), "orders");
    assert_string_equal(json_string_value(json_object_get(first, "text")), "not authorised");
    /* It has not begun, but for a reason: that is what people need to know. */
    assert_int_equal(show(HEALTH_STARTING), 503);
    assert_string_equal(status(), "unhealthy");
    health_clear(&reasons, "topic", "orders");
    health_clear(&reasons, "topic", "other");
    assert_int_equal(show(HEALTH_RUNNING), 503);
    health_clear(&reasons, "sink", "orders");
    assert_int_equal(show(HEALTH_RUNNING), 200);
}

static void test_more_than_there_is_room_for(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < HEALTH_REASONS_MAX + 3; i++) {
        snprintf(name, sizeof(name), "topic%d", i);
        health_set(&reasons, "topic", name, "fails");
    }
    assert_int_equal(show(HEALTH_RUNNING), 503);
    assert_int_equal(shown_reasons(), HEALTH_REASONS_MAX);
    assert_int_equal(json_integer_value(json_object_get(page, "more")), 3);
    for (int i = 0; i < HEALTH_REASONS_MAX + 3; i++) {
        snprintf(name, sizeof(name), "topic%d", i);
        assert_int_equal(show(HEALTH_RUNNING), 503);
        health_clear(&reasons, "topic", name);
    }
    assert_int_equal(show(HEALTH_RUNNING), 200);
}

/* Brokers' texts may be of any length and no UTF-8 at all. */
static void test_foul_texts(void **state)
{
    (void)state;
    char text[2 * HEALTH_TEXT_LEN];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        text[sizeof(text) - 1] = '\0';
        health_set(&reasons, "cluster", "kafka", text);
        assert_int_equal(show(HEALTH_RUNNING), 503);
    }
    health_set(&reasons, "cluster", "\xff\"\n", "a\xff\x01\"b");
    assert_int_equal(show(HEALTH_RUNNING), 503);
    json_t *second = json_array_get(json_object_get(page, "reasons"), 1);
    assert_string_equal(json_string_value(json_object_get(second, "name")), "?\"\n");
    assert_string_equal(json_string_value(json_object_get(second, "text")), "a?\x01\"b");
    health_clear(&reasons, "cluster", "\xff\"\n");
    assert_int_equal(reasons.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_phases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reasons_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_there_is_room_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foul_texts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
