/*
 * schema: every key of the configuration, once.
 *
 * Parsing, defaults, ranges, `check`, `config show`, `config docs` and `config init` all read
 * these tables and nothing else.  A schema describes one kind of group: the worker file, a
 * topic file, or an element of a list.  Paths inside it have dots; groups exist by having
 * keys below them.
 */
#ifndef SB_CONFIG_SCHEMA_H
#define SB_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"

enum schema_type {
    SCHEMA_TEXT,     /* const char * */
    SCHEMA_TEXTS,    /* const char *const * and a uint32_t count */
    SCHEMA_SWITCH,   /* bool */
    SCHEMA_COUNT,    /* uint32_t */
    SCHEMA_DURATION, /* uint64_t, ns; also as NAME_ms with a whole number */
    SCHEMA_SIZE,     /* uint64_t, bytes */
    SCHEMA_SIZE32,   /* uint32_t, bytes */
    SCHEMA_PERCENT,  /* double */
    SCHEMA_WORD,     /* an enum */
    SCHEMA_STATUSES, /* uint32_t: a list of words as bits 1 << value */
    SCHEMA_LIST,     /* an array of structs and a uint32_t count */
    SCHEMA_LATER     /* known to the design, not to this version */
};

enum {
    SCHEMA_REQUIRED = 1 << 0,
    SCHEMA_SECRET = 1 << 1,     /* never shown */
    SCHEMA_RELOADABLE = 1 << 2, /* may change without a restart */
    SCHEMA_SINGLE = 1 << 3,     /* TEXTS: a plain text that makes a list of one */
    SCHEMA_EMPTY = 1 << 4,      /* TEXT: "" is a value */
    SCHEMA_SAMPLE = 1 << 5,     /* `config init` writes it without comment signs */
    SCHEMA_PATH = 1 << 6,       /* TEXT: a file, relative to the one that names it */
    SCHEMA_BARE = 1 << 7,       /* TEXTS: a single one may stand without brackets */
    SCHEMA_URL = 1 << 8,        /* TEXT: shown without its password */
    SCHEMA_OUTPUT = 1 << 9      /* may be missing where nothing is to be sent anywhere */
};

/*
 * Some keys only some groups have: a group's kind is the value of one of its keys, and of two
 * keys, role and source, for topic files.  A bit for each such value, in 16 bits per key.
 */
enum { SCHEMA_AXES = 2, SCHEMA_AXIS_BITS = 16 };
#define SCHEMA_KIND(axis, value) (1U << ((axis)*SCHEMA_AXIS_BITS + (unsigned)(value)))

struct schema_word {
    const char *word;
    int value;
    bool later; /* not in this version */
};

struct schema;

struct schema_key {
    const char *path;
    enum schema_type type;
    unsigned flags;
    size_t offset;       /* of the field */
    size_t count_offset; /* TEXTS, LIST */
    size_t inherit;      /* offset in struct settings of what an unset field takes; 0: none */
    const struct schema_word *words;
    const struct schema *list; /* LIST */
    uint64_t min;              /* COUNT, DURATION, SIZE: the value; TEXTS, LIST: the count */
    uint64_t max;
    unsigned kinds;      /* SCHEMA_KIND bits of those that have it; no bit of an axis: all */
    const char *preset;  /* the default, as it would stand in a file; NULL: none */
    const char *derived; /* how the default comes about where `preset` does not tell */
    const char *sample; /* for `config init`; NULL: the preset; lists as they stand in a file */
    const char *help;
};

struct schema {
    const char *name; /* as messages and the reference call it */
    const struct schema_key *keys;
    uint32_t count;
    size_t size; /* of the struct */
    const char *help;
    const char *kind_keys[SCHEMA_AXES]; /* the WORD key of each axis of `kinds`; NULL: none */
    bool kind_mismatch_goes; /* a key of another kind of the first axis is only warned about */
};

extern const struct schema schema_worker;
extern const struct schema schema_topic;
extern const struct schema schema_sink;
extern const struct schema schema_policy;
extern const struct schema schema_property;
extern const struct schema schema_header;

/* The key with that path, or NULL. */
const struct schema_key *schema_find(const struct schema *schema, const char *path);

/* What `kinds` holds of one axis, as bits 1 << value. */
unsigned schema_axis(unsigned kinds, unsigned axis);

/* True if groups of that kind have the key. */
bool schema_fits(const struct schema_key *key, unsigned kind);

/* Bytes of a field of that type; of a list or TEXTS, those of the pointer. */
size_t schema_field_size(enum schema_type type);

/* The word of that value, or NULL. */
const char *schema_word_of(const struct schema_word *words, int value);

/*
 * The first word from `word` on that is one of this version, and of those with a bit 1 << value in
 * `kinds`; 0: of all.  NULL: none is left.
 */
const struct schema_word *schema_next_word(const struct schema_word *word, unsigned kinds);

/* "a, b, c": the words that schema_next_word finds. */
void schema_list_words(const struct schema_word *words, unsigned kinds, char *ret, size_t room);

/* True if keys begin with `path` and a dot. */
bool schema_is_group(const struct schema *schema, const char *path);

/* Words of other programs and what they are called here; path NULL ends the list. */
struct schema_alias {
    const char *foreign;
    const char *path;
};
extern const struct schema_alias schema_aliases[];

/* True for librdkafka properties whose value must not be shown. */
bool schema_property_is_secret(const char *name);

/* The last part of a path. */
const char *schema_leaf(const char *path);

#endif
