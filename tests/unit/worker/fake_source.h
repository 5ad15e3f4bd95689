/*
 * fake_source: a source over plain queues, so that a worker can be tested without a broker.
 *
 * Records end when they are released: whoever looks at one afterwards is seen by ASan.
 */
#ifndef SB_TEST_WORKER_FAKE_SOURCE_H
#define SB_TEST_WORKER_FAKE_SOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/text.h"
#include "source/sources.h"

enum { FAKE_WORKERS = 4, FAKE_LANES = 8, FAKE_HEADERS = 8, FAKE_TOPICS = 8 };

struct fake_header {
    char *name;
    char *value;
};

/* A record that waits in a queue, or was polled and not yet released. */
struct fake_record {
    struct fake_record *next;
    struct fake_source *source;
    struct record record;
    uint8_t *value;
    struct fake_header headers[FAKE_HEADERS];
    size_t header_count;
};

struct fake_queue {
    struct fake_record *first;
    struct fake_record *last;
};

struct fake_letter {
    struct fake_letter *next;
    uint32_t topic;
    uint8_t *value;
    size_t value_len;
    struct fake_header headers[FAKE_HEADERS + 8];
    uint32_t header_count;
    void *ticket;
    bool answered;
};

struct fake_source {
    struct source base;      /* first */
    struct sources *sources; /* with this one alone */
    int event_fd;
    const char *topic_names[FAKE_TOPICS]; /* NULL: no such topic */
    enum source_role topic_roles[FAKE_TOPICS];
    struct fake_queue spans[FAKE_WORKERS];
    struct fake_queue taps[FAKE_WORKERS];
    int64_t published[FAKE_WORKERS][FAKE_LANES]; /* -1: nothing yet */
    uint64_t tap_time_ns[FAKE_TOPICS];
    const char *cluster_id; /* NULL: not known yet */
    enum source_share share;
    pthread_mutex_t lock;        /* of the letters */
    struct fake_letter *letters; /* oldest first */
    struct fake_letter *last_letter;
    uint32_t letter_count;
    uint32_t letters_full;    /* so many letters are answered with SB_ERR_FULL first */
    enum sb_err letter_error; /* or all of them with this */
    _Atomic uint32_t queued;  /* and not yet polled */
    _Atomic uint32_t polled;  /* and not yet released */
    _Atomic uint32_t lookups;
    _Atomic uint32_t wakes[FAKE_WORKERS];
};

void fake_source_init(struct fake_source *source);
void fake_source_clear(struct fake_source *source);
/* Span records of that worker which were not polled are gone, as after a rebalance. */
void fake_source_forget(struct fake_source *source, uint32_t worker);

/* Queues a record for a worker; its value is copied.  The caller may add headers to it. */
struct fake_record *fake_source_push(struct fake_source *source, uint32_t worker, bool tap,
                                     const struct record *record);
void fake_source_add_header(struct fake_record *record, const char *name, const char *value);

/* The header of a letter, or NULL. */
const char *fake_letter_header(const struct fake_letter *letter, const char *name);

#endif
