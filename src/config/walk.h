/*
 * walk: what the printers have in common: which keys a group has, and how a value is written.
 */
#ifndef SB_CONFIG_WALK_H
#define SB_CONFIG_WALK_H

#include "core/text.h"
#include "loader.h"

/* A group of some schema, in the settings tree. */
struct shown_group {
    const struct settings *settings;
    const struct schema *schema;
    const void *base;
    unsigned kind;
};

struct shown_group shown_group_of(const struct settings *settings, const struct schema *schema,
                                  const void *base);

/* False: the key is another spelling, of another kind, or of a later version. */
bool shown_key(const struct shown_group *group, const struct schema_key *key);

/* True: the field holds nothing: a text that is not set, an empty list, or no word. */
bool shown_is_unset(const struct shown_group *group, const struct schema_key *key);

/* "file:line", "default", ... */
void shown_origin(const struct shown_group *group, const struct schema_key *key,
                  struct text *out);

/* A value that is no list of groups, as libconfig or JSON writes it; secrets redacted. */
void shown_value(const struct shown_group *group, const struct schema_key *key, bool json,
                 struct text *out);

/* Elements of a list of groups: element i is at *ret_base + i * schema size. */
uint32_t shown_elements(const struct shown_group *group, const struct schema_key *key,
                        const char **ret_base);

/* Text in libconfig's quotes. */
void config_text(struct text *out, const char *in);

#endif
