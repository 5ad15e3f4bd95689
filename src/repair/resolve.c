/*
 * resolve: see resolve.h.  The order of work: evidence is sorted to its spans; what is known
 * below and above each span is gathered along local edges; the hops of each local tree are
 * counted; then each piece of evidence gets its action, and one of those that could become a
 * parent does.
 */
#include "repair/resolve.h"

#include "core/memory.h"
#include "scratch.h"

enum { KIND_SERVER = 2 }; /* of OTLP */

struct resolve {
    const struct repair_trace *trace;
    const struct family *family;
    struct note *notes;
    struct repair_outcome *outcomes;
};

static const struct repair_join *join_of(const struct resolve *resolve, uint32_t evidence)
{
    return &resolve->trace->evidence[evidence].join;
}

static bool same_producer(const struct repair_join *a, const struct repair_join *b)
{
    return span_id_equal(a->producer.span_id, b->producer.span_id) &&
           trace_id_equal(a->producer.trace_id, b->producer.trace_id);
}

/* Links have no coordinate: for them the producer tells hops apart. */
static bool same_hop(const struct repair_join *a, const struct repair_join *b)
{
    if (a->rule == REPAIR_RULE_LINK || b->rule == REPAIR_RULE_LINK)
        return same_producer(a, b);
    return a->key.word[0] == b->key.word[0] && a->key.word[1] == b->key.word[1];
}

/* Evidence that never changes anything does not compete with what does. */
static bool may_act(const struct repair_evidence *evidence)
{
    return evidence->mode != REPAIR_OFF && evidence->join.rule != REPAIR_RULE_SAME_TRACE &&
           !trace_id_is_zero(evidence->join.producer.trace_id) &&
           !span_id_is_zero(evidence->join.producer.span_id);
}

static bool is_consumer_role(uint8_t role)
{
    return role == REPAIR_ROLE_RECEIVE || role == REPAIR_ROLE_PROCESS;
}

static bool is_producer_role(uint8_t role)
{
    return role == REPAIR_ROLE_CREATE || role == REPAIR_ROLE_SEND;
}

/* Gives each span its strongest evidence; of equals the first. */
static void find_leads(struct resolve *resolve)
{
    for (uint32_t i = 0; i < resolve->trace->evidence_count; i++) {
        const struct repair_evidence *evidence = &resolve->trace->evidence[i];
        uint32_t consumer = family_find(resolve->family, evidence->join.consumer.span_id);
        resolve->outcomes[i] = (struct repair_outcome){.action = REPAIR_ACTION_NONE,
                                                       .evidence = i,
                                                       .consumer = consumer,
                                                       .target = consumer};
        if (consumer == NO_SPAN || !may_act(evidence))
            continue;
        struct note *note = &resolve->notes[consumer];
        if (note->lead == NO_EVIDENCE ||
            evidence->join.rule < join_of(resolve, note->lead)->rule)
            note->lead = i;
    }
}

/* Is the evidence as strong as its span's lead, and yet about something else? */
static bool rivals_lead(const struct resolve *resolve, uint32_t evidence)
{
    uint32_t consumer = resolve->outcomes[evidence].consumer;
    if (consumer == NO_SPAN || !may_act(&resolve->trace->evidence[evidence]))
        return false;
    const struct repair_join *lead = join_of(resolve, resolve->notes[consumer].lead);
    const struct repair_join *join = join_of(resolve, evidence);
    return join->rule == lead->rule && !same_producer(join, lead);
}

static void find_rivals(struct resolve *resolve)
{
    for (uint32_t i = 0; i < resolve->trace->evidence_count; i++) {
        if (!rivals_lead(resolve, i))
            continue;
        struct note *note = &resolve->notes[resolve->outcomes[i].consumer];
        if (same_hop(join_of(resolve, i), join_of(resolve, note->lead)))
            note->is_ambiguous = true;
        else
            note->has_several = true;
    }
}

/* Copies of a span (delivered twice) are not counted as spans of their own. */
static uint8_t role_of(const struct resolve *resolve, uint32_t span)
{
    return resolve->family->relatives[span].is_copy ? (uint8_t)REPAIR_ROLE_UNKNOWN
                                                    : resolve->trace->spans[span].role;
}

/* From the leaves up: what is below each span in its own service instance. */
static void look_down(struct resolve *resolve)
{
    const struct family *family = resolve->family;
    for (uint32_t i = family->ordered; i-- > 0;) {
        uint32_t span = family->order[i];
        const struct note *note = &resolve->notes[span];
        if (family->relatives[span].edge != EDGE_LOCAL)
            continue;
        struct note *parent = &resolve->notes[family->relatives[span].parent];
        parent->processes +=
            role_of(resolve, span) == REPAIR_ROLE_PROCESS ? 1 : note->processes;
        parent->leads_below |= note->leads_below || note->lead != NO_EVIDENCE;
    }
}

/* repair.md: batch count > 1, links to several messages, or several process spans below. */
static bool is_batch(const struct repair_span *span, const struct note *note)
{
    return span->batch_count > 1 || span->link_count > 1 || note->has_several ||
           (span->role == REPAIR_ROLE_RECEIVE && note->processes > 1);
}

/* From the roots down: what is above each span in its own service instance. */
static void look_up(struct resolve *resolve)
{
    const struct family *family = resolve->family;
    for (uint32_t i = 0; i < family->ordered; i++) {
        uint32_t span = family->order[i];
        struct note *note = &resolve->notes[span];
        const struct repair_span *self = &resolve->trace->spans[span];
        bool may_be_batch = is_consumer_role(self->role) || note->lead != NO_EVIDENCE;
        note->is_batch = may_be_batch && is_batch(self, note);
        if (family->relatives[span].edge != EDGE_LOCAL)
            continue;
        uint32_t parent = family->relatives[span].parent;
        note->is_batch = note->is_batch || resolve->notes[parent].is_batch;
        note->above =
            resolve->notes[parent].lead != NO_EVIDENCE ? parent : resolve->notes[parent].above;
    }
}

/*
 * The hops that reach each local tree from outside: one for each message that evidence names,
 * and one for each consumer span that no evidence explains, as it is neither above nor below
 * a span with evidence.
 */
static void count_hops(struct resolve *resolve)
{
    const struct family *family = resolve->family;
    for (uint32_t i = 0; i < family->ordered; i++) {
        uint32_t span = family->order[i];
        const struct note *note = &resolve->notes[span];
        struct note *root = &resolve->notes[family->relatives[span].local_root];
        const struct repair_span *self = &resolve->trace->spans[span];
        if (is_producer_role(self->role) && self->start_ns < root->first_send_ns)
            root->first_send_ns = self->start_ns;
        if (note->lead == NO_EVIDENCE) {
            bool unexplained = is_consumer_role(role_of(resolve, span)) && !note->leads_below &&
                               note->above == NO_SPAN;
            root->has_other_hops |= unexplained;
        } else if (root->hop == NO_EVIDENCE) {
            root->hop = note->lead;
        } else if (!same_hop(join_of(resolve, root->hop), join_of(resolve, note->lead))) {
            root->has_other_hops = true;
        }
    }
}

/* Does the producer's span stand above the consumer already, seen or named as the parent? */
static bool is_joined(const struct resolve *resolve, const struct repair_join *join,
                      uint32_t consumer)
{
    const struct family *family = resolve->family;
    const struct repair_span *spans = resolve->trace->spans;
    if (!trace_id_equal(join->producer.trace_id, join->consumer.trace_id))
        return false;
    struct span_id producer = join->producer.span_id;
    if (span_id_equal(spans[consumer].span_id, producer) ||
        span_id_equal(spans[consumer].parent_id, producer))
        return true;
    uint32_t top = family->relatives[consumer].top;
    if (top == NO_SPAN)
        return false;
    uint32_t elder = family_find(family, producer);
    return span_id_equal(spans[top].parent_id, producer) ||
           (elder != NO_SPAN && family_is_elder(family, elder, consumer));
}

/* Is the span below one whose evidence names the same message?  Then that one acts for both. */
static bool is_covered(const struct resolve *resolve, const struct repair_join *join,
                       const struct note *note)
{
    if (note->is_batch || note->above == NO_SPAN)
        return false;
    const struct note *above = &resolve->notes[note->above];
    return !above->is_ambiguous && same_hop(join, join_of(resolve, above->lead));
}

/* Does what is known of the producer, and the mode, allow a merge? */
static bool may_merge(const struct repair_evidence *evidence)
{
    bool known = evidence->producer_state == REPAIR_PRODUCER_OPEN ||
                 evidence->producer_state == REPAIR_PRODUCER_KEPT ||
                 evidence->producer_state == REPAIR_PRODUCER_UNSEEN;
    char class = repair_rule_class(evidence->join.rule);
    switch (evidence->mode) {
    case REPAIR_PARENT:
    case REPAIR_BOTH:
        return known && class != 'D';
    case REPAIR_AUTO:
    case REPAIR_REPORT:
        return known && class <= 'B';
    case REPAIR_OFF:
    case REPAIR_LINK:
        break;
    }
    return false;
}

/*
 * May the root of the local tree take the consumer's producer as its parent?  Not when other
 * hops reach that tree; nor when the consumer seems to wait for a reply, as then the producer
 * was caused by the tree itself.
 */
static bool may_move_root(const struct resolve *resolve, uint32_t root, uint32_t consumer)
{
    const struct repair_span *spans = resolve->trace->spans;
    const struct note *note = &resolve->notes[root];
    return !note->has_other_hops && spans[root].kind != KIND_SERVER &&
           note->first_send_ns >= spans[consumer].start_ns;
}

/* The span that could take the producer as its parent, or NO_SPAN. */
static uint32_t find_target(const struct resolve *resolve, const struct repair_join *join,
                            uint32_t consumer)
{
    const struct family *family = resolve->family;
    const struct relative *self = &family->relatives[consumer];
    uint32_t target = self->local_root;
    if (target == NO_SPAN || family->relatives[target].edge != EDGE_ROOT)
        return NO_SPAN; /* in a loop; or a remote parent is there, and stays */
    const struct note *note = &resolve->notes[consumer];
    if (note->is_batch)
        return NO_SPAN;
    if (target != consumer && !may_move_root(resolve, target, consumer))
        return NO_SPAN;
    if (trace_id_equal(join->producer.trace_id, join->consumer.trace_id)) {
        /* Within one trace: the producer must be seen, and not to hang under the target. */
        uint32_t producer = family_find(family, join->producer.span_id);
        if (producer == NO_SPAN || family->relatives[producer].top == NO_SPAN ||
            family->relatives[producer].top == target)
            return NO_SPAN;
    }
    return target;
}

/* Chooses what would be done if this evidence were alone; PARENT is provisional. */
static void choose(struct resolve *resolve, uint32_t number)
{
    const struct repair_evidence *evidence = &resolve->trace->evidence[number];
    const struct repair_join *join = &evidence->join;
    struct repair_outcome *outcome = &resolve->outcomes[number];
    if (outcome->consumer == NO_SPAN || !may_act(evidence))
        return;
    const struct note *note = &resolve->notes[outcome->consumer];
    /* Of several messages each is linked; else the strongest evidence acts alone. */
    if (note->lead != number && !(note->has_several && rivals_lead(resolve, number)))
        return;
    if (note->is_ambiguous) {
        if (note->lead == number)
            outcome->action = REPAIR_ACTION_AMBIGUOUS;
        return;
    }
    if (is_joined(resolve, join, outcome->consumer) || is_covered(resolve, join, note))
        return;
    outcome->action = REPAIR_ACTION_LINK;
    outcome->link_exists = join->rule == REPAIR_RULE_LINK;
    if (!may_merge(evidence))
        return;
    uint32_t target = find_target(resolve, join, outcome->consumer);
    if (target == NO_SPAN)
        return;
    outcome->action = REPAIR_ACTION_PARENT;
    outcome->target = target;
}

/* Of two that could become the parent: what acts before what is only reported, then the ... */
static bool is_better(const struct resolve *resolve, uint32_t a, uint32_t b)
{
    const struct repair_evidence *evidence = resolve->trace->evidence;
    const struct repair_outcome *x = &resolve->outcomes[a];
    const struct repair_outcome *y = &resolve->outcomes[b];
    bool x_reports = evidence[a].mode == REPAIR_REPORT;
    bool y_reports = evidence[b].mode == REPAIR_REPORT;
    if (x_reports != y_reports)
        return y_reports;
    if (evidence[a].join.rule != evidence[b].join.rule)
        return evidence[a].join.rule < evidence[b].join.rule;
    /* ... stronger rule, then the earlier span. */
    uint64_t x_ns = resolve->trace->spans[x->consumer].start_ns;
    uint64_t y_ns = resolve->trace->spans[y->consumer].start_ns;
    return x_ns != y_ns ? x_ns < y_ns : x->consumer < y->consumer;
}

/* A trace has one id: of all that could become parents one does, and the others link. */
static void settle(struct resolve *resolve)
{
    uint32_t best = NO_EVIDENCE;
    uint32_t count = resolve->trace->evidence_count;
    for (uint32_t i = 0; i < count; i++) {
        if (resolve->outcomes[i].action == REPAIR_ACTION_PARENT &&
            (best == NO_EVIDENCE || is_better(resolve, i, best)))
            best = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct repair_outcome *outcome = &resolve->outcomes[i];
        if (outcome->action != REPAIR_ACTION_PARENT)
            continue;
        outcome->link_too = i == best && resolve->trace->evidence[i].mode == REPAIR_BOTH;
        if (i == best)
            continue;
        bool same = outcome->target == resolve->outcomes[best].target &&
                    same_hop(join_of(resolve, i), join_of(resolve, best));
        outcome->action = same ? REPAIR_ACTION_NONE : REPAIR_ACTION_LINK;
        outcome->target = outcome->consumer;
    }
}

static enum sb_err prepare(struct repair_scratch *scratch, const struct repair_trace *trace)
{
    enum sb_err err = family_build(&scratch->family, trace->spans, trace->span_count);
    if (err != SB_OK)
        return err;
    if (trace->span_count > scratch->note_room) {
        /* As large as the family's arrays, so that both grow in the same steps. */
        struct note *notes =
            memory_realloc(scratch->notes, scratch->family.room, sizeof(*notes));
        if (notes == NULL)
            return SB_ERR_MEMORY;
        scratch->notes = notes;
        scratch->note_room = scratch->family.room;
    }
    for (uint32_t i = 0; i < trace->span_count; i++)
        scratch->notes[i] = (struct note){.first_send_ns = UINT64_MAX,
                                          .lead = NO_EVIDENCE,
                                          .above = NO_SPAN,
                                          .hop = NO_EVIDENCE};
    return SB_OK;
}

enum sb_err repair_resolve(struct repair_scratch *scratch, const struct repair_trace *trace,
                           struct repair_outcome *ret)
{
    enum sb_err err = prepare(scratch, trace);
    if (err != SB_OK)
        return err;
    struct resolve resolve = {
        .trace = trace, .family = &scratch->family, .notes = scratch->notes, .outcomes = ret};
    find_leads(&resolve);
    find_rivals(&resolve);
    look_down(&resolve);
    look_up(&resolve);
    count_hops(&resolve);
    for (uint32_t i = 0; i < trace->evidence_count; i++)
        choose(&resolve, i);
    settle(&resolve);
    return SB_OK;
}

bool repair_resolve_root(const struct repair_span *consumer,
                         const struct repair_evidence *evidence, struct repair_outcome *ret)
{
    const struct repair_join *join = &evidence->join;
    if (!may_act(evidence) || consumer->role != REPAIR_ROLE_PROCESS ||
        !span_id_is_zero(consumer->parent_id) || consumer->batch_count > 1 ||
        consumer->link_count > 1 ||
        trace_id_equal(join->producer.trace_id, join->consumer.trace_id))
        return false;
    bool merges = may_merge(evidence);
    *ret = (struct repair_outcome){
        .action = merges ? REPAIR_ACTION_PARENT : REPAIR_ACTION_LINK,
        .link_too = merges && evidence->mode == REPAIR_BOTH,
        .link_exists = join->rule == REPAIR_RULE_LINK,
    };
    return true;
}
