/*
 * seen: spans read back from OTLP: what the demo shows of a trace, before and after.
 *
 * Both pictures come out of the bytes on the wire, by the same way, and not out of what the
 * generator meant.  A reader belongs to one thread.
 */
#ifndef SB_DEMO_SEEN_H
#define SB_DEMO_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ids.h"

enum { SEEN_TEXT_LEN = 48, SEEN_EVIDENCE_LEN = 160, SEEN_SPANS_MAX = 64 };

/* Longer texts are cut. */
struct seen_span {
    struct trace_id trace_id;
    struct span_id span_id;
    struct span_id parent_id; /* zero: a root */
    uint64_t start_ns;
    uint64_t end_ns;
    uint8_t kind; /* enum otlp_kind */
    bool failed;
    bool synthetic; /* made by spanbridge: a queue span */
    char service[SEEN_TEXT_LEN];
    char name[SEEN_TEXT_LEN];
    char rule[SEEN_TEXT_LEN]; /* of repair; "" */
    char action[SEEN_TEXT_LEN];
    char evidence[SEEN_EVIDENCE_LEN];
    char policy[SEEN_TEXT_LEN]; /* that kept the trace; on its root */
};

/* Spans of one trace, or of the pieces of one. */
struct seen_list {
    struct seen_span spans[SEEN_SPANS_MAX];
    uint32_t count;
};

struct seen_reader;

enum sb_err seen_reader_new(struct seen_reader **ret) SB_MUST_USE;
void seen_reader_free(struct seen_reader *reader);

typedef void (*seen_fn)(void *arg, const struct seen_span *span);

/* Calls back for every span of a request.  SB_ERR_INPUT: it is no OTLP; SB_ERR_MEMORY. */
enum sb_err seen_read(struct seen_reader *reader, struct bytes request, seen_fn on_span,
                      void *arg) SB_MUST_USE;

/* Adds a copy, unless the span is there already; false when the list is full. */
bool seen_list_add(struct seen_list *list, const struct seen_span *span);

/* The span's row, or NULL. */
const struct seen_span *seen_list_find(const struct seen_list *list, struct span_id id);

/* From the first start to the last end. */
uint64_t seen_list_start_ns(const struct seen_list *list);
uint64_t seen_list_end_ns(const struct seen_list *list);

#endif
