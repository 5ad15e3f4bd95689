/*
 * exposition: lines of the Prometheus text format 0.0.4.
 *
 * A family is begun once, with all its samples behind it.  Label values and help texts are
 * escaped, and bytes that are not UTF-8 become U+FFFD; names are constants of ours.
 * Source: Prometheus documentation, Exposition formats, "Text-based format".
 */
#ifndef SB_ADMIN_EXPOSITION_H
#define SB_ADMIN_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

enum exposition_type { EXPOSITION_COUNTER, EXPOSITION_GAUGE };

struct exposition_label {
    const char *name;
    const char *value;
};

void exposition_family(struct text *out, const char *name, enum exposition_type type,
                       const char *help);

/* A sample of the family; its labels tell it from the others. */
void exposition_sample(struct text *out, const char *name,
                       const struct exposition_label *labels, size_t label_count,
                       uint64_t value);
/* Gauges may be below zero. */
void exposition_signed(struct text *out, const char *name,
                       const struct exposition_label *labels, size_t label_count,
                       int64_t value);

/* A family of one sample without labels. */
void exposition_single(struct text *out, const char *name, enum exposition_type type,
                       const char *help, int64_t value);

#endif
