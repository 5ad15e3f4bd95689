/*
 * fake_sink: a sink that answers when the test says so, and keeps what it was given.  Workers
 * of several threads may submit to it.
 */
#ifndef SB_TEST_WORKER_FAKE_SINK_H
#define SB_TEST_WORKER_FAKE_SINK_H

#include <pthread.h>

#include "sink/sink.h"
#include "spans.h"

struct fake_sink;

/* The outcome of one span; NULL in the sink: all are exported. */
typedef enum sink_outcome (*fake_judge_fn)(void *arg, const struct out_span *span);

struct fake_sink {
    struct sink head;         /* first */
    pthread_mutex_t lock;     /* of all that follows */
    struct sink_batch *first; /* held, oldest first */
    struct sink_batch *last;
    uint32_t held;
    size_t queued_bytes;
    bool is_full; /* says so whatever it holds */
    bool answers; /* at once, while it is being submitted to */
    fake_judge_fn judge;
    void *judge_arg;
    sink_done_fn on_done;
    void *on_done_arg;
    struct out_span *spans; /* answered ones, in their order */
    size_t span_count;
    size_t span_room;
    uint32_t batches; /* submitted so far */
};

void fake_sink_init(struct fake_sink *sink, const char *name, sink_done_fn on_done,
                    void *on_done_arg);
void fake_sink_clear(struct fake_sink *sink); /* it must hold nothing */

/* Answers the oldest batch that is held, if any; true when there was one. */
bool fake_sink_answer(struct fake_sink *sink);
void fake_sink_answer_all(struct fake_sink *sink);
/* Gives everything back unsent, as a sink that is stopped does. */
void fake_sink_give_back(struct fake_sink *sink);

#endif
