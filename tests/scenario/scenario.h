/*
 * scenario: the whole service in the test's process, between librdkafka's mock cluster and
 * scripted backends.
 *
 * A test starts a scenario, names topics and sinks, puts records, runs the service (as often
 * as it likes), and looks at what the backends and the cluster got.  Waits are for conditions,
 * with a deadline that fails the test.  All functions belong to the test's thread.
 */
#ifndef SB_TEST_SCENARIO_H
#define SB_TEST_SCENARIO_H

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "config/settings.h"
#include "spans.h"
#include "support/otlp_receiver.h"
#include "support/temp_dir.h"
#include "support/test.h"

enum { SINKS_MAX = 2, TOPICS_MAX = 4, TAG_LEN = 32, WAIT_S = 60 };

/* A span as a backend took it. */
struct seen {
    struct trace_id trace;
    uint64_t id;
    uint64_t parent; /* 0: a root */
    uint32_t links;
    bool synthetic;
    char policy[TAG_LEN]; /* "": the attribute is not there */
    char reason[TAG_LEN]; /* spanbridge.complete_reason */
    char rule[TAG_LEN];
    char action[TAG_LEN];
};

enum weather {
    SINK_UP,
    SINK_BUSY,   /* 503 */
    SINK_CUTS,   /* the connection drops */
    SINK_REFUSES /* 400 for requests that hold the span `refused` */
};

struct backend {
    struct otlp_receiver *receiver;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    enum weather weather;
    uint64_t refused;
    uint32_t requests; /* of all weathers */
    bool unreadable;   /* a request that the oracle does not take came */
    struct seen *seen; /* in order of arrival, copies too */
    size_t count;
    size_t room;
};

struct scenario {
    /* Set between scenario_start and scenario_run. */
    uint32_t workers;
    const char *window;     /* inside of `window = { ... };` */
    const char *policies;   /* inside of `policies = ( ... );` */
    const char *batch;      /* inside of `batch = { ... };` of every sink */
    const char *sink;       /* more lines of every sink */
    const char *more;       /* more lines of the worker file */
    const char *kafka_sink; /* lines of a Kafka sink called "kept"; NULL: there is none */
    bool kafka_alone;       /* there is no other sink */
    uint64_t memory_bytes;  /* past the configuration's lower bound; 0: as configured */
    bool stays;             /* runs until scenario_stop_run: no --drain */
    bool watched;           /* with an admin server: see scenario_admin */
    bool observes;          /* only looks: --observe */

    struct temp_dir dir;
    rd_kafka_t *kafka; /* producer, and host of the mock cluster */
    rd_kafka_mock_cluster_t *cluster;
    struct backend backends[SINKS_MAX];
    uint32_t sink_count;
    char topics[TOPICS_MAX][TEMP_DIR_PATH_LEN];
    uint32_t topic_count;

    struct settings *settings;
    pthread_t thread;
    int stop_fds[2];
    bool running;
    int exit_code;
    char admin[TEMP_DIR_PATH_LEN]; /* where the admin server listens */
    sem_t listening;               /* posted when it does */
    json_t *summary;               /* of the last run */
};

/* With a cluster and one sink; one worker, a long window, every trace kept. */
void scenario_start(struct scenario *scenario);
void scenario_end(struct scenario *scenario);

/* One more backend. */
void scenario_add_sink(struct scenario *scenario);
void scenario_weather(struct scenario *scenario, uint32_t sink, enum weather weather);

/* Topics of spans, of messages, and without a topic file.  `more`: lines of the file. */
void scenario_span_topic(struct scenario *scenario, const char *name, int partitions,
                         const char *more);
void scenario_message_topic(struct scenario *scenario, const char *name, int partitions,
                            const char *more);
void scenario_bare_topic(struct scenario *scenario, const char *name, int partitions);

/* One record with these spans, or with these bytes. */
void scenario_put(struct scenario *scenario, const char *topic, int32_t partition,
                  const struct span_spec *spans, size_t count);
void scenario_put_bytes(struct scenario *scenario, const char *topic, int32_t partition,
                        struct bytes value);
/* A business message; `context` in its traceparent, NULL: without. */
void scenario_put_message(struct scenario *scenario, const char *topic, int32_t partition,
                          const struct span_context *context);

/* Waits until all that was put has arrived in the cluster. */
void scenario_flush(struct scenario *scenario);

/* A record of a topic, copied; free with record_copy_clear. */
struct record_copy {
    uint8_t *value;
    size_t len;
    rd_kafka_headers_t *headers;
};
/*
 * All records of the topic "kept" of that cluster (NULL: the scenario's), to its end.  Their
 * spans are noted as those of the first backend, which must not have any.
 */
struct kept_record {
    int32_t partition;
    char key[TAG_LEN + 1];
    size_t key_len;
    size_t value_len;
    struct trace_id trace; /* of all its spans */
};
size_t scenario_read_kept(struct scenario *scenario, const char *bootstrap, int32_t partitions,
                          struct kept_record *ret, size_t room);

/* The first `count` records of partition 0; waits for them. */
void scenario_read(struct scenario *scenario, const char *topic, struct record_copy *ret,
                   size_t count);
void record_copy_clear(struct record_copy *record);
bool record_has_header(const struct record_copy *record, const char *name, const char *value);

/* -1: none. */
int64_t scenario_committed(struct scenario *scenario, const char *topic, int32_t partition);

/* Writes and loads the files and starts the service. */
void scenario_run(struct scenario *scenario);
void scenario_stop_run(struct scenario *scenario);
/* Waits for its end; fails the test when the end is not `exit_code`. */
void scenario_join(struct scenario *scenario, int exit_code);
/* Waits until the admin server of this run listens; its address. */
const char *scenario_admin(struct scenario *scenario);
/* run and join. */
void scenario_drain(struct scenario *scenario, int exit_code);

/* A number of the final line: "read.spans", "dropped.no_policy"; 0 when it is not there. */
int64_t scenario_total(const struct scenario *scenario, const char *path);

/* Waits until so many spans, or requests, came to the sink in all. */
void scenario_wait_spans(struct scenario *scenario, uint32_t sink, size_t count);
void scenario_wait_requests(struct scenario *scenario, uint32_t sink, uint32_t more);
size_t scenario_span_count(struct scenario *scenario, uint32_t sink);
/* The first span with that id at the sink; NULL: it did not come.  Not while running. */
const struct seen *scenario_find(struct scenario *scenario, uint32_t sink, uint64_t id);
size_t scenario_copies(struct scenario *scenario, uint32_t sink, uint64_t id);
/* Forgets what came so far. */
void scenario_forget(struct scenario *scenario, uint32_t sink);

/* A trace id that spreads over workers, and is the same in every run. */
struct trace_id scenario_trace(uint64_t number);

/* Used inside the harness. */
void backend_open(struct backend *backend);
void backend_close(struct backend *backend);
/* Takes an encoded request for one that came. */
void backend_note(struct backend *backend, struct bytes message);
void kafka_open(struct scenario *scenario);
void kafka_close(struct scenario *scenario);
struct timespec scenario_deadline(void);

#endif
