/*
 * loader: what the parts of config_load share, and the memory of a settings tree.
 */
#ifndef SB_CONFIG_LOADER_H
#define SB_CONFIG_LOADER_H

#include "config/load.h"
#include "core/arena.h"
#include "report.h"
#include "schema.h"

/* Where a field's value came from; fields not listed have their default. */
struct origin {
    const void *field;
    const char *file; /* in the arena */
    uint32_t order;   /* of that file in the report */
    uint32_t line;    /* 0: the command line */
    bool secret;      /* its value came from a secret place */
    bool failed;      /* what stands there is no value, and was reported */
};

struct settings_private {
    struct arena arena;     /* of the tree, but for this struct, settings and origins */
    struct origin *origins; /* sorted by field once loaded */
    uint32_t origin_count;
    uint32_t origin_room;
    const char *worker_file;
};

struct loader {
    const struct config_sources *sources;
    const struct config_files *files;
    struct config_report *report;
    struct settings *settings;
    struct settings_private *private;
    bool out_of_memory;
};

/* From the tree's arena; NULL sets out_of_memory. */
void *loader_alloc(struct loader *loader, size_t len);
const char *loader_text(struct loader *loader, const char *text);

void loader_set_origin(struct loader *loader, const void *field, struct place at, bool secret);

/* A field that stands in a file and could not be read: no check may miss it. */
void loader_set_failed(struct loader *loader, const void *field, struct place at, bool secret);

/* The field came from where `from` did; nothing where that has its default. */
void loader_copy_origin(struct loader *loader, const void *field, const void *from);

/* The newest origin takes the place of the one at `index`. */
void loader_merge_origin(struct loader *loader, uint32_t index);

void origins_sort(struct settings_private *private);

/* NULL: the field has its default.  `sorted` after config_load only. */
const struct origin *origin_find(const struct settings_private *private, const void *field);
const struct origin *origin_find_sorted(const struct settings_private *private,
                                        const void *field);

/* True if a file says it, and it could be read. */
bool origin_is_read(const struct settings_private *private, const void *field);

/* The field's origin as a place, else `otherwise`. */
struct place origin_place(const struct loader *loader, const void *field,
                          struct place otherwise);

#endif
