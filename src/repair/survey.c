#include "repair/survey.h"

#include "scratch.h"

enum { KIND_SERVER = 2 }; /* of OTLP */

struct survey {
    const struct family *family;
    const struct repair_span *spans;
    struct repair_hop *hops;
};

static bool takes_in(const struct repair_span *span)
{
    return span->role == REPAIR_ROLE_RECEIVE || span->role == REPAIR_ROLE_PROCESS;
}

static bool sends(const struct repair_span *span)
{
    return span->role == REPAIR_ROLE_CREATE || span->role == REPAIR_ROLE_SEND;
}

/* What is not named may be the same. */
static bool same_destination(const struct repair_span *a, const struct repair_span *b)
{
    return a->destination == 0 || b->destination == 0 || a->destination == b->destination;
}

/* A message that was sent on in between is another one, be it to the same destination. */
static void look_up(struct survey *survey, uint32_t span)
{
    const struct relative *self = &survey->family->relatives[span];
    struct repair_hop *hop = &survey->hops[span];
    if (self->edge != EDGE_LOCAL)
        return;
    const struct repair_span *parent = &survey->spans[self->parent];
    *hop = survey->hops[self->parent];
    if (takes_in(parent)) {
        hop->receiver = self->parent;
    } else if (sends(parent)) {
        hop->receiver = NO_SPAN;
        hop->sender = self->parent;
    }
}

/* The span that stands for what `span` takes in; spans below have been asked before. */
static void find_stand(struct survey *survey, uint32_t span)
{
    const struct repair_span *spans = survey->spans;
    struct repair_hop *hop = &survey->hops[span];
    if (!takes_in(&spans[span]) || survey->family->relatives[span].is_copy)
        return;
    if (hop->stand == NO_SPAN)
        hop->stand = span;
    if (hop->receiver == NO_SPAN || !same_destination(&spans[span], &spans[hop->receiver]))
        return;
    struct repair_hop *above = &survey->hops[hop->receiver];
    if (spans[span].destination == 0 && spans[hop->receiver].destination != 0) {
        hop->stand = hop->receiver; /* the one above says more */
        return;
    }
    above->below++;
    if (above->stand == NO_SPAN)
        above->stand = hop->stand;
}

static bool is_batch(const struct survey *survey, uint32_t span)
{
    return survey->spans[span].batch_count > 1 || survey->spans[span].link_count > 1 ||
           survey->hops[span].below > 1;
}

static bool is_intact(const struct survey *survey, uint32_t span)
{
    const struct repair_hop *hop = &survey->hops[span];
    const struct repair_span *spans = survey->spans;
    uint32_t root = survey->family->relatives[span].local_root;
    bool called = root != span && spans[root].kind == KIND_SERVER;
    if (survey->family->relatives[root].edge == EDGE_REMOTE && !called)
        return true;
    if (hop->sender != NO_SPAN && same_destination(&spans[hop->sender], &spans[span]))
        return true;
    return hop->batch && spans[span].link_count > 0;
}

enum sb_err repair_survey(struct repair_scratch *scratch, const struct repair_span *spans,
                          uint32_t count, struct repair_hop *ret)
{
    const struct family *family = &scratch->family;
    enum sb_err err = family_build(&scratch->family, spans, count);
    if (err != SB_OK)
        return err;
    struct survey survey = {.family = family, .spans = spans, .hops = ret};
    for (uint32_t i = 0; i < count; i++)
        ret[i] = (struct repair_hop){.stand = NO_SPAN, .receiver = NO_SPAN, .sender = NO_SPAN};
    for (uint32_t i = 0; i < family->ordered; i++)
        look_up(&survey, family->order[i]);
    for (uint32_t i = family->ordered; i-- > 0;)
        find_stand(&survey, family->order[i]);
    for (uint32_t i = 0; i < family->ordered; i++) {
        uint32_t span = family->order[i];
        struct repair_hop *hop = &ret[span];
        if (!takes_in(&spans[span]) || hop->stand == NO_SPAN)
            continue;
        hop->stand = ret[hop->stand].stand; /* the one above may have found one below by now */
        hop->batch =
            is_batch(&survey, span) || (hop->receiver != NO_SPAN && ret[hop->receiver].batch);
        if (hop->stand == span)
            hop->state = is_intact(&survey, span) ? REPAIR_HOP_INTACT : REPAIR_HOP_BROKEN;
    }
    return SB_OK;
}

uint32_t repair_survey_find(const struct repair_scratch *scratch, struct span_id id)
{
    return family_find(&scratch->family, id);
}
