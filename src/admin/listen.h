/*
 * listen: a listening socket from the text of the configuration.
 */
#ifndef SB_ADMIN_LISTEN_H
#define SB_ADMIN_LISTEN_H

#include <stddef.h>

#include "core/err.h"
#include "core/log.h"

/*
 * A socket that listens without blocking at "host:port", "[v6]:port" or "port" (of 127.0.0.1).
 * SB_ERR_CONFIG: no such address; SB_ERR_UNAVAILABLE: in use, or not allowed (both logged).
 */
enum sb_err listen_open(const char *address, struct log *log, int *ret_fd) SB_MUST_USE;

/* Where it listens, as host:port. */
void listen_name(int fd, char *ret, size_t room);

#endif
