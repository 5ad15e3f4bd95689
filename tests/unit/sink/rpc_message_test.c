#include "rpc_message.h"

#include "core/clock.h"
#include "retry_after.h"
#include "support/random.h"
#include "support/test.h"

/* A view in an initializer of static data, where a compound literal may not stand. */
#define CONTENT(text)                                                                          \
    {                                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                                              \
    }

struct partial_row {
    const char *name;
    struct bytes in;
    bool good;
    uint64_t rejected;
    const char *message;
};

static const struct partial_row partial_rows[] = {
    {"empty: full success", CONTENT(""), true, 0, ""},
    {"empty partial success", CONTENT("\x0a\x00"), true, 0, ""},
    {"three rejected", CONTENT("\x0a\x02\x08\x03"), true, 3, ""},
    {"rejected with a message", CONTENT("\x0a\x06\x08\x80\x01\x12\x01x"), true, 128, "x"},
    {"a warning", CONTENT("\x0a\x05\x12\x03xyz"), true, 0, "xyz"},
    {"the last one counts", CONTENT("\x0a\x02\x08\x03\x0a\x02\x08\x04"), true, 4, ""},
    {"unknown fields",
     CONTENT("\x10\x07\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08"
             "\x0a\x05\x08\x03\x1a\x01z"),
     true, 3, ""},
    {"negative", CONTENT("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true, 0, ""},
    {"the largest", CONTENT("\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), true,
     INT64_MAX, ""},
    {"number as bytes", CONTENT("\x0a\x03\x0a\x01\x05"), true, 0, ""},
    {"cut in the length", CONTENT("\x0a"), false, 0, ""},
    {"cut in the message", CONTENT("\x0a\x05\x08\x03"), false, 0, ""},
    {"cut in the varint", CONTENT("\x0a\x02\x08\x83"), false, 0, ""},
    {"length beyond all", CONTENT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false, 0,
     ""},
    {"varint of eleven bytes", CONTENT("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     false, 0, ""},
    {"field 0", CONTENT("\x00\x01"), false, 0, ""},
    {"a group", CONTENT("\x0b\x0c"), false, 0, ""},
    {"HTML", CONTENT("<html><body>OK</body></html>"), false, 0, ""},
    {"JSON", CONTENT("{}"), false, 0, ""},
};

static void test_partial_success(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(partial_rows) / sizeof(partial_rows[0]); i++) {
        const struct partial_row *row = &partial_rows[i];
        struct rpc_partial_success found = {.rejected = 99};
        bool good = rpc_read_partial_success(row->in, &found);
        if (good != row->good || (good && found.rejected != row->rejected) ||
            (good && !bytes_equal(found.message, bytes_text(row->message))))
            fail_msg("%s", row->name);
        if (!good)
            assert_int_equal(found.rejected, 99);
    }
}

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo" /* 40 = 0x28 bytes */

struct status_row {
    const char *name;
    struct bytes in;
    bool has_retry_info;
    uint64_t delay_ns;
};

/* Status { 8: code, 12: message "m", 1a: details }; Any { 0a: type, 12: value };
   RetryInfo { 0a: Duration }; Duration { 08: seconds, 10: nanos }. */
static const struct status_row status_rows[] = {
    {"no details", CONTENT("\x08\x08\x12\x01m"), false, 0},
    {"five seconds",
     CONTENT("\x08\x08\x12\x01m\x1a\x30\x0a\x28" RETRY_INFO "\x12\x04\x0a\x02\x08\x05"), true,
     5 * NS_PER_S},
    {"half a second",
     CONTENT("\x12\x01m\x1a\x34\x0a\x28" RETRY_INFO "\x12\x08\x0a\x06\x10\x80\xca\xb5\xee"
             "\x01"),
     true, 500 * NS_PER_MS},
    {"no delay", CONTENT("\x12\x01m\x1a\x2a\x0a\x28" RETRY_INFO), true, 0},
    {"an hour is capped",
     CONTENT("\x12\x01m\x1a\x31\x0a\x28" RETRY_INFO "\x12\x05\x0a\x03\x08\x90\x1c"), true,
     RETRY_AFTER_MAX_NS},
    {"negative",
     CONTENT("\x12\x01m\x1a\x39\x0a\x28" RETRY_INFO
             "\x12\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     true, 0},
    {"another detail", CONTENT("\x12\x01m\x1a\x0b\x0a\x09x.y/Other"), false, 0},
    {"the name without its slash", CONTENT("\x12\x01m\x1a\x16\x0a\x14google.rpc.RetryInfo"),
     false, 0},
    {"another one first",
     CONTENT("\x12\x01m\x1a\x05\x0a\x03x/y\x1a\x30\x0a\x28" RETRY_INFO
             "\x12\x04\x0a\x02\x08\x05"),
     true, 5 * NS_PER_S},
};

static void test_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++) {
        const struct status_row *row = &status_rows[i];
        struct rpc_status found;
        if (!rpc_read_status(row->in, &found) || found.has_retry_info != row->has_retry_info ||
            found.retry_delay_ns != row->delay_ns ||
            !bytes_equal(found.message, BYTES_LITERAL("m")))
            fail_msg("%s", row->name);
    }
    struct rpc_status kept = {.retry_delay_ns = 99};
    assert_false(rpc_read_status(BYTES_LITERAL("\x12\x05m"), &kept));
    assert_int_equal(kept.retry_delay_ns, 99);
}

/* Sanitizers watch: every view lies within the input. */
static void test_noise_is_survived(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    for (int round = 0; round < 100000; round++) {
        uint8_t noise[48];
        size_t len = random_below(&random, sizeof(noise) + 1);
        random_fill(&random, noise, len);
        if (len > 4 && random_chance(&random, 50)) {
            noise[0] = random_chance(&random, 50) ? 0x0a : 0x1a;
            noise[1] = (uint8_t)(len - 2);
        }
        struct bytes in = bytes_of(noise, len);
        struct rpc_partial_success partial;
        struct rpc_status status;
        if (rpc_read_partial_success(in, &partial) && partial.message.len > 0)
            assert_true(partial.message.at + partial.message.len <= noise + len);
        if (rpc_read_status(in, &status))
            assert_true(status.retry_delay_ns <= RETRY_AFTER_MAX_NS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partial_success),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_noise_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
