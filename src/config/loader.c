#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

void *loader_alloc(struct loader *loader, size_t len)
{
    void *at = arena_alloc(&loader->private->arena, len == 0 ? 1 : len);
    if (at == NULL)
        loader->out_of_memory = true;
    else
        memset(at, 0, len);
    return at;
}

/* Never NULL, so that what follows needs no checks; the load fails in the end. */
const char *loader_text(struct loader *loader, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = loader_alloc(loader, size);
    if (copy == NULL)
        return "";
    memcpy(copy, text, size);
    return copy;
}

/* Files come in runs, so the last copy of a name mostly is the right one. */
static const char *keep_file(struct loader *loader, const char *file)
{
    struct settings_private *private = loader->private;
    if (private->origin_count > 0) {
        const char *last = private->origins[private->origin_count - 1].file;
        if (strcmp(last, file) == 0)
            return last;
    }
    return loader_text(loader, file);
}

void loader_set_origin(struct loader *loader, const void *field, struct place at, bool secret)
{
    struct settings_private *private = loader->private;
    const char *file = keep_file(loader, at.file == NULL ? "" : at.file);
    if (private->origin_count == private->origin_room) {
        uint32_t room = private->origin_room == 0 ? 128 : private->origin_room * 2;
        struct origin *origins = memory_realloc(private->origins, room, sizeof(*origins));
        if (origins == NULL) {
            loader->out_of_memory = true;
            return;
        }
        private->origins = origins;
        private->origin_room = room;
    }
    private->origins[private->origin_count++] = (struct origin){
        .field = field, .file = file, .order = at.order, .line = at.line, .secret = secret};
}

void loader_set_failed(struct loader *loader, const void *field, struct place at, bool secret)
{
    struct settings_private *private = loader->private;
    uint32_t before = private->origin_count;
    loader_set_origin(loader, field, at, secret);
    if (private->origin_count > before)
    private->origins[before].failed = true;
}

void loader_copy_origin(struct loader *loader, const void *field, const void *from)
{
    const struct origin *origin = origin_find(loader->private, from);
    if (origin == NULL)
        return;
    struct place at = {.file = origin->file, .order = origin->order, .line = origin->line};
    loader_set_origin(loader, field, at, origin->secret);
}

void loader_merge_origin(struct loader *loader, uint32_t index)
{
    struct settings_private *private = loader->private;
    if (index + 1 < private->origin_count)
    private->origins[index] = private->origins[--private->origin_count];
}

const struct origin *origin_find(const struct settings_private *private, const void *field)
{
    for (uint32_t i = private->origin_count; i > 0; i--) {
        if (private->origins[i - 1].field == field)
            return &private->origins[i - 1];
    }
    return NULL;
}

bool origin_is_read(const struct settings_private *private, const void *field)
{
    const struct origin *origin = origin_find(private, field);
    return origin != NULL && !origin->failed;
}

static int compare_origins(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)((const struct origin *)left)->field;
    uintptr_t b = (uintptr_t)((const struct origin *)right)->field;
    return a < b ? -1 : a > b;
}

void origins_sort(struct settings_private *private)
{
    if (private->origin_count > 0)
        qsort(private->origins, private->origin_count, sizeof(*private->origins),
              compare_origins);
}

const struct origin *origin_find_sorted(const struct settings_private *private,
                                        const void *field)
{
    struct origin wanted = {.field = field};
    if (private->origin_count == 0)
        return NULL;
    return bsearch(&wanted, private->origins, private->origin_count, sizeof(*private->origins),
                   compare_origins);
}

struct place origin_place(const struct loader *loader, const void *field,
                          struct place otherwise)
{
    const struct origin *origin = origin_find(loader->private, field);
    if (origin == NULL)
        return otherwise;
    return (struct place){.file = origin->file, .order = origin->order, .line = origin->line};
}
