#include "letters.h"

#include "core/memory.h"
#include "support/test.h"

static struct letter *make(const char *key, void *ticket)
{
    const struct record_header headers[] = {
        {.name = BYTES_LITERAL("a"), .value = BYTES_LITERAL("1")},
        {.name = BYTES_LITERAL("b")}};
    char body[] = "body";
    const struct source_topic topic = {.dead_letter_exchange = "dlx", .dead_letter_key = key};
    const struct source_dead_letter from = {.key = BYTES_LITERAL("own"),
                                            .value = bytes_text(body),
                                            .headers = headers,
                                            .header_count = 2,
                                            .ticket = ticket};
    struct letter *letter = letter_new(&topic, &from);
    memset(body, 'x', sizeof(body) - 1); /* it was copied */
    return letter;
}

static void test_a_letter_holds_copies(void **state)
{
    (void)state;
    struct letter *letter = make("dead", state);
    assert_ptr_equal(letter->ticket, state);
    assert_true(bytes_equal(letter->message.exchange, BYTES_LITERAL("dlx")));
    assert_true(bytes_equal(letter->message.routing_key, BYTES_LITERAL("dead")));
    assert_true(bytes_equal(letter->message.body, BYTES_LITERAL("body")));
    assert_true(bytes_equal(letter->headers[0].value, BYTES_LITERAL("1")));
    assert_null(letter->headers[1].value.at);
    assert_true(letter->message.persistent && letter->message.mandatory);
    memory_free(letter);
    letter = make(NULL, NULL);
    assert_true(bytes_equal(letter->message.routing_key, BYTES_LITERAL("own")));
    memory_free(letter);
    memory_fail_at(1);
    assert_null(make("dead", NULL));
    memory_fail_at(0);
}

static void test_lists_keep_their_order(void **state)
{
    (void)state;
    struct letter *letters[4];
    for (size_t i = 0; i < 4; i++)
        letters[i] = make("dead", NULL);
    struct letter_list list = {.count = 0};
    struct letter_list back = {.count = 0};
    letters_put_back(&list, &back);
    assert_null(letters_take_first(&list));
    letters_append(&back, letters[0]);
    letters_append(&back, letters[1]);
    letters_put_back(&list, &back); /* into an empty one */
    assert_int_equal(back.count, 0);
    letters_append(&list, letters[3]);
    assert_ptr_equal(letters_take_first(&list), letters[0]);
    letters_append(&back, letters[0]);
    letters_put_back(&list, &back);
    assert_int_equal(list.count, 3);
    assert_ptr_equal(letters_take_first(&list), letters[0]);
    assert_ptr_equal(letters_take_first(&list), letters[1]);
    assert_ptr_equal(letters_take_first(&list), letters[3]);
    assert_null(letters_take_first(&list));
    for (size_t i = 0; i < 4; i++)
        memory_free(letters[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_letter_holds_copies),
                                       cmocka_unit_test(test_lists_keep_their_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
