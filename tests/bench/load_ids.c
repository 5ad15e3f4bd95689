#include "load_ids.h"

#include <stddef.h>

/*
 * A trace id is 8 bytes that follow from the last 8, and 8 bytes that unscramble to
 * index (32 bits), piece (8), check (24).  A span id unscrambles to index, span, check.
 */
enum { INDEX_BITS = 32, PLACE_BITS = 8, CHECK_BITS = 24 };
#define CHECK_MASK ((UINT64_C(1) << CHECK_BITS) - 1)

/* The finisher of splitmix64 (Steele, Lea, Flood 2014): a permutation of 64-bit numbers. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Undoes y = x ^ (x >> shift). */
static uint64_t unshift(uint64_t y, unsigned shift)
{
    uint64_t x = y;
    for (unsigned done = shift; done < 64; done += shift)
        x = y ^ (x >> shift);
    return x;
}

static uint64_t unscramble(uint64_t x)
{
    x = unshift(x, 31) * UINT64_C(0x319642b2d24d8ec3); /* inverses of the factors above */
    x = unshift(x, 27) * UINT64_C(0x96de1b173f119089);
    return unshift(x, 30);
}

/* A number that looks random, for one use of one index. */
static uint64_t draw(const struct load_plan *plan, uint32_t index, uint32_t use)
{
    uint64_t seed = scramble(plan->seed * UINT64_C(0x9e3779b97f4a7c15) + use);
    return scramble(seed + index);
}

enum { USE_ERROR = 1, USE_SLOW, USE_TRACE_CHECK, USE_SPAN_CHECK, USE_TRACE_HIGH };

struct load_trace load_trace_at(const struct load_plan *plan, uint32_t index)
{
    return (struct load_trace){
        .index = index,
        .error = draw(plan, index, USE_ERROR) % 100 < LOAD_ERROR_PERCENT,
        .slow = draw(plan, index, USE_SLOW) % 100 < LOAD_SLOW_PERCENT,
    };
}

static void store(uint8_t *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value >> shift);
}

static uint64_t load(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static uint64_t word_of(uint32_t index, uint32_t place, uint64_t check)
{
    return (uint64_t)index << (PLACE_BITS + CHECK_BITS) | (uint64_t)place << CHECK_BITS |
           (check & CHECK_MASK);
}

struct trace_id load_trace_id(const struct load_plan *plan, uint32_t index, uint32_t piece)
{
    struct trace_id id;
    uint64_t check = draw(plan, index, USE_TRACE_CHECK);
    store(id.byte, draw(plan, index, USE_TRACE_HIGH + piece));
    store(id.byte + 8, scramble(word_of(index, piece, check)));
    return id;
}

struct span_id load_span_id(const struct load_plan *plan, uint32_t index, uint32_t span)
{
    struct span_id id;
    store(id.byte, scramble(word_of(index, span, draw(plan, index, USE_SPAN_CHECK))));
    return id;
}

bool load_read_trace_id(const struct load_plan *plan, struct trace_id id, uint32_t *ret_index,
                        uint32_t *ret_piece)
{
    uint64_t word = unscramble(load(id.byte + 8));
    uint32_t index = (uint32_t)(word >> (PLACE_BITS + CHECK_BITS));
    uint32_t piece = (uint32_t)(word >> CHECK_BITS & 0xff);
    if (index >= plan->traces || piece >= LOAD_PIECES ||
        !trace_id_equal(load_trace_id(plan, index, piece), id))
        return false;
    *ret_index = index;
    *ret_piece = piece;
    return true;
}

bool load_read_span_id(const struct load_plan *plan, struct span_id id, uint32_t *ret_index,
                       uint32_t *ret_span)
{
    uint64_t word = unscramble(load(id.byte));
    uint32_t index = (uint32_t)(word >> (PLACE_BITS + CHECK_BITS));
    uint32_t span = (uint32_t)(word >> CHECK_BITS & 0xff);
    if (index >= plan->traces || span >= LOAD_SPANS_PER_TRACE ||
        !span_id_equal(load_span_id(plan, index, span), id))
        return false;
    *ret_index = index;
    *ret_span = span;
    return true;
}

uint32_t load_piece_of(enum load_kind kind, uint32_t span)
{
    static const uint8_t piece_of[LOAD_SPANS_PER_TRACE] = {0, 0, 0, 0, 1, 1, 2, 2};
    return kind == LOAD_C ? piece_of[span] : 0;
}

/*
 * 5 % of all ids as the tail sampler of the OpenTelemetry Collector chooses them.  Written
 * here once more on purpose: the bench must not believe the code that it measures.
 */
static bool in_five_percent(struct trace_id id)
{
    static const char salt[] = "default-hash-seed";
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof(salt) - 1; i++)
        hash = (hash ^ (uint8_t)salt[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < TRACE_ID_LEN; i++)
        hash = (hash ^ id.byte[i]) * UINT64_C(0x100000001b3);
    return hash <= UINT64_MAX / 20;
}

bool load_in_share(const struct load_plan *plan, uint32_t index)
{
    return in_five_percent(load_trace_id(plan, index, 0));
}

bool load_keeps(const struct load_plan *plan, uint32_t index, int piece)
{
    struct load_trace trace = load_trace_at(plan, index);
    if (piece < 0)
        return trace.error || trace.slow || load_in_share(plan, index);
    /* All of a slow trace's time is spent in its first piece. */
    bool error = trace.error && load_piece_of(plan->kind, LOAD_ERROR_SPAN) == (uint32_t)piece;
    return error || (trace.slow && piece == 0) ||
           in_five_percent(load_trace_id(plan, index, (uint32_t)piece));
}
