/*
 * list_carrier: a carrier over an array of headers, for tests.  Injected texts are copied into
 * the list; it belongs to the test.
 */
#ifndef SB_TESTS_CONTEXT_LIST_CARRIER_H
#define SB_TESTS_CONTEXT_LIST_CARRIER_H

#include "spanbridge/carrier.h"

enum { LIST_CARRIER_MAX = 16, LIST_CARRIER_TEXT_MAX = 600 };

struct list_carrier {
    struct spanbridge_header headers[LIST_CARRIER_MAX];
    size_t count;
    size_t removals;
    size_t sets;
    /* What the call with that number, counted from 1, fails with; 0: none fails. */
    size_t failing_removal;
    size_t failing_set;
    enum spanbridge_result failure;
    char texts[4][LIST_CARRIER_TEXT_MAX];
    struct spanbridge_carrier carrier; /* hand out its address */
};

void list_carrier_init(struct list_carrier *list);

/* Adds a header with a text as its value; NULL: without a value. */
void list_carrier_add(struct list_carrier *list, const char *name, const char *value);

/* Expects a header of that name and that value at that place. */
void list_carrier_expect(const struct list_carrier *list, size_t at, const char *name,
                         const char *value);

#endif
