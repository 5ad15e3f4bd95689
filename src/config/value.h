/*
 * value: one value of a file, made what its key wants, or reported.
 */
#ifndef SB_CONFIG_VALUE_H
#define SB_CONFIG_VALUE_H

#include "loader.h"

enum raw_type { RAW_TEXT, RAW_INTEGER, RAW_REAL, RAW_SWITCH, RAW_GROUP, RAW_LIST };

/* A value as libconfig has it, its variables expanded. */
struct raw {
    enum raw_type type;
    const char *text; /* TEXT */
    int64_t integer;
    double real;
    bool on;
    bool lenient; /* TEXT from a variable or the command line: numbers may be text */
};

/* Where a value goes and what to call it. */
struct target {
    struct loader *loader;
    const struct schema_key *key;
    const char *path; /* for messages: "sinks[0].batch.spans" */
    void *base;       /* the struct that the key's offset is in */
    struct place at;
    const char *beside; /* the file, for relative paths */
    bool secret;
};

/* All types but TEXTS, STATUSES and LIST.  False: reported, the field is unchanged. */
bool value_set(const struct target *target, const struct raw *raw);

/* NAME_ms of a duration. */
bool value_set_milliseconds(const struct target *target, const struct raw *raw);

/* TEXTS and STATUSES; values of other types than text are reported. */
bool value_set_list(const struct target *target, const struct raw *raws,
                    const struct place *places, uint32_t count);

/* Fills in the defaults of all keys of that kind. */
void value_set_presets(struct loader *loader, const struct schema *schema, void *base,
                       unsigned kind);

#endif
