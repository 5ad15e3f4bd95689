#include "source/sources.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/memory.h"

/* Where a worker's next poll begins, so that no source starves behind a busy one. */
struct turn {
    uint32_t next;
    uint8_t apart[60]; /* two workers never share a cache line here */
};

struct sources {
    struct source **list;
    uint32_t count;
    uint32_t workers;
    uint32_t topic_count;
    struct source **readers; /* by topic; NULL: nobody reads it */
    struct source **posters; /* by topic: where its dead letters go out; NULL: nowhere */
    struct turn *turns;      /* by worker */
    int epoll_fd;
};

enum sb_err sources_new(uint32_t workers, uint32_t topic_count, struct sources **ret)
{
    SB_ASSERT(workers > 0 && workers <= SOURCE_WORKERS_MAX && topic_count > 0);
    struct sources *sources = memory_zalloc(1, sizeof(*sources));
    if (sources == NULL)
        return SB_ERR_MEMORY;
    sources->workers = workers;
    sources->topic_count = topic_count;
    sources->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    sources->readers = memory_zalloc(topic_count, sizeof(struct source *));
    sources->posters = memory_zalloc(topic_count, sizeof(struct source *));
    sources->turns = memory_zalloc(workers, sizeof(*sources->turns));
    bool whole = sources->readers != NULL && sources->posters != NULL && sources->turns != NULL;
    if (!whole || sources->epoll_fd < 0) {
        sources_free(sources, false);
        return whole ? SB_ERR_INTERNAL : SB_ERR_MEMORY;
    }
    *ret = sources;
    return SB_OK;
}

enum sb_err sources_add(struct sources *sources, struct source *source)
{
    struct source **list =
        memory_realloc(sources->list, sources->count + 1, sizeof(struct source *));
    if (list == NULL)
        return SB_ERR_MEMORY;
    sources->list = list;
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(sources->epoll_fd, EPOLL_CTL_ADD, source->ops->event_fd(source), &event) != 0)
        return SB_ERR_INTERNAL;
    sources->list[sources->count++] = source;
    source->sources = sources;
    for (uint32_t topic = 0; topic < sources->topic_count; topic++) {
        if (sources->readers[topic] == NULL && source->ops->reads(source, topic))
            sources->readers[topic] = source;
        if (sources->posters[topic] == NULL && source->ops->takes_letters(source, topic))
            sources->posters[topic] = source;
    }
    return SB_OK;
}

enum sb_err sources_start(struct sources *sources)
{
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < sources->count; i++)
        err = sources->list[i]->ops->start(sources->list[i]);
    return err;
}

int sources_event_fd(const struct sources *sources)
{
    return sources->epoll_fd;
}

void sources_service(struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        sources->list[i]->ops->service(sources->list[i]);
}

size_t sources_poll(struct sources *sources, uint32_t worker, uint32_t wait_ms,
                    struct record *ret, size_t max)
{
    SB_ASSERT(worker < sources->workers && sources->count > 0);
    struct source *bed = sources->list[0];
    if (sources->count == 1)
        return bed->ops->poll(bed, worker, wait_ms, ret, max);
    size_t count = 0;
    uint32_t first = sources->turns[worker].next++;
    for (uint32_t i = 0; i < sources->count && count < max; i++) {
        struct source *source = sources->list[(first + i) % sources->count];
        count += source->ops->poll(source, worker, 0, ret + count, max - count);
    }
    /* Who had nothing and has something since has woken us: then this does not wait. */
    if (count == 0 && wait_ms > 0)
        count = bed->ops->poll(bed, worker, wait_ms, ret, max);
    return count;
}

size_t sources_poll_taps(struct sources *sources, uint32_t worker, struct record *ret,
                         size_t max)
{
    size_t count = 0;
    uint32_t first = sources->turns[worker].next;
    for (uint32_t i = 0; i < sources->count && count < max; i++) {
        struct source *source = sources->list[(first + i) % sources->count];
        count += source->ops->poll_taps(source, worker, ret + count, max - count);
    }
    return count;
}

void sources_wake(struct sources *sources, uint32_t worker)
{
    sources->list[0]->ops->wake(sources->list[0], worker);
}

bool sources_find_topic(const struct sources *sources, enum source_role role, const char *name,
                        uint32_t *ret_index)
{
    for (uint32_t i = 0; i < sources->count; i++) {
        const struct source *source = sources->list[i];
        if (source->ops->find_topic(source, role, name, ret_index))
            return true;
    }
    return false;
}

enum sb_err sources_dead_letter(struct sources *sources,
                                const struct source_dead_letter *letter)
{
    SB_ASSERT(letter->topic < sources->topic_count);
    struct source *poster = sources->posters[letter->topic];
    return poster == NULL ? SB_ERR_UNAVAILABLE : poster->ops->dead_letter(poster, letter);
}

bool sources_spans_drained(const struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        if (!sources->list[i]->ops->spans_drained(sources->list[i]))
            return false;
    return true;
}

bool sources_taps_drained(const struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        if (!sources->list[i]->ops->taps_drained(sources->list[i]))
            return false;
    return true;
}

uint64_t sources_tap_time_ns(const struct sources *sources, uint32_t topic)
{
    SB_ASSERT(topic < sources->topic_count);
    const struct source *reader = sources->readers[topic];
    return reader == NULL ? UINT64_MAX : reader->ops->tap_time_ns(reader, topic);
}

char *sources_cluster_id(struct sources *sources)
{
    char *id = NULL;
    for (uint32_t i = 0; id == NULL && i < sources->count; i++)
        id = sources->list[i]->ops->cluster_id(sources->list[i]);
    return id;
}

size_t sources_lags(const struct sources *sources, struct source_lag *ret, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < sources->count; i++) {
        size_t taken = count < max ? count : max;
        count += sources->list[i]->ops->lags(sources->list[i], ret + taken, max - taken);
    }
    return count;
}

uint64_t sources_unreadable(const struct sources *sources, uint32_t topic)
{
    SB_ASSERT(topic < sources->topic_count);
    const struct source *reader = sources->readers[topic];
    if (reader == NULL || reader->ops->unreadable == NULL)
        return 0;
    return reader->ops->unreadable(reader, topic);
}

bool sources_is_assigned(const struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        if (!sources->list[i]->ops->is_assigned(sources->list[i]))
            return false;
    return true;
}

enum source_share sources_share(const struct sources *sources)
{
    enum source_share share = SOURCE_SHARE_ALL;
    for (uint32_t i = 0; i < sources->count; i++)
        share = source_share_both(share, sources->list[i]->ops->share(sources->list[i]));
    return share;
}

void sources_stop_intake(struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        sources->list[i]->ops->stop_intake(sources->list[i]);
}

void sources_free(struct sources *sources, bool commit)
{
    if (sources == NULL)
        return;
    for (uint32_t i = 0; i < sources->count; i++)
        sources->list[i]->ops->free(sources->list[i], commit);
    memory_free(sources->list);
    memory_free(sources->readers);
    memory_free(sources->posters);
    memory_free(sources->turns);
    if (sources->epoll_fd >= 0)
        close(sources->epoll_fd);
    memory_free(sources);
}
