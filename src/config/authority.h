/*
 * authority: host:port, as it stands in lists of brokers and in URLs.
 *
 * All take `len` bytes of a text, whose NUL stands there or later.
 */
#ifndef SB_CONFIG_AUTHORITY_H
#define SB_CONFIG_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

/* A name, an address, or an IPv6 address in brackets. */
bool authority_is_host(const char *at, size_t len);

/* A number from 1 to 65535. */
bool authority_is_port(const char *at, size_t len);

/* host, host:port, [v6] or [v6]:port */
bool authority_is(const char *at, size_t len);

#endif
