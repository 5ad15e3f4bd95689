/*
 * plan: what is to become of the traces of one tree, before anything is written.
 *
 * The tree is walked from its root down.  Each trace is resolved by itself (repair/resolve.h):
 * either it merges into the trace above, and shares its root's verdict and id, or it does
 * not, and is a root of its own with what hangs under it.
 */
#include "core/assert.h"
#include "core/memory.h"
#include "state.h"

static enum sb_err grow(void **array, uint32_t *room, uint32_t need, size_t size)
{
    if (need <= *room)
        return SB_OK;
    uint32_t more = *room == 0 ? 16 : *room;
    while (more < need)
        more *= 2;
    void *grown = memory_realloc(*array, more, size);
    if (grown == NULL)
        return SB_ERR_MEMORY;
    *array = grown;
    *room = more;
    return SB_OK;
}

void plans_clear(struct plans *plans)
{
    memory_free(plans->plans);
    memory_free(plans->patches);
    memory_free(plans->spans);
    memory_free(plans->links_added);
    memory_free(plans->evidence);
    memory_free(plans->evidence_items);
    memory_free(plans->outcomes);
    repair_scratch_free(plans->scratch);
}

static enum sb_err add_plan(struct worker *worker, window_trace trace, uint32_t parent)
{
    struct plans *plans = &worker->plans;
    enum sb_err err =
        grow((void **)&plans->plans, &plans->room, plans->count + 1, sizeof(*plans->plans));
    if (err != SB_OK)
        return err;
    plans->plans[plans->count] = (struct plan){
        .trace = trace,
        .parent = parent,
        .root = plans->count,
        .canonical = window_trace_id(worker->window, trace),
        .next = PLAN_NONE,
        .last = plans->count,
        .spans = window_span_count(worker->window, trace),
        .bytes = traces_state(&worker->traces, trace)->facts.bytes,
    };
    plans->count++;
    return SB_OK;
}

/* Parents come before their members. */
static enum sb_err list_tree(struct worker *worker, window_trace root)
{
    struct plans *plans = &worker->plans;
    plans->count = 0;
    plans->patch_count = 0;
    enum sb_err err = add_plan(worker, root, PLAN_NONE);
    for (uint32_t i = 0; err == SB_OK && i < plans->count; i++) {
        const struct trace_extra *extra = traces_extra(&worker->traces, plans->plans[i].trace);
        window_trace member = extra == NULL ? WINDOW_NONE : extra->first_member;
        while (err == SB_OK && member != WINDOW_NONE) {
            err = add_plan(worker, member, i);
            member = traces_extra(&worker->traces, member)->next_member;
        }
    }
    return err;
}

enum sb_err plan_list_spans(struct worker *worker, window_trace trace, uint32_t *ret_count)
{
    struct plans *plans = &worker->plans;
    uint32_t count = window_span_count(worker->window, trace);
    enum sb_err err =
        grow((void **)&plans->spans, &plans->span_room, count, sizeof(*plans->spans));
    if (err != SB_OK)
        return err;
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    for (uint32_t i = 0; window_walk_next(worker->window, trace, &walk, &span); i++) {
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        plans->spans[i] = (struct repair_span){
            .span_id = span_id_load(scanned.span_id),
            .start_ns = scanned.start_ns,
            .end_ns = scanned.end_ns,
            .service = envelopes_at(&worker->envelopes, span.envelope)->service,
            .flags = scanned.flags,
            .kind = scanned.kind,
        };
        if (scanned.parent_id != NULL)
            plans->spans[i].parent_id = span_id_load(scanned.parent_id);
        struct repair_context linked;
        if (scanned.link_count > 0)
            plans->spans[i].link_count = span_foreign_links(&scanned, &linked);
    }
    *ret_count = count;
    return SB_OK;
}

/*
 * Roles and batch sizes, from the sides that were noted on arrival.  They stand in the order
 * of their spans, the youngest first, so one walk finds all of them.
 */
static void add_sides(struct worker *worker, window_trace trace, uint32_t count)
{
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    const struct side_item *item = traces_side(&worker->traces, extra->first_side);
    for (uint32_t i = count; i-- > 0 && item != NULL;) {
        struct repair_span *span = &worker->plans.spans[i];
        if (!span_id_equal(item->side.span_id, span->span_id))
            continue;
        span->role = item->side.role;
        span->batch_count = item->side.batch_count;
        item = traces_side(&worker->traces, item->next);
    }
}

/* Does the context belong to the producer of another destination?  Then it was forwarded. */
static bool was_forwarded(const struct worker *worker, window_trace producer,
                          window_trace consumer, const struct evidence_item *item)
{
    if (item->join.rule != REPAIR_RULE_HEADER_AT_COORDINATE)
        return false;
    const struct hop_side *sent =
        traces_find_side(&worker->traces, producer, item->join.producer.span_id);
    const struct hop_side *taken =
        traces_find_side(&worker->traces, consumer, item->join.consumer.span_id);
    return sent != NULL && taken != NULL && !sent->consumer &&
           sent->destination != taken->destination;
}

/* Verdicts are remembered without their tenant: where tenants matter, a link must do. */
static enum repair_producer_state decided_state(const struct worker *worker, bool keep)
{
    bool may_merge = keep && worker->options->tenant_key == OTLP_KEY_NONE;
    return may_merge ? REPAIR_PRODUCER_KEPT : REPAIR_PRODUCER_DROPPED;
}

/* Another instance may have the trace that is not here, and decide it by itself. */
static bool unseen_merges(const struct worker *worker, enum worker_unseen unseen)
{
    return unseen == WORKER_UNSEEN_MERGE ||
           (unseen == WORKER_UNSEEN_MERGE_IF_ALONE &&
            sources_share(worker->options->sources) == SOURCE_SHARE_ALL);
}

/* Nobody knows the tenant of a trace that was never seen either. */
static enum repair_producer_state unseen_state(const struct worker *worker,
                                               const struct evidence_item *item)
{
    const struct worker_repair *repair =
        destinations_repair(&worker->destinations, item->settings);
    bool may_merge =
        worker->options->tenant_key == OTLP_KEY_NONE && unseen_merges(worker, repair->unseen);
    return may_merge ? REPAIR_PRODUCER_UNSEEN : REPAIR_PRODUCER_UNSEEN_LINK;
}

static enum repair_producer_state producer_state(const struct worker *worker,
                                                 const struct plan *plan,
                                                 const struct evidence_item *item)
{
    if (item->cycle)
        return REPAIR_PRODUCER_UNSEEN_LINK;
    if (item->decided)
        return decided_state(worker, item->decided_keep);
    if (plan->parent == PLAN_NONE)
        return REPAIR_PRODUCER_OPEN; /* by link or report: the state does not matter */
    window_trace above = worker->plans.plans[plan->parent].trace;
    if (!trace_id_equal(window_trace_id(worker->window, above), item->join.producer.trace_id))
        return REPAIR_PRODUCER_UNSEEN_LINK;
    const struct trace_extra *extra = traces_extra(&worker->traces, above);
    if (extra != NULL && extra->decided)
        return decided_state(worker, extra->decided_keep);
    if (window_span_count(worker->window, above) == 0)
        return unseen_state(worker, item);
    if (traces_state(&worker->traces, above)->tenant !=
        traces_state(&worker->traces, plan->trace)->tenant)
        return REPAIR_PRODUCER_UNSEEN_LINK; /* a merge never crosses tenants */
    return was_forwarded(worker, above, plan->trace, item) ? REPAIR_PRODUCER_FORWARDED
                                                           : REPAIR_PRODUCER_OPEN;
}

static enum sb_err list_evidence(struct worker *worker, const struct plan *plan,
                                 uint32_t *ret_count)
{
    struct plans *plans = &worker->plans;
    const struct trace_extra *extra = traces_extra(&worker->traces, plan->trace);
    uint32_t count = 0;
    for (uint32_t at = extra->first_evidence; at != POOL_NONE; count++)
        at = traces_evidence(&worker->traces, at)->next;
    uint32_t room[2] = {plans->evidence_room, plans->evidence_room};
    enum sb_err err =
        grow((void **)&plans->evidence, &room[0], count, sizeof(*plans->evidence));
    if (err == SB_OK)
        err = grow((void **)&plans->evidence_items, &room[1], count,
                   sizeof(*plans->evidence_items));
    if (err == SB_OK)
        err = grow((void **)&plans->outcomes, &plans->evidence_room, count,
                   sizeof(*plans->outcomes));
    if (err != SB_OK)
        return err;
    uint32_t i = 0;
    for (uint32_t at = extra->first_evidence; at != POOL_NONE; i++) {
        struct evidence_item *item = traces_evidence(&worker->traces, at);
        plans->evidence_items[i] = item;
        plans->evidence[i] = (struct repair_evidence){
            .join = item->join,
            .producer_state = producer_state(worker, plan, item),
            .mode = destinations_repair(&worker->destinations, item->settings)->mode,
        };
        at = item->next;
    }
    *ret_count = count;
    return SB_OK;
}

static enum sb_err add_patch(struct plans *plans, struct plan *plan,
                             const struct span_patch *patch)
{
    enum sb_err err = grow((void **)&plans->patches, &plans->patch_room, plans->patch_count + 1,
                           sizeof(*plans->patches));
    if (err != SB_OK)
        return err;
    if (plan->patch_count == 0)
        plan->first_patch = plans->patch_count;
    plans->patches[plans->patch_count++] = *patch;
    plan->patch_count++;
    return SB_OK;
}

/* Would the merged trace stay within the per-trace caps? */
static bool fits_caps(const struct worker *worker, const struct plan *plan, uint32_t root)
{
    const struct worker_options *options = worker->options;
    const struct plan *into = &worker->plans.plans[root];
    return into->spans + plan->spans <= options->spans_per_trace_max &&
           into->bytes + plan->bytes <= options->bytes_per_trace_max;
}

/* The plan shares the verdict of that root.  Its own members are resolved after it. */
static void join_root(struct plans *plans, struct plan *plan, uint32_t root)
{
    struct plan *into = &plans->plans[root];
    uint32_t number = (uint32_t)(plan - plans->plans);
    plan->root = root;
    plans->plans[into->last].next = number;
    into->last = number;
    into->spans += plan->spans;
    into->bytes += plan->bytes;
}

/* The trace takes the id of the producer's: the one above it, or one decided before. */
static void merge(struct worker *worker, struct plan *plan, const struct evidence_item *item,
                  enum repair_producer_state state)
{
    const struct trace_extra *above =
        plan->parent == PLAN_NONE
            ? NULL
            : traces_extra(&worker->traces, worker->plans.plans[plan->parent].trace);
    plan->merged = true;
    if (state == REPAIR_PRODUCER_KEPT) {
        plan->forced = true;
        plan->canonical = item->decided ? item->target : item->join.producer.trace_id;
        plan->forced_policy =
            item->decided || above == NULL ? item->decided_policy : above->decided_policy;
        return;
    }
    const struct plan *parent = &worker->plans.plans[plan->parent];
    join_root(&worker->plans, plan, parent->root);
    plan->canonical = parent->canonical;
    plan->forced = parent->forced;
    plan->forced_policy = parent->forced_policy;
}

/* The producer's span, where its trace is in the window; else NULL. */
static const struct hop_side *producer_of(const struct worker *worker, const struct plan *plan,
                                          struct span_id id)
{
    if (plan->parent == PLAN_NONE)
        return NULL;
    return traces_find_side(&worker->traces, worker->plans.plans[plan->parent].trace, id);
}

/* When the message entered the queue, by this evidence, or by other of its hop; 0: unknown. */
static uint64_t recorded_ns(const struct worker *worker, const struct plan *plan,
                            const struct evidence_item *item)
{
    const struct trace_extra *extra = traces_extra(&worker->traces, plan->trace);
    if (item->join.queued_ns != 0)
        return item->join.queued_ns;
    for (uint32_t at = extra->first_evidence; at != POOL_NONE;) {
        const struct evidence_item *other = traces_evidence(&worker->traces, at);
        if (other->join.queued_ns != 0 &&
            span_id_equal(other->join.consumer.span_id, item->join.consumer.span_id))
            return other->join.queued_ns;
        at = other->next;
    }
    return 0;
}

/*
 * When the message entered the queue; the producer's end where nothing else tells.  Brokers write
 * down whole milliseconds, and a record is no older than the span that sent it: the trace would
 * seem to begin with its queue.
 */
static uint64_t queued_ns(const struct worker *worker, const struct plan *plan,
                          const struct evidence_item *item)
{
    uint64_t recorded = recorded_ns(worker, plan, item);
    const struct hop_side *producer = producer_of(worker, plan, item->join.producer.span_id);
    if (producer == NULL)
        return recorded;
    if (recorded == 0)
        return producer->end_ns;
    bool cut = producer->start_ns > recorded && producer->start_ns - recorded < NS_PER_MS;
    return cut ? producer->start_ns : recorded;
}

/* True: the consumer's span has as many links of ours as it may have. */
static bool has_enough_links(struct worker *worker, const struct evidence_item *item,
                             uint32_t consumer)
{
    uint32_t most = destinations_repair(&worker->destinations, item->settings)->links_max;
    uint32_t *added = &worker->plans.links_added[consumer];
    if (*added >= most)
        return true;
    (*added)++;
    return false;
}

static enum sb_err apply(struct worker *worker, struct plan *plan, uint32_t number)
{
    struct plans *plans = &worker->plans;
    const struct repair_outcome *outcome = &plans->outcomes[number];
    struct evidence_item *item = plans->evidence_items[number];
    const struct repair_evidence *evidence = &plans->evidence[number];
    item->counts = outcome->action != REPAIR_ACTION_NONE;
    item->left_out = false;
    item->result = WORKER_REPAIR_AMBIGUOUS;
    if (outcome->action == REPAIR_ACTION_AMBIGUOUS)
        return SB_OK;
    if (outcome->action == REPAIR_ACTION_NONE)
        return SB_OK;
    uint32_t above = plan->parent == PLAN_NONE ? PLAN_NONE : plans->plans[plan->parent].root;
    bool as_parent =
        outcome->action == REPAIR_ACTION_PARENT &&
        (evidence->mode == REPAIR_REPORT || evidence->producer_state == REPAIR_PRODUCER_KEPT ||
         (above != PLAN_NONE && fits_caps(worker, plan, above)));
    item->result = as_parent ? WORKER_REPAIRED_PARENT : WORKER_REPAIRED_LINK;
    if (evidence->mode == REPAIR_REPORT)
        return SB_OK; /* counted as mode auto would act, were the producer's trace at hand */
    struct span_patch consumer = {
        .span = outcome->consumer,
        .evidence = item,
        .is_consumer = true,
        .joined = as_parent,
        .queued_ns = plan->is_unplaced ? 0 : queued_ns(worker, plan, item),
        .adds_link = (!as_parent || outcome->link_too) && !outcome->link_exists,
    };
    item->left_out = consumer.adds_link && has_enough_links(worker, item, outcome->consumer);
    if (item->left_out) {
        consumer.adds_link = false;
        item->counts = as_parent;
    }
    if (as_parent)
        merge(worker, plan, item, evidence->producer_state);
    if (!as_parent || outcome->target == outcome->consumer) {
        consumer.takes_parent = as_parent;
        return add_patch(plans, plan, &consumer);
    }
    struct span_patch target = {
        .span = outcome->target,
        .evidence = item,
        .takes_parent = true,
        .queued_ns = consumer.queued_ns,
    };
    enum sb_err err = add_patch(plans, plan, &target);
    return err == SB_OK ? add_patch(plans, plan, &consumer) : err;
}

/* A span that was delivered twice is patched twice: backends keep either of the two. */
static enum sb_err patch_copies(struct plans *plans, struct plan *plan, uint32_t span_count)
{
    uint32_t end = plan->first_patch + plan->patch_count;
    for (uint32_t i = plan->first_patch; i < end; i++) {
        struct span_patch copy = plans->patches[i];
        struct span_id id = plans->spans[copy.span].span_id;
        copy.joined = false; /* one queue span is enough */
        for (copy.span++; copy.span < span_count; copy.span++) {
            if (!span_id_equal(plans->spans[copy.span].span_id, id))
                continue;
            enum sb_err err = add_patch(plans, plan, &copy);
            if (err != SB_OK)
                return err;
        }
    }
    return SB_OK;
}

/* From everything that is known of the trace, its spans included; the evidence is listed. */
static enum sb_err resolve_wholly(struct worker *worker, struct plan *plan, uint32_t evidence)
{
    struct plans *plans = &worker->plans;
    struct repair_trace trace = {.evidence_count = evidence};
    enum sb_err err = plan_list_spans(worker, plan->trace, &trace.span_count);
    if (err == SB_OK)
        err = grow((void **)&plans->links_added, &plans->links_room, trace.span_count,
                   sizeof(*plans->links_added));
    if (err != SB_OK || trace.span_count == 0)
        return err;
    memset(plans->links_added, 0, trace.span_count * sizeof(*plans->links_added));
    add_sides(worker, plan->trace, trace.span_count);
    trace.spans = plans->spans;
    trace.evidence = plans->evidence;
    err = repair_resolve(plans->scratch, &trace, plans->outcomes);
    for (uint32_t i = 0; err == SB_OK && i < trace.evidence_count; i++)
        err = apply(worker, plan, i);
    return err == SB_OK ? patch_copies(plans, plan, trace.span_count) : err;
}

/*
 * The side that the evidence is about, or NULL: it is not here, or was delivered twice, and its
 * copies may differ.
 */
static const struct hop_side *find_only_consumer(const struct worker *worker,
                                                 const struct trace_extra *extra,
                                                 const struct evidence_item *item)
{
    const struct side_item *found = NULL;
    for (uint32_t at = extra->first_side; at != POOL_NONE;) {
        const struct side_item *side = traces_side(&worker->traces, at);
        if (span_id_equal(side->side.span_id, item->join.consumer.span_id)) {
            if (found != NULL)
                return NULL;
            found = side;
        }
        at = side->next;
    }
    return found == NULL ? NULL : &found->side;
}

/*
 * From that side and the one piece of evidence alone, without a look at a span; *ret_done: it was
 * enough.
 */
static enum sb_err resolve_by_side(struct worker *worker, struct plan *plan,
                                   const struct hop_side *side, bool *ret_done)
{
    struct plans *plans = &worker->plans;
    const struct repair_span consumer = {
        .parent_id = side->parent_id,
        .batch_count = side->batch_count,
        .link_count = side->has_links ? 2 : side->has_link,
        .role = side->role,
    };
    enum sb_err err =
        grow((void **)&plans->links_added, &plans->links_room, 1, sizeof(*plans->links_added));
    if (err != SB_OK)
        return err;
    *ret_done = repair_resolve_root(&consumer, &plans->evidence[0], &plans->outcomes[0]);
    if (!*ret_done)
        return SB_OK;
    plans->links_added[0] = 0;
    plan->is_unplaced = true;
    err = apply(worker, plan, 0);
    plan->is_unplaced = plan->patch_count > 0;
    return err;
}

static enum sb_err resolve(struct worker *worker, uint32_t number)
{
    struct plan *plan = &worker->plans.plans[number];
    const struct trace_extra *extra = traces_extra(&worker->traces, plan->trace);
    if (extra == NULL || extra->first_evidence == POOL_NONE)
        return SB_OK;
    uint32_t evidence;
    enum sb_err err = list_evidence(worker, plan, &evidence);
    if (err != SB_OK)
        return err;
    const struct hop_side *side = NULL;
    if (evidence == 1)
        side = find_only_consumer(worker, extra, worker->plans.evidence_items[0]);
    bool done = false;
    if (side != NULL)
        err = resolve_by_side(worker, plan, side, &done);
    return err != SB_OK || done ? err : resolve_wholly(worker, plan, evidence);
}

static enum sb_err place(struct worker *worker, struct plan *plan)
{
    struct plans *plans = &worker->plans;
    struct span_patch patch = plans->patches[plan->first_patch];
    struct span_id consumer = patch.evidence->join.consumer.span_id;
    uint32_t count;
    enum sb_err err = plan_list_spans(worker, plan->trace, &count);
    if (err != SB_OK)
        return err;
    patch.span = 0;
    while (patch.span < count && !span_id_equal(plans->spans[patch.span].span_id, consumer))
        patch.span++;
    SB_ASSERT(patch.span < count); /* where a side is, its span is */
    patch.queued_ns = queued_ns(worker, plan, patch.evidence);
    plan->patch_count = 0;
    err = add_patch(plans, plan, &patch);
    plan->is_unplaced = false;
    return err == SB_OK ? patch_copies(plans, plan, count) : err;
}

bool plan_leaves(const struct worker *worker, const struct plan *plan)
{
    return verdict_leaves(worker, worker->plans.plans[plan->root].decided);
}

enum sb_err plan_place_patches(struct worker *worker)
{
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < worker->plans.count; i++) {
        struct plan *plan = &worker->plans.plans[i];
        if (plan->is_unplaced && plan_leaves(worker, plan))
            err = place(worker, plan);
    }
    return err;
}

enum sb_err plan_tree(struct worker *worker, window_trace root)
{
    enum sb_err err = list_tree(worker, root);
    for (uint32_t i = 0; err == SB_OK && i < worker->plans.count; i++)
        err = resolve(worker, i);
    return err;
}

void plan_count_repairs(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->plans.count; i++) {
        const struct trace_extra *extra =
            traces_extra(&worker->traces, worker->plans.plans[i].trace);
        for (uint32_t at = extra == NULL ? POOL_NONE : extra->first_evidence;
             at != POOL_NONE;) {
            const struct evidence_item *item = traces_evidence(&worker->traces, at);
            worker->counters.links_left_out += item->left_out;
            if (item->counts)
                worker->counters.repairs[item->join.rule][item->result]++;
            at = item->next;
        }
    }
}
