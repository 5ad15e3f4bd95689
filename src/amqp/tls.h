/*
 * tls: what a connection with TLS is checked by.
 *
 * OpenSSL itself checks chain and host name during the handshake, since it says what it dislikes
 * and knows addresses and wildcards; librabbitmq's own checks come after it and say neither.
 */
#ifndef SB_AMQP_TLS_H
#define SB_AMQP_TLS_H

#include "state.h"

/*
 * Readies a new TLS socket of librabbitmq by the link's options: TLS 1.2 at least.
 * SB_ERR_CONFIG: a file can not be used.
 */
enum sb_err tls_prepare(struct amqp_link *link, amqp_socket_t *socket) SB_MUST_USE;

#endif
