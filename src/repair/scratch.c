#include "scratch.h"

#include "core/hash.h"
#include "core/memory.h"

enum sb_err repair_scratch_new(struct repair_scratch **ret)
{
    struct repair_scratch *scratch = memory_zalloc(1, sizeof(*scratch));
    if (scratch == NULL)
        return SB_ERR_MEMORY;
    /* Where ids lie in the index shows in no result, so results do not depend on the seed. */
    scratch->family.seed = hash_random_seed();
    *ret = scratch;
    return SB_OK;
}

void repair_scratch_free(struct repair_scratch *scratch)
{
    if (scratch == NULL)
        return;
    family_clear(&scratch->family);
    memory_free(scratch->notes);
    memory_free(scratch);
}
