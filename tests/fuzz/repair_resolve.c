/*
 * repair_resolve: traces of any shape, with any evidence, must be resolved to actions that are
 * sane, the same for every hash seed, and never close a circle of parents.
 *
 * The input: the number of spans, 6 bytes for each (id, parent, service and role, flags and
 * kind, batch and links, start), then 6 bytes for each piece of evidence (consumer, producer,
 * rule and mode, state and trace, key, unused).  Ids are small numbers, so that they meet.
 */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "repair/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

/* Of each trace so many spans are offered for adoption, each of which reads the whole trace. */
enum { ADOPTIONS_MAX = 16 };

enum { ROW = 6, SPANS_MAX = 255, EVIDENCE_MAX = 128, CONSUMER_TRACE = 1, PRODUCER_TRACE = 2 };

struct input {
    struct repair_span spans[SPANS_MAX];
    struct repair_evidence evidence[EVIDENCE_MAX];
    struct repair_trace trace;
    uint32_t first_of_id[256]; /* the first span with that id, or REPAIR_NO_SPAN */
};

static struct input input;

static struct span_id id_of(uint8_t number)
{
    return (struct span_id){.byte = {number}};
}

static void read_span(const uint8_t row[ROW], struct repair_span *ret)
{
    static const uint32_t flags[] = {0, 0x100, 0x300, 0x200};
    *ret = (struct repair_span){.span_id = id_of(row[0]),
                                .parent_id = id_of(row[1]),
                                .service = row[2] & 3U,
                                .role = (uint8_t)((row[2] >> 2) % 6),
                                .flags = flags[row[3] & 3U],
                                .kind = (uint8_t)((row[3] >> 2) % 6),
                                .batch_count = row[4] & 3U,
                                .link_count = (uint16_t)((row[4] >> 2) & 3U),
                                .start_ns = row[5],
                                .end_ns = (uint64_t)row[5] + (row[4] >> 4)};
}

static void read_evidence(const uint8_t row[ROW], struct repair_evidence *ret)
{
    uint8_t trace = (row[3] & 0x80) != 0 ? CONSUMER_TRACE : PRODUCER_TRACE;
    *ret = (struct repair_evidence){
        .join = {.rule = (enum repair_rule)((row[2] & 15U) % REPAIR_RULE_COUNT),
                 .key = {.word = {row[4], 0}},
                 .consumer = {.trace_id = {{CONSUMER_TRACE}}, .span_id = id_of(row[0])},
                 .producer = {.trace_id = {{trace}}, .span_id = id_of(row[1])}},
        .mode = (enum repair_mode)((row[2] >> 4) % (REPAIR_AUTO + 1)),
        .producer_state =
            (enum repair_producer_state)((row[3] & 0x7fU) % (REPAIR_PRODUCER_FORWARDED + 1))};
}

static void read_input(const uint8_t *at, size_t len)
{
    struct repair_trace *trace = &input.trace;
    uint32_t wanted = len == 0 ? 0 : at[0];
    *trace = (struct repair_trace){.spans = input.spans, .evidence = input.evidence};
    size_t next = 1;
    for (; next + ROW <= len && trace->span_count < wanted; next += ROW)
        read_span(at + next, &input.spans[trace->span_count++]);
    for (; next + ROW <= len && trace->evidence_count < EVIDENCE_MAX; next += ROW)
        read_evidence(at + next, &input.evidence[trace->evidence_count++]);
    for (int i = 0; i < 256; i++)
        input.first_of_id[i] = REPAIR_NO_SPAN;
    for (uint32_t i = trace->span_count; i-- > 0;)
        input.first_of_id[input.spans[i].span_id.byte[0]] = i;
}

static uint32_t find(struct span_id id)
{
    return input.first_of_id[id.byte[0]];
}

/* Walks up from `from`: is `wanted` met?  With circles, all of whose spans are met at last. */
static bool is_above(const struct repair_trace *trace, uint32_t wanted, uint32_t from)
{
    for (uint32_t steps = 0; steps <= trace->span_count && from != REPAIR_NO_SPAN; steps++) {
        if (from == wanted)
            return true;
        from = span_id_is_zero(trace->spans[from].parent_id)
                   ? REPAIR_NO_SPAN
                   : find(trace->spans[from].parent_id);
    }
    return false;
}

static void check_parent(const struct repair_trace *trace, const struct repair_outcome *outcome)
{
    const struct repair_evidence *evidence = &trace->evidence[outcome->evidence];
    const struct repair_join *join = &evidence->join;
    SB_ASSERT(outcome->target < trace->span_count);
    SB_ASSERT(span_id_is_zero(trace->spans[outcome->target].parent_id));
    SB_ASSERT(is_above(trace, outcome->target, outcome->consumer));
    SB_ASSERT(evidence->mode != REPAIR_LINK && evidence->mode != REPAIR_OFF);
    SB_ASSERT(evidence->producer_state == REPAIR_PRODUCER_OPEN ||
              evidence->producer_state == REPAIR_PRODUCER_KEPT ||
              evidence->producer_state == REPAIR_PRODUCER_UNSEEN);
    SB_ASSERT(trace->spans[outcome->consumer].batch_count < 2);
    SB_ASSERT(trace->spans[outcome->consumer].link_count < 2);
    if (trace_id_equal(join->producer.trace_id, join->consumer.trace_id)) {
        uint32_t producer = find(join->producer.span_id);
        SB_ASSERT(producer != REPAIR_NO_SPAN);
        SB_ASSERT(!is_above(trace, outcome->target, producer));
    }
}

static void check_outcomes(const struct repair_trace *trace,
                           const struct repair_outcome *outcomes)
{
    uint32_t parents = 0;
    for (uint32_t i = 0; i < trace->evidence_count; i++) {
        const struct repair_outcome *outcome = &outcomes[i];
        SB_ASSERT(outcome->evidence == i);
        SB_ASSERT(outcome->consumer == find(trace->evidence[i].join.consumer.span_id));
        if (outcome->action == REPAIR_ACTION_NONE)
            continue;
        SB_ASSERT(outcome->consumer < trace->span_count);
        SB_ASSERT(trace->evidence[i].mode != REPAIR_OFF);
        SB_ASSERT(trace->evidence[i].join.rule != REPAIR_RULE_SAME_TRACE);
        if (outcome->action == REPAIR_ACTION_PARENT) {
            check_parent(trace, outcome);
            parents++;
        } else {
            SB_ASSERT(!outcome->link_too && outcome->target == outcome->consumer);
        }
    }
    SB_ASSERT(parents <= 1);
}

static void check_orphans(struct repair_scratch *scratch, const struct repair_trace *trace)
{
    struct repair_orphan orphans[ADOPTIONS_MAX];
    uint32_t found = repair_find_orphans(scratch, trace->spans, trace->span_count, true,
                                         orphans, ADOPTIONS_MAX);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < trace->span_count && seen < ADOPTIONS_MAX; i++) {
        const struct repair_span *span = &trace->spans[i];
        if (span_id_is_zero(span->parent_id) || find(span->parent_id) != REPAIR_NO_SPAN)
            continue;
        SB_ASSERT(seen < found && orphans[seen].span == i);
        int64_t adopter = orphans[seen++].adopter;
        SB_ASSERT(adopter >= -1 && adopter < trace->span_count);
        if (adopter >= 0)
            SB_ASSERT(!is_above(trace, i, (uint32_t)adopter));
    }
    SB_ASSERT(seen == found);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static struct repair_outcome outcomes[2][EVIDENCE_MAX];
    static struct repair_scratch *warm; /* kept, so that what one trace leaves behind shows */
    struct repair_scratch *fresh = NULL;
    if (warm == NULL && repair_scratch_new(&warm) != SB_OK)
        return 0;
    if (repair_scratch_new(&fresh) != SB_OK)
        return 0;
    read_input(at, len);
    enum sb_err err = repair_resolve(warm, &input.trace, outcomes[0]);
    SB_ASSERT(err == SB_OK);
    err = repair_resolve(fresh, &input.trace, outcomes[1]);
    SB_ASSERT(err == SB_OK);
    check_outcomes(&input.trace, outcomes[0]);
    for (uint32_t i = 0; i < input.trace.evidence_count; i++) {
        SB_ASSERT(outcomes[0][i].action == outcomes[1][i].action);
        SB_ASSERT(outcomes[0][i].target == outcomes[1][i].target);
        SB_ASSERT(outcomes[0][i].link_exists == outcomes[1][i].link_exists);
    }
    check_orphans(fresh, &input.trace);
    repair_scratch_free(fresh);
    return 0;
}
