/*
 * attributes: a span's messaging attributes as text tables, and the fact they make.
 */
#ifndef SB_TEST_REPAIR_ATTRIBUTES_H
#define SB_TEST_REPAIR_ATTRIBUTES_H

#include <string.h>

#include "repair/fact.h"

struct test_attribute {
    const char *key; /* NULL: no more */
    enum repair_value_type type;
    const char *text;
    int64_t integer;
};

#define TEXT(key_, text_)                                                                      \
    {                                                                                          \
        .key = (key_), .type = REPAIR_VALUE_TEXT, .text = (text_)                              \
    }
#define NUMBER(key_, integer_)                                                                 \
    {                                                                                          \
        .key = (key_), .type = REPAIR_VALUE_INT, .integer = (integer_)                         \
    }

/* As the worker does it: attributes nobody has an alias for are not even seen. */
static inline void make_fact(struct repair_fact *fact, const struct test_attribute *attributes,
                             size_t count, const struct repair_span_traits *traits)
{
    repair_fact_init(fact);
    for (size_t i = 0; i < count && attributes[i].key != NULL; i++) {
        struct repair_value value = {.type = attributes[i].type,
                                     .integer = attributes[i].integer,
                                     .number = (double)attributes[i].integer};
        if (attributes[i].text != NULL)
            value.text = bytes_text(attributes[i].text);
        for (size_t alias = 0; alias < repair_alias_count(); alias++)
            if (strcmp(repair_alias_key(alias), attributes[i].key) == 0)
                repair_fact_add(fact, alias, &value);
    }
    repair_fact_finish(fact, traits);
}

#endif
