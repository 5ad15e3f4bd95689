/*
 * bench: a mock cluster of librdkafka, and a driver that uses the source as the service does:
 * the test is the control thread, each worker is a thread that polls, notes what it saw, and
 * publishes.
 */
#ifndef SB_TEST_SOURCE_KAFKA_BENCH_H
#define SB_TEST_SOURCE_KAFKA_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "kafka_ops.h"

enum {
    BENCH_WORKERS_MAX = 4,
    BENCH_LANES_MAX = 64,
    BENCH_TEXT_LEN = 512,
    BENCH_HEADERS_MAX = 8,
    BENCH_WAIT_MS = 30000
};

struct mock_kafka {
    rd_kafka_t *producer;
    rd_kafka_mock_cluster_t *cluster;
    const char *bootstrap;
};

void mock_kafka_start(struct mock_kafka *kafka, int brokers);
void mock_kafka_stop(struct mock_kafka *kafka);
void mock_kafka_topic(struct mock_kafka *kafka, const char *topic, int partitions);

/* Writes records with values "0", "1", ... to that partition, and waits until they are there. */
void mock_kafka_fill(struct mock_kafka *kafka, const char *topic, int32_t partition, int count);

struct mock_record {
    const char *topic;
    int32_t partition;
    const char *key;
    const char *value;
    const char *header_name; /* NULL: none */
    const char *header_value;
    int64_t time_ms; /* 0: now */
};
void mock_kafka_put(struct mock_kafka *kafka, const struct mock_record *record);

/* What the group has committed, or RD_KAFKA_OFFSET_INVALID. */
int64_t mock_kafka_committed(struct mock_kafka *kafka, const char *group, const char *topic,
                             int32_t partition);

/* One record that a worker got. */
struct seen {
    const char *topic_name; /* lives with the driver's source */
    uint32_t topic;
    uint32_t worker;
    int32_t partition;
    int64_t offset;
    int64_t time_ms;
    bool tap;
    uint32_t header_count;
    char value[32];
    char header_name[32];
    char header_value[64];
};

struct driver {
    struct source_kafka_options options;
    struct source_numbers numbers;
    struct source_topic topics[4];
    struct source_property properties[12];
    /* In the control thread, before a lane opens; NULL: nothing. */
    void (*before_open)(struct driver *driver, const struct source_lane *lane);
    void *before_open_arg;
    struct source_kafka *source;
    pthread_t threads[BENCH_WORKERS_MAX];
    struct driver_worker {
        struct driver *driver;
        uint32_t index;
        pthread_mutex_t turn; /* held while the worker polls: on_close waits for it */
        const char *names[BENCH_LANES_MAX];
        int64_t next[BENCH_LANES_MAX];
        bool open[BENCH_LANES_MAX];
        _Atomic uint64_t polls;
    } workers[BENCH_WORKERS_MAX];
    _Atomic bool paused; /* workers leave spans alone */
    _Atomic bool taps_paused;
    _Atomic bool publishing; /* each record is finished as soon as it is seen */
    _Atomic bool ending;
    pthread_mutex_t lock; /* of what follows */
    struct seen *seen;
    size_t seen_count;
    size_t seen_room;
    uint32_t opened;
    uint32_t closed;
    uint32_t lost;
    uint32_t gone;
    uint32_t letters_done_at_close; /* the last one */
    uint32_t cleared;
    uint32_t letters_done;
    uint32_t letters_failed;
    enum sb_err letter_result;
    bool fatal;
    bool fenced;
    char trouble_what[BENCH_TEXT_LEN];
    char trouble[BENCH_TEXT_LEN]; /* the newest */
    char gap[BENCH_TEXT_LEN];     /* likewise */
};

/* Defaults: group "g", two workers, commits every 50 ms, publishing; no topics yet. */
void driver_init(struct driver *driver, const char *bootstrap);
struct source_topic *driver_topic(struct driver *driver, const char *pattern,
                                  enum source_role role);
void driver_property(struct driver *driver, const char *name, const char *value);

/* Creates the source alone. */
enum sb_err driver_new_source(struct driver *driver) SB_MUST_USE;

/* Creates the source, starts it and the workers. */
void driver_start(struct driver *driver);

/* Ends the workers, frees the source; what was seen stays. */
void driver_stop(struct driver *driver, bool commit);
void driver_clear(struct driver *driver);

/* Workers leave spans alone; when it returns none of them is in a poll that began before. */
void driver_pause(struct driver *driver);

/* Serves the source once, waiting for its fd 20 ms at most. */
void driver_turn(struct driver *driver);

/* Serves the source until the condition holds; fails the test after BENCH_WAIT_MS. */
#define DRIVER_UNTIL(driver, condition)                                                        \
    for (uint64_t until_ms_ = bench_deadline_ms(); !(condition);                               \
         bench_check_deadline(until_ms_, #condition))                                          \
    driver_turn(driver)

/* The same without serving it. */
#define BENCH_UNTIL(condition)                                                                 \
    for (uint64_t until_ms_ = bench_deadline_ms(); !(condition);                               \
         bench_check_deadline(until_ms_, #condition))                                          \
    bench_pause()

void bench_pause(void);
uint64_t bench_deadline_ms(void);
void bench_check_deadline(uint64_t until_ms, const char *condition);
uint64_t bench_now_ms(void);

/* Under the lock: how many records of that topic were seen, and how many different ones. */
size_t driver_count(struct driver *driver, const char *topic);
size_t driver_count_different(struct driver *driver, const char *topic);

/* Fails unless every partition's records were seen with rising offsets, each at one worker. */
void driver_check_order(struct driver *driver);

/* The newest trouble holds that text. */
bool driver_troubled(struct driver *driver, const char *text);
uint32_t driver_number(struct driver *driver, const uint32_t *number);

#endif
