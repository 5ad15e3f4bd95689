/* Several sources as one: turns, sleep, and who is asked about what. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/memory.h"
#include "source/sources.h"

enum { TOPICS = 4 };

/* Topic `own` is read here; letters of topic `letters` go out here. */
struct plain {
    struct source base; /* first */
    uint32_t own;
    uint32_t letters;
    int fd;
    size_t ready; /* records of every worker */
    size_t polls;
    uint32_t waited_ms;
    uint32_t wakes;
    uint32_t serviced;
    uint32_t sent;
    bool started;
    bool assigned;
    enum source_share share;
    bool spans_drained;
    bool taps_drained;
    bool stopped;
    bool freed;
    const char *cluster;
    size_t lag_count;
};

static struct plain *of(const struct source *source)
{
    return (struct plain *)(uintptr_t)source;
}

static enum sb_err start(struct source *source)
{
    of(source)->started = true;
    return SB_OK;
}

static int event_fd(const struct source *source)
{
    return of(source)->fd;
}

static void service(struct source *source)
{
    of(source)->serviced++;
}

static size_t take(struct plain *plain, struct record *ret, size_t max)
{
    size_t count = plain->ready < max ? plain->ready : max;
    plain->ready -= count;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct record){.source = &plain->base, .topic = plain->own};
    return count;
}

static size_t poll_spans(struct source *source, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max)
{
    (void)worker;
    of(source)->polls++;
    of(source)->waited_ms += wait_ms;
    return take(of(source), ret, max);
}

static size_t poll_taps(struct source *source, uint32_t worker, struct record *ret, size_t max)
{
    (void)worker;
    return take(of(source), ret, max);
}

static void wake(struct source *source, uint32_t worker)
{
    (void)worker;
    of(source)->wakes++;
}

static bool reads(const struct source *source, uint32_t topic)
{
    return of(source)->own == topic;
}

static bool takes_letters(const struct source *source, uint32_t topic)
{
    return of(source)->letters == topic;
}

static bool find_topic(const struct source *source, enum source_role role, const char *name,
                       uint32_t *ret_index)
{
    if (role != SOURCE_MESSAGES || strcmp(name, of(source)->cluster) != 0)
        return false;
    *ret_index = of(source)->own;
    return true;
}

static enum sb_err dead_letter(struct source *source, const struct source_dead_letter *letter)
{
    (void)letter;
    of(source)->sent++;
    return SB_OK;
}

static bool spans_drained(const struct source *source)
{
    return of(source)->spans_drained;
}

static bool taps_drained(const struct source *source)
{
    return of(source)->taps_drained;
}

static uint64_t tap_time_ns(const struct source *source, uint32_t topic)
{
    return of(source)->own * 100 + topic;
}

static char *cluster_id(struct source *source)
{
    return memory_copy_text(of(source)->cluster);
}

static size_t lags(const struct source *source, struct source_lag *ret, size_t max)
{
    for (size_t i = 0; i < of(source)->lag_count && i < max; i++)
        ret[i] = (struct source_lag){.topic = "lag", .records = of(source)->own * 10 + i};
    return of(source)->lag_count;
}

static enum source_share share(const struct source *source)
{
    return of(source)->share;
}

static uint64_t unreadable(const struct source *source, uint32_t topic)
{
    return of(source)->own * 10 + topic;
}

static bool is_assigned(const struct source *source)
{
    return of(source)->assigned;
}

static void stop_intake(struct source *source)
{
    of(source)->stopped = true;
}

static void free_plain(struct source *source, bool commit)
{
    assert_true(commit);
    of(source)->freed = true;
    close(of(source)->fd);
}

static const struct source_ops plain_ops = {
    .start = start,
    .event_fd = event_fd,
    .service = service,
    .poll = poll_spans,
    .poll_taps = poll_taps,
    .wake = wake,
    .reads = reads,
    .takes_letters = takes_letters,
    .find_topic = find_topic,
    .dead_letter = dead_letter,
    .spans_drained = spans_drained,
    .taps_drained = taps_drained,
    .tap_time_ns = tap_time_ns,
    .cluster_id = cluster_id,
    .lags = lags,
    .unreadable = unreadable,
    .is_assigned = is_assigned,
    .share = share,
    .stop_intake = stop_intake,
    .free = free_plain,
};

struct fixture {
    struct plain plain[2]; /* of the topics 0 and 1; letters of 1 and 2 */
    struct sources *sources;
};

static void set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(sources_new(2, TOPICS, &fixture->sources), SB_OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct plain *plain = &fixture->plain[i];
        plain->base.ops = &plain_ops;
        plain->own = i;
        plain->letters = i + 1;
        plain->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        assert_true(plain->fd >= 0);
        assert_int_equal(sources_add(fixture->sources, &plain->base), SB_OK);
        assert_ptr_equal(plain->base.sources, fixture->sources);
    }
}

static void tear_down(struct fixture *fixture)
{
    sources_free(fixture->sources, true);
    assert_true(fixture->plain[0].freed && fixture->plain[1].freed);
}

static void test_a_busy_source_does_not_starve_the_other(void **state)
{
    (void)state;
    struct fixture fixture;
    struct record records[4];
    set_up(&fixture);
    fixture.plain[0].ready = fixture.plain[1].ready = 1000;
    size_t of_first = 0;
    for (int turn = 0; turn < 10; turn++) {
        assert_int_equal(sources_poll(fixture.sources, 0, 10, records, 4), 4);
        of_first += records[0].source == &fixture.plain[0].base;
    }
    assert_int_equal(of_first, 5);
    assert_int_equal(fixture.plain[0].waited_ms + fixture.plain[1].waited_ms, 0);
    tear_down(&fixture);
}

static void test_one_poll_takes_from_both(void **state)
{
    (void)state;
    struct fixture fixture;
    struct record records[8];
    set_up(&fixture);
    fixture.plain[0].ready = fixture.plain[1].ready = 3;
    assert_int_equal(sources_poll(fixture.sources, 1, 10, records, 8), 6);
    fixture.plain[0].ready = fixture.plain[1].ready = 3;
    assert_int_equal(sources_poll_taps(fixture.sources, 1, records, 4), 4);
    assert_int_equal(sources_poll_taps(fixture.sources, 1, records, 8), 2);
    tear_down(&fixture);
}

static void test_a_worker_sleeps_in_the_first_source(void **state)
{
    (void)state;
    struct fixture fixture;
    struct record record;
    set_up(&fixture);
    assert_int_equal(sources_poll(fixture.sources, 0, 10, &record, 1), 0);
    assert_int_equal(fixture.plain[0].waited_ms, 10);
    assert_int_equal(fixture.plain[1].waited_ms, 0);
    assert_int_equal(fixture.plain[1].polls, 1);
    sources_wake(fixture.sources, 0);
    assert_int_equal(fixture.plain[0].wakes, 1);
    assert_int_equal(fixture.plain[1].wakes, 0);
    tear_down(&fixture);
}

static void test_any_fd_of_theirs_makes_the_common_one_readable(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    struct pollfd wait = {.fd = sources_event_fd(fixture.sources), .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 0), 0);
    const uint64_t one = 1;
    assert_int_equal(write(fixture.plain[1].fd, &one, sizeof(one)), sizeof(one));
    assert_int_equal(poll(&wait, 1, 0), 1);
    assert_int_equal(sources_start(fixture.sources), SB_OK);
    sources_service(fixture.sources);
    sources_stop_intake(fixture.sources);
    for (int i = 0; i < 2; i++) {
        assert_true(fixture.plain[i].started && fixture.plain[i].stopped);
        assert_int_equal(fixture.plain[i].serviced, 1);
    }
    tear_down(&fixture);
}

static void test_letters_go_out_where_they_are_taken(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    struct source_dead_letter letter = {.topic = 1};
    assert_int_equal(sources_dead_letter(fixture.sources, &letter), SB_OK);
    assert_int_equal(fixture.plain[0].sent, 1);
    letter.topic = 2;
    assert_int_equal(sources_dead_letter(fixture.sources, &letter), SB_OK);
    assert_int_equal(fixture.plain[1].sent, 1);
    letter.topic = 3;
    assert_int_equal(sources_dead_letter(fixture.sources, &letter), SB_ERR_UNAVAILABLE);
    tear_down(&fixture);
}

static void test_all_must_be_drained_and_assigned(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    for (int i = 0; i < 2; i++) {
        assert_false(sources_spans_drained(fixture.sources));
        assert_false(sources_taps_drained(fixture.sources));
        assert_false(sources_is_assigned(fixture.sources));
        fixture.plain[1 - i].spans_drained = true;
        fixture.plain[1 - i].taps_drained = true;
        fixture.plain[1 - i].assigned = true;
    }
    assert_true(sources_spans_drained(fixture.sources));
    assert_true(sources_taps_drained(fixture.sources));
    assert_true(sources_is_assigned(fixture.sources));
    tear_down(&fixture);
}

static void test_one_part_makes_the_whole_a_part(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    for (int first = SOURCE_SHARE_UNKNOWN; first <= SOURCE_SHARE_ALL; first++) {
        for (int second = SOURCE_SHARE_UNKNOWN; second <= SOURCE_SHARE_ALL; second++) {
            fixture.plain[0].share = (enum source_share)first;
            fixture.plain[1].share = (enum source_share)second;
            int expected = first == second ? first : SOURCE_SHARE_UNKNOWN;
            if (first == SOURCE_SHARE_PART || second == SOURCE_SHARE_PART)
                expected = SOURCE_SHARE_PART;
            assert_int_equal((int)sources_share(fixture.sources), expected);
        }
    }
    tear_down(&fixture);
}

static void test_each_is_asked_about_its_own(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(sources_tap_time_ns(fixture.sources, 1), 101);
    assert_true(sources_tap_time_ns(fixture.sources, 3) == UINT64_MAX); /* nobody reads it */
    fixture.plain[0].cluster = "first";
    fixture.plain[1].cluster = "second";
    uint32_t topic;
    assert_true(sources_find_topic(fixture.sources, SOURCE_MESSAGES, "second", &topic));
    assert_int_equal(topic, 1);
    assert_false(sources_find_topic(fixture.sources, SOURCE_SPANS, "second", &topic));
    fixture.plain[0].cluster = NULL; /* not known, or none has one */
    char *id = sources_cluster_id(fixture.sources);
    assert_string_equal(id, "second");
    memory_free(id);
    tear_down(&fixture);
}

static void test_lags_are_listed_one_behind_the_other(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    fixture.plain[0].lag_count = 2;
    fixture.plain[1].lag_count = 3;
    struct source_lag lags[5];
    assert_int_equal(sources_lags(fixture.sources, lags, 5), 5);
    assert_int_equal(lags[1].records, 1);
    assert_int_equal(lags[4].records, 12);
    lags[1].records = 99;
    assert_int_equal(sources_lags(fixture.sources, lags, 1), 5); /* how many there are */
    assert_int_equal(lags[1].records, 99);
    tear_down(&fixture);
}

static void test_unread_records_are_counted_by_who_reads_the_topic(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(sources_unreadable(fixture.sources, 0), 0);
    assert_int_equal(sources_unreadable(fixture.sources, 1), 11);
    assert_int_equal(sources_unreadable(fixture.sources, 3), 0); /* nobody reads it */
    struct source_ops ops = plain_ops;
    ops.unreadable = NULL;
    fixture.plain[1].base.ops = &ops;
    assert_int_equal(sources_unreadable(fixture.sources, 1), 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_busy_source_does_not_starve_the_other),
        cmocka_unit_test(test_one_poll_takes_from_both),
        cmocka_unit_test(test_a_worker_sleeps_in_the_first_source),
        cmocka_unit_test(test_any_fd_of_theirs_makes_the_common_one_readable),
        cmocka_unit_test(test_letters_go_out_where_they_are_taken),
        cmocka_unit_test(test_all_must_be_drained_and_assigned),
        cmocka_unit_test(test_one_part_makes_the_whole_a_part),
        cmocka_unit_test(test_each_is_asked_about_its_own),
        cmocka_unit_test(test_unread_records_are_counted_by_who_reads_the_topic),
        cmocka_unit_test(test_lags_are_listed_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
