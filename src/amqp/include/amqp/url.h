/*
 * url: where a broker is, and as whom to log in.
 *
 *     amqp[s]://[USER[:PASSWORD]@]HOST[:PORT][/VHOST]
 *
 * User, password and virtual host may hold %XX.  Left out: guest, guest, 5672 (5671 with amqps)
 * and the virtual host "/", which a lone "/" at the end means, too.  An IPv6 address stands in
 * brackets.  Source: https://www.rabbitmq.com/uri-spec.html; a query is refused.
 */
#ifndef SB_AMQP_URL_H
#define SB_AMQP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum { AMQP_URL_LEN_MAX = 4096, AMQP_URL_WHY_LEN = 128 };

struct amqp_url {
    char *user;
    char *password;
    char *host; /* without brackets */
    char *vhost;
    uint16_t port;
    bool tls;
};

/*
 * SB_ERR_CONFIG: no such URL; `why` says so, without any part of it that may be a secret.
 * SB_ERR_MEMORY.  The caller clears it.
 */
enum sb_err amqp_url_parse(const char *text, struct amqp_url *ret,
                           char why[AMQP_URL_WHY_LEN]) SB_MUST_USE;

/* Frees the parts; the password is overwritten first. */
void amqp_url_clear(struct amqp_url *url);

#endif
