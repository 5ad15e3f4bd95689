#include "slots.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core/memory.h"

enum { FIRST_ROOM = 16 };

struct slots_block {
    struct slots_block *older;
    uint32_t room;
    void *_Atomic items[];
};

void slots_init(struct slots *slots)
{
    atomic_init(&slots->block, NULL);
}

void slots_clear(struct slots *slots)
{
    struct slots_block *block = atomic_load(&slots->block);
    while (block != NULL) {
        struct slots_block *older = block->older;
        memory_free(block);
        block = older;
    }
    slots_init(slots);
}

/* A larger copy; the old block stays behind it for readers that have it in hand. */
static struct slots_block *grow(struct slots *slots, struct slots_block *old, uint32_t index)
{
    uint32_t room = old == NULL ? FIRST_ROOM : old->room;
    while (room <= index && room < UINT32_MAX / 2)
        room *= 2;
    if (room <= index)
        return NULL;
    struct slots_block *block =
        memory_zalloc(1, sizeof(*block) + (size_t)room * sizeof(block->items[0]));
    if (block == NULL)
        return NULL;
    block->older = old;
    block->room = room;
    for (uint32_t i = 0; old != NULL && i < old->room; i++)
        atomic_init(&block->items[i],
                    atomic_load_explicit(&old->items[i], memory_order_relaxed));
    atomic_store_explicit(&slots->block, block, memory_order_release);
    return block;
}

enum sb_err slots_set(struct slots *slots, uint32_t index, void *item)
{
    struct slots_block *block = atomic_load_explicit(&slots->block, memory_order_relaxed);
    if (block == NULL || index >= block->room)
        block = grow(slots, block, index);
    if (block == NULL)
        return SB_ERR_MEMORY;
    atomic_store_explicit(&block->items[index], item, memory_order_release);
    return SB_OK;
}

void *slots_get(const struct slots *slots, uint32_t index)
{
    struct slots_block *block = atomic_load_explicit(&slots->block, memory_order_acquire);
    if (block == NULL || index >= block->room)
        return NULL;
    return atomic_load_explicit(&block->items[index], memory_order_acquire);
}
