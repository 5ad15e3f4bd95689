#include "verdict.h"

#include <inttypes.h>
#include <string.h>

#include "pieces.h"
#include "tree.h"

static void check_spans(const struct shop_checkout *checkout, const struct seen_list *after,
                        struct text *problems)
{
    for (uint32_t i = 0; i < checkout->span_count; i++)
        if (seen_list_find(after, checkout->spans[i].span_id) == NULL)
            text_printf(problems, "the span \"%s\" of %s did not come out\n",
                        checkout->spans[i].name,
                        shop_service_names[checkout->spans[i].service]);
}

/* Producer, queue, consumer; and the consumer's span says by which rule. */
static void check_hop(const struct shop_checkout *checkout, uint32_t number,
                      const struct seen_list *after, struct text *problems)
{
    const struct shop_hop *hop = &checkout->hops[number];
    const char *topic = shop_topic_names[number];
    const char *rule = shop_rule_name(hop->evidence);
    const struct seen_span *process =
        seen_list_find(after, checkout->spans[hop->process].span_id);
    if (process == NULL)
        return;
    if (strcmp(process->rule, rule) != 0 || strcmp(process->action, "parent") != 0) {
        text_printf(problems, "the hop over %s was to be joined by %s, not by \"%s\" (%s)\n",
                    topic, rule, process->rule, process->action);
        return;
    }
    const struct seen_span *queue = seen_list_find(after, process->parent_id);
    if (queue == NULL || !queue->synthetic ||
        !span_id_equal(queue->parent_id, checkout->spans[hop->send].span_id))
        text_printf(problems, "the hop over %s has no queue span between its sides\n", topic);
}

/* The piece behind a hop that no rule is for: as it was, and nobody's child. */
static void check_apart(const struct shop_checkout *checkout, uint32_t number,
                        const struct seen_list *after, struct text *problems)
{
    const struct seen_span *process =
        seen_list_find(after, checkout->spans[checkout->hops[number].process].span_id);
    if (process != NULL && (process->rule[0] != '\0' || !span_id_is_zero(process->parent_id) ||
                            !trace_id_equal(process->trace_id, checkout->trace_id[number + 1])))
        text_printf(problems, "%s was to stay apart, and was joined over %s by \"%s\"\n",
                    shop_service_names[shop_reader(checkout, number)], shop_topic_names[number],
                    process->rule);
}

bool verdict_on_trace(const struct shop_checkout *checkout, const struct seen_list *after,
                      struct text *problems)
{
    static struct seen_list mended; /* large; one thread judges */
    struct tree tree;
    size_t before = problems->len;
    pieces_take_mended(checkout, after, &mended);
    if (mended.count == 0) {
        text_append_text(problems, "the shown trace did not come out\n");
        return false;
    }
    tree_build(&mended, &tree);
    if (!tree_is_one(&tree))
        text_printf(problems,
                    "the shown trace is not one tree: %" PRIu32 " trace ids, %" PRIu32
                    " roots, %" PRIu32 " spans without their parent\n",
                    tree.traces, tree.roots, tree.orphans);
    else if (!trace_id_equal(mended.spans[0].trace_id, checkout->trace_id[0]))
        text_append_text(problems, "the shown trace has not the id that it began with\n");
    check_spans(checkout, after, problems);
    for (uint32_t hop = 0; hop < checkout->hop_count; hop++) {
        if (checkout->hops[hop].evidence == SHOP_NOTHING)
            check_apart(checkout, hop, after, problems);
        else
            check_hop(checkout, hop, &mended, problems);
    }
    return problems->len == before;
}

bool verdict_on_totals(const struct traffic_totals *sent, const struct totals *totals,
                       struct text *problems)
{
    size_t before = problems->len;
    if (totals->read_spans > sent->spans)
        text_printf(problems, "%" PRIu64 " spans were sent, but %" PRIu64 " read\n",
                    sent->spans, totals->read_spans);
    if (totals->balance != 0)
        text_printf(problems, "the accounting is open by %" PRId64 " spans\n", totals->balance);
    if (totals->held != 0)
        text_printf(problems, "%" PRIu64 " spans are still undecided\n", totals->held);
    return problems->len == before;
}

bool verdict_on_all(const struct traffic_totals *sent, const struct totals *totals,
                    struct text *problems)
{
    size_t before = problems->len;
    if (totals->read_spans < sent->spans)
        text_printf(problems, "%" PRIu64 " spans were sent, but only %" PRIu64 " read\n",
                    sent->spans, totals->read_spans);
    for (uint32_t i = 0; i < SHOP_RULES; i++)
        if (totals->parents[i] != sent->hops[i])
            text_printf(problems, "%s was to join %" PRIu64 " hops, and joined %" PRIu64 "\n",
                        shop_rule_name((enum shop_evidence)i), sent->hops[i],
                        totals->parents[i]);
    return problems->len == before;
}
