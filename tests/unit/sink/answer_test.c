#include "answer.h"

#include <string.h>

#include "support/test.h"

static void test_messages_are_printable_and_cut(void **state)
{
    (void)state;
    struct answer answer = {0};
    answer_set_message(&answer, BYTES_LITERAL("a\n\x1b[1m\0b\xc3\xa4~\x7f"));
    assert_string_equal(answer.message, "a??[1m?b??~?");
    answer_set_message(&answer, bytes_of(NULL, 0));
    assert_string_equal(answer.message, "");
    char text[1000];
    memset(text, 't', sizeof(text));
    answer_set_message(&answer, bytes_of(text, sizeof(text)));
    assert_int_equal(strlen(answer.message), ANSWER_MESSAGE_LEN - 1);
}

static void test_words_for_too_large(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        bool size;
    } rows[] = {
        {"grpc: received message larger than max (9 vs. 4)", true},
        {"grpc: received message after decompression larger than max 4194304", true},
        {"Received message larger than max (9 vs. 4)", true},
        {"gRPC message exceeds maximum size 4: 9", true},
        {"http: request body too large", true},
        {"rate limit exceeded", false},
        {"ingestion rate limit: 5 MB larger", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(answer_tells_size(rows[i].message), rows[i].size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_printable_and_cut),
        cmocka_unit_test(test_words_for_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
