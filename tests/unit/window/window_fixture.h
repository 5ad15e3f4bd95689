/*
 * window_fixture: windows and traces for the tests of this room.
 */
#ifndef SB_TEST_WINDOW_WINDOW_FIXTURE_H
#define SB_TEST_WINDOW_WINDOW_FIXTURE_H

#include <string.h>

#include "support/fake_clock.h"
#include "support/test.h"
#include "window/window.h"

enum { MIB = 1 << 20, CHUNK_BYTES = 2 * MIB };
#define WAIT_NS  (30 * NS_PER_S)
#define RETRY_NS (250 * NS_PER_MS)

static inline struct window_options default_options(void)
{
    return (struct window_options){
        .bytes_max = 256 * MIB,
        .data_size = 20,
        .wait_ns = WAIT_NS,
        .hold_retry_ns = RETRY_NS,
        .hash_seed = 99,
        .spans_per_trace_max = 1000,
        .bytes_per_trace_max = 100 * MIB,
    };
}

static inline struct window *new_window(const struct window_options *options)
{
    struct window *window = NULL;
    assert_int_equal(window_new(options, &window), SB_OK);
    return window;
}

static inline struct trace_id id_of(uint64_t number)
{
    struct trace_id id = {{0}};
    memcpy(id.byte, &number, sizeof(number));
    id.byte[15] = 1;
    return id;
}

static inline window_trace open_trace(struct window *window, uint64_t number, uint64_t now_ns)
{
    struct trace_id id = id_of(number);
    window_trace trace = WINDOW_NONE;
    assert_int_equal(window_open(window, id, window_hash(window, id), now_ns, &trace), SB_OK);
    return trace;
}

static inline window_trace find(const struct window *window, uint64_t number)
{
    struct trace_id id = id_of(number);
    return window_find(window, id, window_hash(window, id));
}

/* What spans are made of. */
static uint8_t buffer[3 * CHUNK_BYTES];

static inline enum sb_err append(struct window *window, window_trace trace, size_t len)
{
    const struct window_span span = {.raw = bytes_of(buffer, len), .envelope = 3, .record = 4};
    return window_append(window, trace, &span);
}

#endif
