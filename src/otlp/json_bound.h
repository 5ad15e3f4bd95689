/*
 * json_bound: a look at JSON text before a parser makes objects of it.
 *
 * The parser recurses, and makes of three bytes an object of more than two hundred.  So one
 * pass over the text estimates, from above, the memory that it would take.  Texts within
 * the bounds below are parsed with at most 24 times their length and 32 MiB; requests as
 * services send them take about 15 times their length, and such of the shortest attributes
 * there can be are refused from 4 MiB on.
 */
#ifndef SB_OTLP_JSON_BOUND_H
#define SB_OTLP_JSON_BOUND_H

#include "core/bytes.h"
#include "otlp/scan.h"

enum {
    /* What jansson 2.14 was measured to take, on a 64-bit machine. */
    JSON_BOUND_CONTAINER_BYTES = 240, /* an object or array */
    JSON_BOUND_ITEM_BYTES = 180,      /* a member or element, when it is a string */
    JSON_BOUND_TIMES = 24,
    JSON_BOUND_FREE_BYTES = 32 << 20
};

/* NONE, TOO_DEEP or RECORD_TOO_LARGE.  Says nothing about whether the text is JSON. */
enum otlp_fault json_bound_check(struct bytes json);

#endif
