/*
 * position: where reading of a stream goes on, in a file, since RabbitMQ does not keep it for
 * consumers of AMQP 0-9-1.
 *
 * The file is one line, "QUEUE OFFSET", and is replaced by renaming a new one, so that there is
 * always a whole one.
 */
#ifndef SB_SOURCE_RABBITMQ_POSITION_H
#define SB_SOURCE_RABBITMQ_POSITION_H

#include <stdint.h>

#include "core/err.h"

/* SB_ERR_NOT_FOUND: no such file.  SB_ERR_INPUT: it holds no position of that queue.  SB_ERR_IO. */
enum sb_err position_read(const char *path, const char *queue, int64_t *ret) SB_MUST_USE;

/* On disk when it returns.  SB_ERR_IO, SB_ERR_MEMORY: the old one is still there. */
enum sb_err position_write(const char *path, const char *queue, int64_t offset) SB_MUST_USE;

#endif
