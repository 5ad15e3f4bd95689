/*
 * routing_key: the key that a message of a trace is routed by, from a template.
 *
 * "{trace_id}" stands for the trace id as 32 lower-case hex digits, "{{" for a brace; there is
 * no other word in braces.  Pure.
 */
#ifndef SB_SINK_ROUTING_KEY_H
#define SB_SINK_ROUTING_KEY_H

#include <stddef.h>

#include "core/err.h"
#include "core/ids.h"

enum { ROUTING_KEY_LEN_MAX = 255 }; /* a short string of AMQP */

/* SB_ERR_CONFIG: another word in braces, or keys of more than ROUTING_KEY_LEN_MAX bytes. */
enum sb_err routing_key_check(const char *template) SB_MUST_USE;

/* Writes the key by a template that was checked; its length. */
size_t routing_key_write(const char *template, struct trace_id trace,
                         char ret[ROUTING_KEY_LEN_MAX + 1]);

#endif
