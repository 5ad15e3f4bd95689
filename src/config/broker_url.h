/*
 * broker_url: amqp://user:password@host:port/vhost, taken apart, judged, and shown without
 * its password.
 *
 * Stricter than RFC 3986 where readers of such URLs differ: reserved characters inside a part
 * must be percent-encoded.  No path and "/" are the vhost "/".
 */
#ifndef SB_CONFIG_BROKER_URL_H
#define SB_CONFIG_BROKER_URL_H

#include <stdbool.h>

#include "core/bytes.h"
#include "core/text.h"

/* Views into the text, still encoded; at NULL: the part is absent. */
struct broker_url {
    struct bytes scheme;
    struct bytes user;
    struct bytes password;
    struct bytes host; /* [v6] with its brackets */
    struct bytes port; /* without the colon */
    struct bytes vhost;
    struct bytes rest; /* from a ? or # on */
};

/* Any text can be taken apart: what stands before the last @ of the authority is no host. */
struct broker_url broker_url_parse(const char *text);

/* What is wrong with it, and what to do, without a word of it; NULL: nothing. */
struct broker_url_fault {
    const char *text;
    const char *help; /* NULL: none */
};
struct broker_url_fault broker_url_check(const char *text);

bool broker_url_is_tls(const char *text);

/* True if both lead to the same vhost of the same host and port. */
bool broker_url_same(const char *a, const char *b);

/* True if the bytes from..to of the text stand inside its password. */
bool broker_url_hides(const char *text, size_t from, size_t to);

/* Appends the text with (redacted) in place of its password. */
void broker_url_show(const char *text, struct text *out);

#endif
