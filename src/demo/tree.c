#include "tree.h"

#include <string.h>

#include "core/assert.h"

_Static_assert(SEEN_SPANS_MAX <= 64, "a bit of `open` for each level");

/* A span being shown: its place, and whether its siblings are done. */
struct step {
    uint32_t span;
    uint16_t depth;
    uint64_t open;
};

static bool is_child(const struct seen_list *list, uint32_t child, uint32_t parent)
{
    const struct seen_span *spans = list->spans;
    return child != parent && !span_id_is_zero(spans[child].parent_id) &&
           span_id_equal(spans[child].parent_id, spans[parent].span_id) &&
           trace_id_equal(spans[child].trace_id, spans[parent].trace_id);
}

static bool has_parent_here(const struct seen_list *list, uint32_t span)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (is_child(list, span, i))
            return true;
    return false;
}

/* Indices by start, then by their order of arrival. */
static void sort_by_start(const struct seen_list *list, uint32_t *order)
{
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t at = i;
        while (at > 0 && list->spans[order[at - 1]].start_ns > list->spans[i].start_ns) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

/* Puts the children of a row on the stack, the last one first. */
static uint32_t push_children(const struct seen_list *list, const uint32_t *order,
                              const struct step *parent, struct step *stack, uint32_t height)
{
    bool later = false;
    for (uint32_t i = list->count; i-- > 0;) {
        if (!is_child(list, order[i], parent->span))
            continue;
        uint16_t depth = (uint16_t)(parent->depth + 1);
        SB_ASSERT(height < SEEN_SPANS_MAX && depth < SEEN_SPANS_MAX);
        uint64_t open = parent->open | (later ? UINT64_C(1) << depth : 0);
        stack[height++] = (struct step){order[i], depth, open};
        later = true;
    }
    return height;
}

static uint32_t count_traces(const struct seen_list *list)
{
    uint32_t traces = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        bool known = false;
        for (uint32_t j = 0; j < i && !known; j++)
            known = trace_id_equal(list->spans[i].trace_id, list->spans[j].trace_id);
        traces += !known;
    }
    return traces;
}

void tree_build(const struct seen_list *list, struct tree *ret)
{
    uint32_t order[SEEN_SPANS_MAX];
    struct step stack[SEEN_SPANS_MAX];
    memset(ret, 0, sizeof(*ret));
    sort_by_start(list, order);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct seen_span *span = &list->spans[order[i]];
        if (has_parent_here(list, order[i]))
            continue;
        bool root = span_id_is_zero(span->parent_id);
        ret->roots += root;
        ret->orphans += !root;
        uint32_t height = 1;
        stack[0] = (struct step){.span = order[i]};
        while (height > 0) {
            struct step step = stack[--height];
            ret->rows[ret->count++] =
                (struct tree_row){&list->spans[step.span], step.depth, step.open};
            height = push_children(list, order, &step, stack, height);
        }
    }
    ret->traces = count_traces(list);
    ret->lost = list->count - ret->count;
}

bool tree_is_one(const struct tree *tree)
{
    return tree->traces == 1 && tree->roots == 1 && tree->orphans == 0 && tree->lost == 0;
}
