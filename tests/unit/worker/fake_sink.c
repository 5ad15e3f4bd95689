#include "fake_sink.h"

#include <stdlib.h>

#include "support/test.h"

static struct out_span *next_out(struct fake_sink *sink)
{
    if (sink->span_count == sink->span_room) {
        sink->span_room = sink->span_room == 0 ? 64 : sink->span_room * 2;
        sink->spans = realloc(sink->spans, sink->span_room * sizeof(*sink->spans));
        assert_non_null(sink->spans);
    }
    return &sink->spans[sink->span_count++];
}

static struct sink_batch *take(struct fake_sink *sink)
{
    struct sink_batch *batch = sink->first;
    sink->first = (struct sink_batch *)batch->item.next;
    sink->held--;
    sink->queued_bytes -= batch->bytes.len;
    return batch;
}

/* The lock is held. */
static bool answer_first(struct fake_sink *sink)
{
    if (sink->first == NULL)
        return false;
    struct sink_batch *batch = take(sink);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        struct sink_span *span = &batch->spans[i];
        struct out_span *out = next_out(sink);
        out_read(out, span, bytes_of(batch->bytes.at + span->at, span->len));
        out->outcome = sink->judge == NULL ? SINK_EXPORTED : sink->judge(sink->judge_arg, out);
        span->outcome = (uint8_t)out->outcome;
    }
    sink->on_done(sink->on_done_arg, batch);
    return true;
}

static void submit(struct sink *sink, struct sink_batch *batch)
{
    struct fake_sink *fake = (struct fake_sink *)sink;
    assert_true(batch->span_count > 0);
    pthread_mutex_lock(&fake->lock);
    batch->item.next = NULL;
    if (fake->first == NULL)
        fake->first = batch;
    else
        fake->last->item.next = &batch->item;
    fake->last = batch;
    fake->held++;
    fake->batches++;
    fake->queued_bytes += batch->bytes.len;
    while (fake->answers && answer_first(fake))
        continue;
    pthread_mutex_unlock(&fake->lock);
}

static size_t queued_bytes(const struct sink *sink)
{
    struct fake_sink *fake = (struct fake_sink *)(uintptr_t)sink;
    pthread_mutex_lock(&fake->lock);
    size_t bytes = fake->is_full ? SIZE_MAX : fake->queued_bytes;
    pthread_mutex_unlock(&fake->lock);
    return bytes;
}

static const struct sink_ops ops = {.submit = submit, .queued_bytes = queued_bytes};

void fake_sink_init(struct fake_sink *sink, const char *name, sink_done_fn on_done,
                    void *on_done_arg)
{
    *sink = (struct fake_sink){
        .head = {.ops = &ops, .name = name, .queue_bytes_max = 64 << 20},
        .on_done = on_done,
        .on_done_arg = on_done_arg,
    };
    assert_int_equal(pthread_mutex_init(&sink->lock, NULL), 0);
}

void fake_sink_clear(struct fake_sink *sink)
{
    assert_null(sink->first);
    for (size_t i = 0; i < sink->span_count; i++)
        out_clear(&sink->spans[i]);
    free(sink->spans);
    pthread_mutex_destroy(&sink->lock);
}

bool fake_sink_answer(struct fake_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool answered = answer_first(sink);
    pthread_mutex_unlock(&sink->lock);
    return answered;
}

void fake_sink_answer_all(struct fake_sink *sink)
{
    while (fake_sink_answer(sink))
        continue;
}

void fake_sink_give_back(struct fake_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    while (sink->first != NULL)
        sink->on_done(sink->on_done_arg, take(sink));
    pthread_mutex_unlock(&sink->lock);
}
