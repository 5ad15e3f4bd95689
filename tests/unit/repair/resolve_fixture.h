/*
 * resolve_fixture: a consumer-side trace and the evidence about it, put together by hand.
 */
#ifndef SB_TEST_REPAIR_RESOLVE_FIXTURE_H
#define SB_TEST_REPAIR_RESOLVE_FIXTURE_H

#include <string.h>

#include "repair/resolve.h"
#include "support/test.h"

enum { SPANS_MAX = 24, EVIDENCE_MAX = 12, NONE = -1 };
enum { FLAGS_LOCAL = 0x100, FLAGS_REMOTE = 0x300, SERVER = 2 };
enum { RECEIVE = REPAIR_ROLE_RECEIVE, PROCESS = REPAIR_ROLE_PROCESS, SEND = REPAIR_ROLE_SEND };

/* A consumer-side trace: span 1 has index 0 and so on; all of one service unless changed. */
struct fixture {
    struct repair_span spans[SPANS_MAX];
    struct repair_evidence evidence[EVIDENCE_MAX];
    struct repair_outcome outcomes[EVIDENCE_MAX];
    uint32_t span_count;
    uint32_t evidence_count;
};

static inline struct span_id span_id_of(uint64_t number)
{
    struct span_id id;
    memcpy(id.byte, &number, sizeof(number));
    return id;
}

static inline struct trace_id trace_id_of(uint8_t number)
{
    return (struct trace_id){.byte = {number}};
}

enum { CONSUMER_TRACE = 1, PRODUCER_TRACE = 2, PRODUCER_SPAN = 100 };

/* parent 0: a root. */
static inline struct repair_span *add_span(struct fixture *fixture, uint64_t parent, int role)
{
    struct repair_span *span = &fixture->spans[fixture->span_count++];
    *span = (struct repair_span){.span_id = span_id_of(fixture->span_count),
                                 .parent_id = span_id_of(parent),
                                 .start_ns = 100 + fixture->span_count,
                                 .end_ns = 1000,
                                 .service = 1,
                                 .role = (uint8_t)role};
    return span;
}

/* Evidence of message `message` for span `consumer`: its producer is span 100 + message. */
static inline struct repair_evidence *add_evidence(struct fixture *fixture, uint64_t consumer,
                                                   uint8_t message)
{
    struct repair_evidence *evidence = &fixture->evidence[fixture->evidence_count++];
    *evidence = (struct repair_evidence){
        .join = {.rule = REPAIR_RULE_COORDINATE,
                 .key = {.word = {message, message}},
                 .consumer = {.trace_id = trace_id_of(CONSUMER_TRACE),
                              .span_id = span_id_of(consumer)},
                 .producer = {.trace_id = trace_id_of(PRODUCER_TRACE),
                              .span_id = span_id_of(PRODUCER_SPAN + message)}},
        .producer_state = REPAIR_PRODUCER_OPEN,
        .mode = REPAIR_AUTO};
    return evidence;
}

static inline void resolve(struct fixture *fixture)
{
    struct repair_scratch *scratch = NULL;
    struct repair_trace trace = {.spans = fixture->spans,
                                 .span_count = fixture->span_count,
                                 .evidence = fixture->evidence,
                                 .evidence_count = fixture->evidence_count};
    assert_int_equal(repair_scratch_new(&scratch), SB_OK);
    assert_int_equal(repair_resolve(scratch, &trace, fixture->outcomes), SB_OK);
    repair_scratch_free(scratch);
    for (uint32_t i = 0; i < fixture->evidence_count; i++)
        assert_int_equal(fixture->outcomes[i].evidence, i);
}

/* target: the number of the span, where a parent is expected. */
static inline void check(const struct fixture *fixture, uint32_t evidence,
                         enum repair_action action, uint64_t target)
{
    const struct repair_outcome *outcome = &fixture->outcomes[evidence];
    assert_int_equal(outcome->action, action);
    if (outcome->consumer != REPAIR_NO_SPAN)
        assert_true(span_id_equal(fixture->spans[outcome->consumer].span_id,
                                  fixture->evidence[evidence].join.consumer.span_id));
    if (action == REPAIR_ACTION_PARENT)
        assert_int_equal(outcome->target, target - 1);
    else
        assert_int_equal(outcome->target, outcome->consumer);
}

static inline void check_parent(const struct fixture *fixture, uint32_t evidence,
                                uint64_t target)
{
    check(fixture, evidence, REPAIR_ACTION_PARENT, target);
}

static inline void check_link(const struct fixture *fixture, uint32_t evidence)
{
    check(fixture, evidence, REPAIR_ACTION_LINK, 0);
}

static inline void check_none(const struct fixture *fixture, uint32_t evidence)
{
    check(fixture, evidence, REPAIR_ACTION_NONE, 0);
}

#endif
