#include "bench.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLUSH_MS = 20000, POLL_WAIT_MS = 20, BATCH = 64, ERROR_LEN = 256 };

uint64_t bench_now_ms(void)
{
    return clock_monotonic_ns(clock_system()) / NS_PER_MS;
}

void bench_pause(void)
{
    (void)poll(NULL, 0, 1);
}

uint64_t bench_deadline_ms(void)
{
    return bench_now_ms() + BENCH_WAIT_MS;
}

void bench_check_deadline(uint64_t until_ms, const char *condition)
{
    if (bench_now_ms() > until_ms)
        fail_msg("waited in vain for: %s", condition);
}

static void conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[ERROR_LEN];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        fail_msg("%s", text);
}

void mock_kafka_start(struct mock_kafka *kafka, int brokers)
{
    char text[ERROR_LEN];
    char count[16];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    snprintf(count, sizeof(count), "%d", brokers);
    conf_set(conf, "test.mock.num.brokers", count);
    conf_set(conf, "linger.ms", "1");
    rd_kafka_conf_set_log_cb(conf, NULL);
    kafka->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(kafka->producer);
    kafka->cluster = rd_kafka_handle_mock_cluster(kafka->producer);
    assert_non_null(kafka->cluster);
    kafka->bootstrap = rd_kafka_mock_cluster_bootstraps(kafka->cluster);
    rd_kafka_mock_group_initial_rebalance_delay_ms(kafka->cluster, 0);
}

void mock_kafka_stop(struct mock_kafka *kafka)
{
    rd_kafka_destroy(kafka->producer);
    kafka->producer = NULL;
}

void mock_kafka_topic(struct mock_kafka *kafka, const char *topic, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(kafka->cluster, topic, partitions, 1), 0);
}

void mock_kafka_put(struct mock_kafka *kafka, const struct mock_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    if (record->header_name != NULL)
        rd_kafka_header_add(headers, record->header_name, -1, record->header_value, -1);
    size_t key_len = record->key == NULL ? 0 : strlen(record->key);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        kafka->producer, RD_KAFKA_V_TOPIC(record->topic),
        RD_KAFKA_V_PARTITION(record->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record->key, key_len),
        RD_KAFKA_V_VALUE((void *)record->value, strlen(record->value)),
        RD_KAFKA_V_TIMESTAMP(record->time_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    assert_int_equal(err, 0);
    assert_int_equal(rd_kafka_flush(kafka->producer, FLUSH_MS), 0);
}

void mock_kafka_fill(struct mock_kafka *kafka, const char *topic, int32_t partition, int count)
{
    for (int i = 0; i < count; i++) {
        char value[16];
        int len = snprintf(value, sizeof(value), "%d", i);
        rd_kafka_resp_err_t err;
        while ((err = rd_kafka_producev(kafka->producer, RD_KAFKA_V_TOPIC(topic),
                                        RD_KAFKA_V_PARTITION(partition),
                                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                        RD_KAFKA_V_VALUE(value, (size_t)len),
                                        RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(kafka->producer, POLL_WAIT_MS);
        assert_int_equal(err, 0);
    }
    assert_int_equal(rd_kafka_flush(kafka->producer, FLUSH_MS), 0);
}

int64_t mock_kafka_committed(struct mock_kafka *kafka, const char *group, const char *topic,
                             int32_t partition)
{
    char text[ERROR_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    conf_set(conf, "bootstrap.servers", kafka->bootstrap);
    conf_set(conf, "group.id", group);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    assert_int_equal(rd_kafka_committed(rk, list, FLUSH_MS), 0);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}

static void on_open(void *arg, const struct source_lane *lane)
{
    struct driver *driver = arg;
    struct driver_worker *worker = &driver->workers[lane->worker];
    assert_true(lane->lane < BENCH_LANES_MAX);
    if (driver->before_open != NULL)
        driver->before_open(driver, lane);
    pthread_mutex_lock(&worker->turn);
    assert_false(worker->open[lane->lane]);
    worker->names[lane->lane] = lane->topic_name;
    worker->open[lane->lane] = true;
    worker->next[lane->lane] = 0;
    pthread_mutex_unlock(&worker->turn);
    pthread_mutex_lock(&driver->lock);
    driver->opened += !lane->tap;
    pthread_mutex_unlock(&driver->lock);
}

static void on_close(void *arg, const struct source_lane *lanes, size_t count, bool lost)
{
    struct driver *driver = arg;
    for (size_t i = 0; i < count; i++) {
        struct driver_worker *worker = &driver->workers[lanes[i].worker];
        pthread_mutex_lock(&worker->turn);
        assert_true(worker->open[lanes[i].lane]);
        worker->open[lanes[i].lane] = false;
        if (worker->next[lanes[i].lane] > 0 && atomic_load(&driver->publishing))
            source_kafka_publish(driver->source, lanes[i].worker, lanes[i].lane,
                                 worker->next[lanes[i].lane]);
        pthread_mutex_unlock(&worker->turn);
    }
    pthread_mutex_lock(&driver->lock);
    driver->closed += (uint32_t)count;
    driver->lost += lost ? (uint32_t)count : 0;
    for (size_t i = 0; i < count; i++)
        driver->gone += lanes[i].gone;
    driver->letters_done_at_close = driver->letters_done;
    pthread_mutex_unlock(&driver->lock);
}

static void on_dead_letter(void *arg, void *ticket, enum sb_err result)
{
    struct driver *driver = arg;
    (void)ticket;
    pthread_mutex_lock(&driver->lock);
    driver->letter_result = result;
    if (result == SB_OK)
        driver->letters_done++;
    else
        driver->letters_failed++;
    pthread_mutex_unlock(&driver->lock);
}

static void on_trouble(void *arg, const char *what, const char *text, bool fatal)
{
    struct driver *driver = arg;
    pthread_mutex_lock(&driver->lock);
    if (text == NULL) {
        driver->cleared++;
    } else {
        snprintf(driver->trouble_what, sizeof(driver->trouble_what), "%s", what);
        snprintf(driver->trouble, sizeof(driver->trouble), "%s", text);
        driver->fatal = driver->fatal || fatal;
    }
    pthread_mutex_unlock(&driver->lock);
}

static void on_fenced(void *arg, const char *text)
{
    struct driver *driver = arg;
    pthread_mutex_lock(&driver->lock);
    snprintf(driver->trouble, sizeof(driver->trouble), "%s", text);
    driver->fenced = true;
    pthread_mutex_unlock(&driver->lock);
}

static void on_gap(void *arg, const char *text)
{
    struct driver *driver = arg;
    pthread_mutex_lock(&driver->lock);
    snprintf(driver->gap, sizeof(driver->gap), "%s", text);
    pthread_mutex_unlock(&driver->lock);
}

void driver_init(struct driver *driver, const char *bootstrap)
{
    *driver = (struct driver){
        .options =
            {
                .bootstrap = bootstrap,
                .group = "g",
                .properties = driver->properties,
                .topics = driver->topics,
                .workers = 2,
                .prefetch_bytes = 16 << 20,
                .lateness_ns = NS_PER_S,
                .replay_ns = 60 * NS_PER_S,
                .commit_interval_ns = 50 * NS_PER_MS,
                .clock = clock_system(),
                .events =
                    {
                        .on_open = on_open,
                        .on_close = on_close,
                        .on_dead_letter = on_dead_letter,
                        .on_trouble = on_trouble,
                        .on_fenced = on_fenced,
                        .on_gap = on_gap,
                        .arg = driver,
                    },
            },
    };
    /* SB_BENCH_LOG=1 shows the source's log, to find out why a test fails. */
    struct log_options log = {.fd = 2, .clock = clock_system()};
    if (getenv("SB_BENCH_LOG") != NULL) /* NOLINT(concurrency-mt-unsafe): no thread runs yet */
        assert_int_equal(log_new(&log, &driver->options.log), SB_OK);
    atomic_init(&driver->publishing, true);
    pthread_mutex_init(&driver->lock, NULL);
    driver_property(driver, "topic.metadata.refresh.interval.ms", "300");
    /* The mock waits for this less one second at each change of a group. */
    driver_property(driver, "session.timeout.ms", "3000");
    driver_property(driver, "heartbeat.interval.ms", "200");
}

struct source_topic *driver_topic(struct driver *driver, const char *pattern,
                                  enum source_role role)
{
    struct source_topic *topic = &driver->topics[driver->options.topic_count++];
    *topic = (struct source_topic){.pattern = pattern, .role = role};
    return topic;
}

void driver_property(struct driver *driver, const char *name, const char *value)
{
    driver->properties[driver->options.property_count++] =
        (struct source_property){.name = name, .value = value};
}

static void note_headers(const struct record *record, struct seen *seen)
{
    struct record_header headers[BENCH_HEADERS_MAX];
    seen->header_count = (uint32_t)source_record_headers(record, headers, BENCH_HEADERS_MAX);
    if (seen->header_count == 0)
        return;
    snprintf(seen->header_name, sizeof(seen->header_name), "%.*s", (int)headers[0].name.len,
             (const char *)headers[0].name.at);
    snprintf(seen->header_value, sizeof(seen->header_value), "%.*s", (int)headers[0].value.len,
             (const char *)headers[0].value.at);
}

static void note(struct driver_worker *worker, const struct record *record, bool tap)
{
    struct driver *driver = worker->driver;
    struct seen seen = {
        .topic_name = worker->names[record->lane],
        .topic = record->topic,
        .worker = worker->index,
        .partition = record->partition,
        .offset = record->offset,
        .time_ms = record->time_ms,
        .tap = tap,
    };
    snprintf(seen.value, sizeof(seen.value), "%.*s", (int)record->value.len,
             (const char *)record->value.at);
    if (tap)
        note_headers(record, &seen);
    pthread_mutex_lock(&driver->lock);
    if (driver->seen_count == driver->seen_room) {
        driver->seen_room = driver->seen_room == 0 ? 1024 : driver->seen_room * 2;
        driver->seen = realloc(driver->seen, driver->seen_room * sizeof(*driver->seen));
    }
    driver->seen[driver->seen_count++] = seen;
    pthread_mutex_unlock(&driver->lock);
}

/* Lanes that are not open must not bring records: that is a failed assertion here. */
static void take(struct driver_worker *worker, struct record *records, size_t count, bool tap)
{
    struct driver *driver = worker->driver;
    for (size_t i = 0; i < count; i++) {
        uint32_t lane = records[i].lane;
        assert_true(worker->open[lane]);
        note(worker, &records[i], tap);
        worker->next[lane] = records[i].offset + 1;
        if (!tap && atomic_load(&driver->publishing))
            source_kafka_publish(driver->source, worker->index, lane, records[i].offset + 1);
        source_record_release(&records[i]);
    }
}

static void *run_worker(void *arg)
{
    struct driver_worker *worker = arg;
    struct driver *driver = worker->driver;
    struct record records[BATCH];
    while (!atomic_load(&driver->ending)) {
        pthread_mutex_lock(&worker->turn);
        size_t count = 0;
        if (!atomic_load(&driver->taps_paused))
            count = source_kafka_poll_taps(driver->source, worker->index, records, BATCH);
        take(worker, records, count, true);
        size_t max = atomic_load(&driver->paused) ? 0 : BATCH;
        count = source_kafka_poll(driver->source, worker->index, POLL_WAIT_MS, records, max);
        take(worker, records, count, false);
        pthread_mutex_unlock(&worker->turn);
        atomic_fetch_add(&worker->polls, 1);
    }
    return NULL;
}

enum sb_err driver_new_source(struct driver *driver)
{
    driver->options.numbers = &driver->numbers;
    struct source *source = NULL;
    enum sb_err err = source_kafka_new(&driver->options, &source);
    if (err == SB_OK)
        driver->source = source_kafka_of(source);
    return err;
}

void driver_start(struct driver *driver)
{
    assert_int_equal(driver_new_source(driver), SB_OK);
    for (uint32_t i = 0; i < driver->options.workers; i++) {
        driver->workers[i].driver = driver;
        driver->workers[i].index = i;
        pthread_mutex_init(&driver->workers[i].turn, NULL);
        pthread_create(&driver->threads[i], NULL, run_worker, &driver->workers[i]);
    }
    assert_int_equal(source_kafka_start(driver->source), SB_OK);
}

void driver_stop(struct driver *driver, bool commit)
{
    if (driver->source == NULL)
        return;
    source_kafka_stop_intake(driver->source);
    atomic_store(&driver->ending, true);
    for (uint32_t i = 0; i < driver->options.workers; i++)
        pthread_join(driver->threads[i], NULL);
    source_kafka_free(driver->source, commit);
    driver->source = NULL;
    for (size_t i = 0; i < driver->seen_count; i++)
        driver->seen[i].topic_name = NULL;
}

void driver_clear(struct driver *driver)
{
    driver_stop(driver, false);
    log_free(driver->options.log);
    driver->options.log = NULL;
    free(driver->seen);
    driver->seen = NULL;
}

void driver_pause(struct driver *driver)
{
    atomic_store(&driver->paused, true);
    for (uint32_t i = 0; i < driver->options.workers; i++) {
        pthread_mutex_lock(&driver->workers[i].turn);
        pthread_mutex_unlock(&driver->workers[i].turn);
    }
}

void driver_turn(struct driver *driver)
{
    struct pollfd fd = {.fd = source_kafka_event_fd(driver->source), .events = POLLIN};
    (void)poll(&fd, 1, POLL_WAIT_MS);
    source_kafka_service(driver->source);
}

static bool is_of(const struct seen *seen, const char *topic)
{
    return seen->topic_name != NULL && strcmp(seen->topic_name, topic) == 0;
}

size_t driver_count(struct driver *driver, const char *topic)
{
    size_t count = 0;
    pthread_mutex_lock(&driver->lock);
    for (size_t i = 0; i < driver->seen_count; i++)
        count += is_of(&driver->seen[i], topic);
    pthread_mutex_unlock(&driver->lock);
    return count;
}

static int compare_seen(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

size_t driver_count_different(struct driver *driver, const char *topic)
{
    pthread_mutex_lock(&driver->lock);
    size_t count = 0;
    struct seen *sorted = calloc(driver->seen_count + 1, sizeof(*sorted));
    for (size_t i = 0; i < driver->seen_count; i++)
        if (is_of(&driver->seen[i], topic))
            sorted[count++] = driver->seen[i];
    pthread_mutex_unlock(&driver->lock);
    qsort(sorted, count, sizeof(*sorted), compare_seen);
    size_t different = 0;
    for (size_t i = 0; i < count; i++)
        different += i == 0 || compare_seen(&sorted[i - 1], &sorted[i]) != 0;
    free(sorted);
    return different;
}

void driver_check_order(struct driver *driver)
{
    pthread_mutex_lock(&driver->lock);
    for (size_t i = 0; i < driver->seen_count; i++) {
        const struct seen *later = &driver->seen[i];
        for (size_t k = i; k-- > 0;) {
            const struct seen *earlier = &driver->seen[k];
            if (earlier->topic_name != later->topic_name ||
                earlier->partition != later->partition || earlier->tap != later->tap)
                continue;
            assert_int_equal(earlier->offset + 1, later->offset);
            assert_int_equal(earlier->worker, later->worker);
            break;
        }
    }
    pthread_mutex_unlock(&driver->lock);
}

bool driver_troubled(struct driver *driver, const char *text)
{
    pthread_mutex_lock(&driver->lock);
    bool holds = strstr(driver->trouble, text) != NULL;
    pthread_mutex_unlock(&driver->lock);
    return holds;
}

uint32_t driver_number(struct driver *driver, const uint32_t *number)
{
    pthread_mutex_lock(&driver->lock);
    uint32_t value = *number;
    pthread_mutex_unlock(&driver->lock);
    return value;
}
