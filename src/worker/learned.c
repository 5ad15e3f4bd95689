#include "learned.h"

enum { PROBES = 8 };

/* A hash of 0 would look like an empty slot. */
static uint64_t name_of(uint64_t destination)
{
    return destination == 0 ? 1 : destination;
}

static uint32_t slot_of(uint64_t name, uint32_t probe)
{
    return (uint32_t)(name + probe) % LEARNED_SLOTS;
}

void learned_add(struct learned *learned, uint64_t destination)
{
    uint64_t name = name_of(destination);
    for (uint32_t i = 0; i < PROBES; i++) {
        _Atomic uint64_t *slot = &learned->slots[slot_of(name, i)];
        uint64_t found = atomic_load_explicit(slot, memory_order_relaxed);
        if (found == name)
            return;
        if (found == 0 && atomic_compare_exchange_strong_explicit(
                              slot, &found, name, memory_order_relaxed, memory_order_relaxed))
            return;
        if (found == name) /* another worker was faster */
            return;
    }
}

bool learned_has(const struct learned *learned, uint64_t destination)
{
    uint64_t name = name_of(destination);
    for (uint32_t i = 0; i < PROBES; i++) {
        uint64_t found =
            atomic_load_explicit(&learned->slots[slot_of(name, i)], memory_order_relaxed);
        if (found == name)
            return true;
        if (found == 0)
            return false;
    }
    return false;
}
