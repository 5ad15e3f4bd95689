#include "confirms.h"

#include "core/assert.h"
#include "core/memory.h"
#include "shipment.h"

enum { ROOM_MIN = 1024, ROOM_MAX = 1 << 30 };

void confirms_init(struct confirms *confirms)
{
    *confirms = (struct confirms){.oldest = 1, .next = 1};
}

void confirms_clear(struct confirms *confirms)
{
    memory_free(confirms->places);
    confirms_init(confirms);
}

void confirms_reset(struct confirms *confirms)
{
    confirms->oldest = 1;
    confirms->next = 1;
}

static struct confirms_place *place_of(const struct confirms *confirms, uint64_t tag)
{
    return &confirms->places[tag & (confirms->room - 1)];
}

enum sb_err confirms_reserve(struct confirms *confirms)
{
    if (confirms->next - confirms->oldest < confirms->room)
        return SB_OK;
    if (confirms->room >= ROOM_MAX)
        return SB_ERR_MEMORY;
    struct confirms grown = *confirms;
    grown.room = confirms->room == 0 ? ROOM_MIN : confirms->room * 2;
    grown.places = memory_zalloc(grown.room, sizeof(*grown.places));
    if (grown.places == NULL)
        return SB_ERR_MEMORY;
    for (uint64_t tag = confirms->oldest; tag < confirms->next; tag++)
        *place_of(&grown, tag) = *place_of(confirms, tag);
    memory_free(confirms->places);
    *confirms = grown;
    return SB_OK;
}

void confirms_push(struct confirms *confirms, struct shipment_record *record)
{
    SB_ASSERT(record != NULL && confirms->next - confirms->oldest < confirms->room);
    *place_of(confirms, confirms->next) = (struct confirms_place){.record = record};
    confirms->next++;
}

static bool is_open(const struct confirms *confirms, uint64_t tag)
{
    return tag >= confirms->oldest && tag < confirms->next &&
           place_of(confirms, tag)->record != NULL;
}

bool confirms_mark_returned(struct confirms *confirms, uint64_t tag)
{
    if (!is_open(confirms, tag))
        return false;
    place_of(confirms, tag)->returned = true;
    return true;
}

static void settle_one(struct confirms *confirms, uint64_t tag, confirms_fn on_settled,
                       void *arg)
{
    if (!is_open(confirms, tag))
        return;
    struct confirms_place *place = place_of(confirms, tag);
    struct shipment_record *record = place->record;
    place->record = NULL;
    on_settled(arg, record, place->returned);
}

bool confirms_settle(struct confirms *confirms, uint64_t tag, bool multiple,
                     confirms_fn on_settled, void *arg)
{
    if (multiple && tag == 0) /* the protocol's word for all of them */
        tag = confirms->next - 1;
    if ((tag == 0 && !multiple) || tag >= confirms->next)
        return false;
    for (uint64_t at = multiple ? confirms->oldest : tag; at <= tag; at++)
        settle_one(confirms, at, on_settled, arg);
    while (confirms->oldest < confirms->next && !is_open(confirms, confirms->oldest))
        confirms->oldest++;
    return true;
}

uint64_t confirms_longest(const struct confirms *confirms)
{
    uint64_t longest = 0;
    for (uint64_t tag = confirms->oldest; tag < confirms->next; tag++)
        if (is_open(confirms, tag) && place_of(confirms, tag)->record->len > longest)
            longest = place_of(confirms, tag)->record->len;
    return longest;
}
