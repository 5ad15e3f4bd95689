/*
 * state: what the modules of a link share.
 */
#ifndef SB_AMQP_STATE_H
#define SB_AMQP_STATE_H

#include <pthread.h>
#include <sys/time.h>

#include "amqp/channel.h"
#include "amqp/link.h"
#include "amqp/url.h"

enum { AMQP_PLACE_LEN = 300 };

struct amqp_link {
    struct amqp_link_options options;
    struct amqp_url url;
    amqp_connection_state_t connection; /* NULL: closed */
    bool broken;                        /* nothing can be read any more */
    bool unreadable;                    /* and that by what came; it can still be written to */
    bool header_unreadable;             /* by a header, of the channel read_channel */
    bool blocked;
    uint16_t read_channel;       /* whose buffers the last event lies in */
    uint64_t beat_ns;            /* when amqp_link_keep_alive last sent a heartbeat */
    amqp_table_entry_t *entries; /* of the message that is being published */
    size_t entry_room;
    pthread_mutex_t lock; /* of the two below, which others may touch */
    int fd;               /* -1: none that may be shut down */
    bool interrupted;
    char place[AMQP_PLACE_LEN];
    char why[AMQP_WHY_LEN];
    char certificate_why[AMQP_WHY_LEN]; /* what OpenSSL had against the broker's certificate */
};

static inline amqp_bytes_t amqp_text(const char *text)
{
    return amqp_cstring_bytes(text);
}

static inline struct timeval link_interval(uint64_t ns)
{
    uint64_t us = (ns + 999) / 1000;
    return (struct timeval){.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};
}

#endif
