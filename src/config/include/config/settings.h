/*
 * settings: everything that was configured, as one plain tree.
 *
 * config_load builds it, nobody changes it afterwards, so any thread may read it.  Strings
 * and arrays belong to the tree and live until settings_free.  All values are in range and
 * consistent with each other; defaults are filled in.  Durations are nanoseconds, sizes
 * bytes; strings that may be absent are NULL.  What each key means: docs/config.md.
 */
#ifndef SB_CONFIG_SETTINGS_H
#define SB_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* A librdkafka property, passed on as it is. */
struct settings_property {
    const char *name;
    const char *value;
};

struct settings_kafka {
    const char *bootstrap; /* host:port,host:port; NULL: nothing configured uses Kafka */
    struct settings_property *properties;
    uint32_t property_count;
};

struct settings_tls {
    const char *ca; /* file; NULL: the system's */
    const char *certificate;
    const char *key;
    bool insecure; /* the server's certificate is not checked */
};

/* A RabbitMQ broker and how it is spoken to. */
struct settings_rabbitmq {
    /*
     * amqp://user:password@host:port/vhost or amqps://...; never NULL.  It was checked: parts
     * are percent-encoded with nothing reserved in them, a user has a password, and there is
     * no query.  Without user: guest:guest; without port: 5672, 5671; no path and "/": the
     * vhost "/".
     */
    const char *url;
    struct settings_tls tls;
    uint64_t heartbeat_ns; /* whole seconds, 1 at least */
};

enum settings_window_on_full { SETTINGS_WINDOW_DECIDE };

struct settings_window {
    uint64_t wait_ns;
    uint64_t after_root_ns; /* 0: off */
    uint64_t idle_ns;       /* 0: off */
    uint64_t hold_ns;
    uint32_t spans_per_trace_max;
    uint64_t bytes_per_trace_max;
    enum settings_window_on_full on_full;
};

struct settings_decided {
    uint64_t memory_bytes;
};

enum settings_repair_mode {
    SETTINGS_REPAIR_OFF,
    SETTINGS_REPAIR_REPORT,
    SETTINGS_REPAIR_LINK,
    SETTINGS_REPAIR_PARENT,
    SETTINGS_REPAIR_AUTO
};
enum settings_adopt { SETTINGS_ADOPT_NONE, SETTINGS_ADOPT_ROOT };
enum settings_unseen {
    SETTINGS_UNSEEN_AUTO, /* merge while this is the group's only member, else link */
    SETTINGS_UNSEEN_MERGE,
    SETTINGS_UNSEEN_LINK
};

struct settings_repair {
    enum settings_repair_mode mode;
    bool queue_span;
    enum settings_adopt adopt;
    enum settings_unseen unseen;
    uint64_t ttl_ns;
    uint64_t replay_ns; /* default: window.wait + 1 min */
    uint64_t lateness_ns;
    uint32_t links_max; /* links that one span may be given */
};

enum settings_policy_type {
    SETTINGS_POLICY_ALWAYS_SAMPLE,
    SETTINGS_POLICY_STATUS_CODE,
    SETTINGS_POLICY_LATENCY,
    SETTINGS_POLICY_STRING_ATTRIBUTE,
    SETTINGS_POLICY_PROBABILISTIC
};

/* Bits of settings_policy.status_code.codes, by the number of the OTLP status code. */
enum {
    SETTINGS_STATUS_UNSET = 1u << 0,
    SETTINGS_STATUS_OK = 1u << 1,
    SETTINGS_STATUS_ERROR = 1u << 2
};

enum settings_hash_mode { SETTINGS_HASH, SETTINGS_CONSISTENT };

/* In file order.  `policies` holds sub-policies; no type of this version has any. */
struct settings_policy {
    const char *name; /* unique in its list */
    enum settings_policy_type type;
    union {
        struct {
            uint32_t codes; /* SETTINGS_STATUS_ bits, not 0 */
        } status_code;
        struct {
            uint64_t threshold_ns;
            uint64_t upper_threshold_ns; /* 0: none */
        } latency;
        struct {
            const char *key;
            const char *const *values; /* one at least */
            uint32_t value_count;
            bool regex;
            bool invert;
            uint32_t cache_size; /* results of regex matches that are remembered; 0: none */
        } string_attribute;
        struct {
            double percentage; /* 0 to 100 */
            const char *hash_salt;
            enum settings_hash_mode mode;
        } probabilistic;
    };
    struct settings_policy *policies;
    uint32_t policy_count;
};

enum settings_record_policy { SETTINGS_RECORD_ROOT, SETTINGS_RECORD_ALL };

struct settings_sampling {
    bool first_match;
    enum settings_record_policy record_policy;
    bool dry_run;
    struct settings_policy *policies; /* one at least */
    uint32_t policy_count;
};

enum settings_sink_type {
    SETTINGS_SINK_OTLP_HTTP,
    SETTINGS_SINK_OTLP_GRPC,
    SETTINGS_SINK_KAFKA,
    SETTINGS_SINK_RABBITMQ
};
enum settings_compression {
    SETTINGS_COMPRESSION_NONE,
    SETTINGS_COMPRESSION_GZIP,
    SETTINGS_COMPRESSION_ZSTD
};
enum settings_sink_on_full { SETTINGS_SINK_BLOCK };
enum settings_record_key { SETTINGS_KEY_HEX, SETTINGS_KEY_BYTES };
enum settings_partitioner {
    SETTINGS_PARTITIONER_MURMUR2,
    SETTINGS_PARTITIONER_CRC32,
    SETTINGS_PARTITIONER_FNV1A
};

/* Exactly one of value and file is set. */
struct settings_header {
    const char *name;
    const char *value;
    const char *file; /* read by the sink, again after a refusal, trailing newline removed */
};

struct settings_batch {
    uint32_t spans_max;
    uint64_t bytes_max;
    uint64_t linger_ns;
};

struct settings_retry {
    uint64_t initial_ns;
    uint64_t max_ns;
};

struct settings_sink {
    const char *name; /* unique */
    enum settings_sink_type type;
    /* http://host:port[/path] or https://...; one at least of otlp_http and otlp_grpc */
    const char *const *endpoints;
    uint32_t endpoint_count;
    struct settings_header *headers;
    uint32_t header_count;
    enum settings_compression compression;
    struct settings_tls tls;      /* of rabbitmq the same as broker.tls */
    const char *topic;            /* of kafka; these four are its own */
    enum settings_record_key key; /* how the trace id is written */
    enum settings_partitioner partitioner;
    struct settings_kafka kafka; /* bootstrap NULL: the worker's cluster and properties */
    const char *exchange;        /* of rabbitmq; these five are its own; "": the default one */
    const char *routing_key;     /* {trace_id} is the id in hex, {{ a brace; no other {...} */
    bool persistent;
    bool mandatory;                  /* what no queue takes comes back, and is no success */
    struct settings_rabbitmq broker; /* the effective one: the worker's where unset */
    struct settings_batch batch;
    uint64_t queue_bytes_max;
    uint32_t in_flight_max;
    uint64_t timeout_ns;
    struct settings_retry retry;
    enum settings_sink_on_full on_full;
};

enum settings_tolerance { SETTINGS_TOLERANCE_NONE, SETTINGS_TOLERANCE_ALL };

/*
 * What happens to records that can not be decoded.  Dead letters have one place at most: a
 * Kafka topic of the worker's cluster, or an exchange.  That is one of the topic's own broker
 * where the topic is of RabbitMQ, else of the worker's.
 */
struct settings_errors {
    enum settings_tolerance tolerance; /* default: all with a place for letters, else none */
    const char *deadletterqueue;       /* Kafka topic; NULL: none */
    const char *deadletterexchange;    /* RabbitMQ; NULL: none, "": the default one */
    const char *deadletterkey;         /* its routing key; of a topic with one never NULL */
    bool context_headers;              /* dead letters carry __connect.errors.* headers */
};

/* On outside bytes; what breaks one is dead-lettered. */
struct settings_limits {
    uint32_t record_bytes_max;
    uint32_t spans_max;      /* per record */
    uint32_t span_bytes_max; /* encoded */
    uint32_t depth_max;      /* nesting of AnyValue */
    uint32_t attributes_max; /* per span, event, link, resource and scope */
    uint32_t events_max;     /* per span */
    uint32_t links_max;      /* per span */
    uint32_t key_bytes_max;
    uint32_t value_bytes_max;
    uint32_t headers_max;      /* per record */
    uint32_t header_bytes_max; /* names and values of one record together */
};

enum settings_log_level {
    SETTINGS_LOG_DEBUG,
    SETTINGS_LOG_INFO,
    SETTINGS_LOG_WARN,
    SETTINGS_LOG_ERROR,
    SETTINGS_LOG_OFF
};
enum settings_log_format { SETTINGS_LOG_LOGFMT, SETTINGS_LOG_JSON };

/* By module: log.level where the file says nothing. */
struct settings_log_levels {
    enum settings_log_level admin;
    enum settings_log_level app;
    enum settings_log_level sink;
    enum settings_log_level source;
    enum settings_log_level worker;
};

struct settings_log {
    enum settings_log_level level;
    enum settings_log_format format;
    uint32_t per_second; /* lines of one event; 0: no limit */
    struct settings_log_levels levels;
};

struct settings_admin {
    const char *listen; /* host:port or port; NULL: no admin server */
};

enum settings_drain { SETTINGS_DRAIN_LEAVE, SETTINGS_DRAIN_DECIDE };

struct settings_shutdown {
    uint64_t timeout_ns;
    enum settings_drain drain; /* at SIGTERM: leave undecided traces to the broker, or decide */
};

enum settings_delivery { SETTINGS_DELIVERY_AT_LEAST_ONCE };

enum settings_source { SETTINGS_SOURCE_KAFKA, SETTINGS_SOURCE_RABBITMQ };
enum settings_role { SETTINGS_ROLE_SPANS, SETTINGS_ROLE_MESSAGES };
enum settings_encoding { SETTINGS_ENCODING_OTLP_PROTO, SETTINGS_ENCODING_OTLP_JSON };
enum settings_start {
    /* Spans: where the group stopped, else earliest.  Messages: repair.replay before the
     * oldest span record that will be read. */
    SETTINGS_START_COMMITTED,
    /* Spans: as above, this being the place where the group has no commit.  Messages: here,
     * at every start. */
    SETTINGS_START_EARLIEST,
    SETTINGS_START_LATEST
};
enum settings_tap { SETTINGS_TAP_INDEX };
enum settings_isolation { SETTINGS_READ_COMMITTED, SETTINGS_READ_UNCOMMITTED };

enum settings_exchange_type {
    SETTINGS_EXCHANGE_EXISTS, /* it is not declared */
    SETTINGS_EXCHANGE_DIRECT,
    SETTINGS_EXCHANGE_FANOUT,
    SETTINGS_EXCHANGE_TOPIC,
    SETTINGS_EXCHANGE_HEADERS,
    SETTINGS_EXCHANGE_CONSISTENT_HASH
};
enum settings_queue_type {
    SETTINGS_QUEUE_AS_IS, /* it exists: a classic or a quorum queue */
    SETTINGS_QUEUE_CLASSIC,
    SETTINGS_QUEUE_QUORUM,
    SETTINGS_QUEUE_STREAM /* declared so, or said to be one: the source looks */
};
enum settings_format { SETTINGS_FORMAT_PLAIN, SETTINGS_FORMAT_FIREHOSE };

/*
 * What is a RabbitMQ topic file's alone.  Without `declare` there is only a queue, which
 * exists; with it the queue is made and bound to the exchange by each of the bindings.
 */
struct settings_queue {
    struct settings_rabbitmq broker; /* the effective one: the worker's where unset */
    const char *queue;               /* name at the broker, 1 to 255 bytes; never NULL */
    const char *queue_configured;    /* the same without the instance; what the file says */
    const char *exchange;            /* NULL without declare */
    const char *const *bindings;     /* routing keys, one at least with declare */
    uint32_t binding_count;
    bool declare;
    enum settings_exchange_type exchange_type;
    enum settings_queue_type queue_type;
    bool dedicated;     /* messages of an existing queue are copies, and may be taken */
    uint32_t consumers; /* channels */
    uint32_t prefetch;  /* per consumer */
    enum settings_format format;
    const char *offsets; /* file with the position in a stream; of spans there never NULL */
};

/* One topic file.  errors and repair are the effective ones: the worker's where unset. */
struct settings_topic {
    const char *file; /* as named on the command line, or found in topics_dir */
    const char *name; /* unique; default: the topic, the queue as configured */
    enum settings_source source;
    const char *topic; /* a name, or a regular expression that begins with ^; NULL: rabbitmq */
    const char *const *exclude; /* of what the expression matches: names or ^expressions */
    uint32_t exclude_count;
    enum settings_role role;
    enum settings_encoding encoding;
    enum settings_start start;
    enum settings_tap tap;
    enum settings_isolation isolation;
    struct settings_errors errors;
    struct settings_repair repair;
    struct settings_property *properties; /* after the worker's, so they win */
    uint32_t property_count;
    struct settings_queue rabbitmq; /* all 0 where the source is another */
};

struct settings_private; /* memory, and where each value came from */

struct settings {
    const char *group;
    const char *instance;   /* NULL: none */
    const char *tenant;     /* resource attribute; NULL: none */
    const char *topics_dir; /* NULL: none */
    uint32_t workers;       /* 0: one per core */
    uint64_t memory_bytes;
    enum settings_delivery delivery;
    struct settings_kafka kafka;
    struct settings_rabbitmq rabbitmq;
    struct settings_window window;
    struct settings_decided decided;
    struct settings_repair repair;
    struct settings_sampling sampling;
    struct settings_sink *sinks; /* one at least */
    uint32_t sink_count;
    struct settings_errors errors;
    struct settings_limits limits;
    struct settings_log log;
    struct settings_shutdown shutdown;
    struct settings_admin admin;
    struct settings_topic *topics; /* one with role spans at least */
    uint32_t topic_count;
    struct settings_private *private;
};

/* NULL is taken. */
void settings_free(struct settings *settings);

#endif
