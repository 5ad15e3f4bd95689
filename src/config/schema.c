/* schema: the worker file, and what is common to all tables. */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "number.h"
#include "schema_keys.h"

static const struct schema_word later_deliveries[] = {
    {"at_least_once", SETTINGS_DELIVERY_AT_LEAST_ONCE, false},
    {"transactional", 0, true},
    {NULL, 0, false}};
static const struct schema_word window_on_full[] = {
    {"decide", SETTINGS_WINDOW_DECIDE, false}, {"spill", 0, true}, {NULL, 0, false}};
static const struct schema_word record_policies[] = {{"root", SETTINGS_RECORD_ROOT, false},
                                                     {"all", SETTINGS_RECORD_ALL, false},
                                                     {NULL, 0, false}};
static const struct schema_word log_levels[] = {
    {"debug", SETTINGS_LOG_DEBUG, false}, {"info", SETTINGS_LOG_INFO, false},
    {"warn", SETTINGS_LOG_WARN, false},   {"error", SETTINGS_LOG_ERROR, false},
    {"off", SETTINGS_LOG_OFF, false},     {NULL, 0, false}};
static const struct schema_word log_formats[] = {{"logfmt", SETTINGS_LOG_LOGFMT, false},
                                                 {"json", SETTINGS_LOG_JSON, false},
                                                 {NULL, 0, false}};
static const struct schema_word drains[] = {{"leave", SETTINGS_DRAIN_LEAVE, false},
                                            {"decide", SETTINGS_DRAIN_DECIDE, false},
                                            {NULL, 0, false}};

/* For `config init`: one of each type. */
#define SAMPLE_POLICIES                                                                        \
    "(\n"                                                                                      \
    "        { name = \"errors\"; type = \"status_code\"; status_codes = [ \"ERROR\" ]; },\n"  \
    "        { name = \"slow\"; type = \"latency\"; threshold = \"2s\"; },\n"                  \
    "        { name = \"vip\"; type = \"string_attribute\"; key = \"customer.tier\";\n"        \
    "          values = [ \"platinum\", \"enterprise\" ]; },\n"                                \
    "        { name = \"rest\"; type = \"probabilistic\"; percentage = 5.0; }\n"               \
    "    )"

#define LIMIT(name, member, type_, preset_, min_, max_, help_)                                 \
    {                                                                                          \
        .path = "limits." name, .type = (type_), AT(settings, limits.member),                  \
        .preset = (preset_), .min = (min_), .max = (max_), .help = (help_)                     \
    }

#define LOG_MODULE(name, member, help_)                                                        \
    {                                                                                          \
        .path = "log.levels." name, .type = SCHEMA_WORD, AT(settings, log.levels.member),      \
        .words = log_levels, .derived = "log.level", .help = "The level of " help_             \
    }

static const struct schema_key worker_keys[] = {
    {.path = "group",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_SAMPLE,
     AT(settings, group),
     .preset = "spanbridge",
     .help = "Consumer group; also the prefix of client ids."},
    {.path = "instance",
     .type = SCHEMA_TEXT,
     AT(settings, instance),
     .sample = "${HOSTNAME}",
     .help = "Names this instance for static group membership: a restart within the session "
             "timeout moves no partition. No two instances may share it."},
    {.path = "workers",
     .type = SCHEMA_COUNT,
     AT(settings, workers),
     .preset = "0",
     .max = 256,
     .help = "Threads that own partitions and traces; 0: one per core."},
    {.path = "memory",
     .type = SCHEMA_SIZE,
     .flags = SCHEMA_SAMPLE,
     AT(settings, memory_bytes),
     .preset = "2GiB",
     .min = 64 * MIB,
     .max = 4096 * GIB,
     .help = "Windows and sink queues together. When it is used up, intake waits."},
    {.path = "delivery",
     .type = SCHEMA_WORD,
     AT(settings, delivery),
     .words = later_deliveries,
     .preset = "at_least_once",
     .help = "An offset is committed only when every span up to it is finished."},
    {.path = "tenant",
     .type = SCHEMA_TEXT,
     AT(settings, tenant),
     .sample = "tenant.id",
     .help = "Resource attribute that separates tenants: traces are never joined across it."},
    {.path = "topics_dir",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_SAMPLE | SCHEMA_PATH,
     AT(settings, topics_dir),
     .sample = "topics",
     .help = "Folder whose *.conf files are topic files, besides those on the command line."},

    {.path = "kafka.bootstrap",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_SAMPLE,
     AT(settings, kafka.bootstrap),
     .sample = "localhost:9092",
     .derived = "(required where Kafka is used)",
     .help = "Brokers to start from, as host:port,host:port."},
    {.path = "kafka.properties",
     .type = SCHEMA_LIST,
     LIST(settings, kafka.properties, kafka.property_count),
     .list = &schema_property,
     .max = 500,
     .sample = "( { name = \"fetch.wait.max.ms\"; value = \"100\"; } )",
     .help =
         "librdkafka properties (TLS, SASL, assignor, fetch sizes), passed on as they are."},

    BROKER_KEYS("rabbitmq.", settings, rabbitmq, 0, FROM_PRESET),
    TLS_KEYS("rabbitmq.tls.", settings, rabbitmq.tls, 0, "the system's", NULL),

    {.path = "window.wait",
     .type = SCHEMA_DURATION,
     .flags = SCHEMA_SAMPLE,
     AT(settings, window.wait_ns),
     .preset = "30s",
     .min = MILLISECOND,
     .max = DAY,
     .help = "A trace is decided this long after its first span was seen."},
    {.path = "window.after_root",
     .type = SCHEMA_DURATION,
     AT(settings, window.after_root_ns),
     .preset = "0s",
     .max = DAY,
     .help = "Decide this long after the root was seen; 0s: off."},
    {.path = "window.idle",
     .type = SCHEMA_DURATION,
     AT(settings, window.idle_ns),
     .preset = "0s",
     .max = DAY,
     .help = "Decide this long after the last span was seen; 0s: off."},
    {.path = "window.hold",
     .type = SCHEMA_DURATION,
     AT(settings, window.hold_ns),
     .preset = "2m",
     .max = DAY,
     .help = "A trace with a message on its way, or with a source that has not begun, is held "
             "at most this long, from its first span."},
    {.path = "window.spans_per_trace",
     .type = SCHEMA_COUNT,
     AT(settings, window.spans_per_trace_max),
     .preset = "20000",
     .min = 1,
     .max = 1000000,
     .help = "A trace that reaches it is decided; later spans follow the verdict."},
    {.path = "window.bytes_per_trace",
     .type = SCHEMA_SIZE,
     AT(settings, window.bytes_per_trace_max),
     .preset = "16MiB",
     .min = 64 * KIB,
     .max = GIB,
     .help = "The same, in encoded bytes."},
    {.path = "window.on_full",
     .type = SCHEMA_WORD,
     AT(settings, window.on_full),
     .words = window_on_full,
     .preset = "decide",
     .help = "When memory is used up: decide the oldest traces at once."},
    {.path = "window.clock", LATER("the event clock")},

    {.path = "decided.memory",
     .type = SCHEMA_SIZE,
     AT(settings, decided.memory_bytes),
     .preset = "64MiB",
     .min = 64 * KIB,
     .max = 64 * GIB,
     .help = "Memory of past verdicts, so that late spans follow them; the oldest go first."},

    REPAIR_KEYS(settings, NO_INHERIT),

    {.path = "sampling.first_match",
     .type = SCHEMA_SWITCH,
     .flags = SCHEMA_RELOADABLE,
     AT(settings, sampling.first_match),
     .preset = "false",
     .help = "Stop at the first policy that keeps."},
    {.path = "sampling.record_policy",
     .type = SCHEMA_WORD,
     .flags = SCHEMA_RELOADABLE,
     AT(settings, sampling.record_policy),
     .words = record_policies,
     .preset = "root",
     .help = "Spans that carry spanbridge.policy: the root, or all."},
    {.path = "sampling.dry_run",
     .type = SCHEMA_SWITCH,
     .flags = SCHEMA_RELOADABLE,
     AT(settings, sampling.dry_run),
     .preset = "false",
     .help = "Drop nothing; verdicts are only recorded."},
    {.path = "sampling.policies",
     .type = SCHEMA_LIST,
     .flags = SCHEMA_REQUIRED | SCHEMA_OUTPUT | SCHEMA_RELOADABLE | SCHEMA_SAMPLE,
     LIST(settings, sampling.policies, sampling.policy_count),
     .list = &schema_policy,
     .min = 1,
     .max = 64,
     .sample = SAMPLE_POLICIES,
     .help = "A trace is kept when one of them wants it, else dropped."},
    {.path = "sampling.compat", LATER("compatibility with other samplers")},
    {.path = "sampling.link_groups", LATER("one verdict for linked traces")},
    {.path = "sampling.rescue", LATER("rescue of dropped traces")},

    {.path = "sinks",
     .type = SCHEMA_LIST,
     .flags = SCHEMA_REQUIRED | SCHEMA_OUTPUT | SCHEMA_SAMPLE,
     LIST(settings, sinks, sink_count),
     .list = &schema_sink,
     .min = 1,
     .max = 32,
     .help = "Where kept spans go; each sink gets all of them."},

    ERRORS_KEYS(settings, NO_INHERIT, 0),

    LIMIT("record_bytes", record_bytes_max, SCHEMA_SIZE32, "16MiB", KIB, GIB,
          "Size of a record."),
    LIMIT("spans", spans_max, SCHEMA_COUNT, "50000", 1, 10000000, "Spans in a record."),
    LIMIT("span_bytes", span_bytes_max, SCHEMA_SIZE32, "4MiB", KIB, GIB,
          "Encoded size of a span."),
    LIMIT("depth", depth_max, SCHEMA_COUNT, "32", 1, 100,
          "Nesting of lists and maps in an attribute's value."),
    LIMIT("attributes", attributes_max, SCHEMA_COUNT, "512", 1, 100000,
          "Attributes of a span, event, link, resource or scope."),
    LIMIT("events", events_max, SCHEMA_COUNT, "512", 1, 100000, "Events of a span."),
    LIMIT("links", links_max, SCHEMA_COUNT, "512", 1, 100000, "Links of a span."),
    LIMIT("key_bytes", key_bytes_max, SCHEMA_SIZE32, "1KiB", 16, MIB,
          "Length of an attribute's key."),
    LIMIT("value_bytes", value_bytes_max, SCHEMA_SIZE32, "64KiB", 16, GIB,
          "Length of a string or bytes value."),
    LIMIT("headers", headers_max, SCHEMA_COUNT, "256", 1, 10000, "Headers of a message."),
    LIMIT("header_bytes", header_bytes_max, SCHEMA_SIZE32, "64KiB", KIB, 16 * MIB,
          "Names and values of all headers of a message together."),

    {.path = "log.level",
     .type = SCHEMA_WORD,
     AT(settings, log.level),
     .words = log_levels,
     .preset = "info",
     .help = "Least severity that is written to stderr."},
    {.path = "log.format",
     .type = SCHEMA_WORD,
     AT(settings, log.format),
     .words = log_formats,
     .preset = "logfmt",
     .help = "One line per event: key=value pairs, or JSON."},
    {.path = "log.per_second",
     .type = SCHEMA_COUNT,
     AT(settings, log.per_second),
     .preset = "5",
     .max = 100000,
     .help = "Lines per second of one event, what is suppressed being counted; 0: no limit."},
    LOG_MODULE("admin", admin, "the server of /metrics and /health."),
    LOG_MODULE("app", app, "start, end and what the service does as a whole."),
    LOG_MODULE("sink", sink, "exports and refusals."),
    LOG_MODULE("source", source, "partitions, commits, brokers, and librdkafka's own lines."),
    LOG_MODULE("worker", worker, "dead letters and topics that stop."),

    {.path = "shutdown.timeout",
     .type = SCHEMA_DURATION,
     AT(settings, shutdown.timeout_ns),
     .preset = "60s",
     .min = 100 * MILLISECOND,
     .max = HOUR,
     .help = "Time for the last exports after SIGTERM; past it the exit code is 75."},
    {.path = "shutdown.drain",
     .type = SCHEMA_WORD,
     AT(settings, shutdown.drain),
     .words = drains,
     .preset = "leave",
     .help = "Undecided traces at SIGTERM: leave them to the broker and the next start, or "
             "decide them on what is there."},

    {.path = "admin.listen",
     .type = SCHEMA_TEXT,
     AT(settings, admin.listen),
     .sample = "127.0.0.1:8083",
     .help = "Address of /metrics and /health, as host:port or [v6]:port; a port alone is one "
             "of 127.0.0.1, port 0 is any free one (it is logged). Not set: no such server."},

    {.path = "head", LATER("head sampling")},
    {.path = "filter", LATER("span filters")},
    {.path = "relay", LATER("relaying")},
    {.path = "scale", LATER("scaling over internal topics")},
};

const struct schema schema_worker = {
    .name = "the worker file",
    .keys = worker_keys,
    .count = sizeof(worker_keys) / sizeof(*worker_keys),
    .size = sizeof(struct settings),
    .help = "One per process: `spanbridge run WORKER.conf [TOPIC.conf ...]`.",
};

const struct schema_alias schema_aliases[] = {
    {"bootstrap.servers", "kafka.bootstrap"},
    {"brokers", "kafka.bootstrap"},
    {"amqp", "rabbitmq"},
    {"group_id", "group"},
    {"tasks.max", "workers"},
    {"threads", "workers"},
    {"memory_limit", "memory"},
    {"decision_wait", "window.wait"},
    {"num_traces", "memory"},
    {"decision_cache", "decided.memory"},
    {"exporters", "sinks"},
    {"outputs", "sinks"},
    {"sampling_percentage", "percentage"},
    {"upper_threshold_ms", "upper_threshold"},
    {"enabled_regex_matching", "regex"},
    {"cache_max_size", "cache_size"},
    {"invert_match", "invert"},
    {"url", "endpoint"},
    {"address", "endpoint"},
    {"ca_file", "tls.ca"},
    {"cert_file", "tls.certificate"},
    {"cert", "tls.certificate"},
    {"key_file", "tls.key"},
    {"insecure_skip_verify", "tls.insecure"},
    {"send_batch_size", "batch.spans"},
    {"flush_interval", "batch.linger"},
    {"initial_interval", "retry.initial"},
    {"max_interval", "retry.max"},
    {"retry_on_failure", "retry"},
    {"sending_queue", "queue"},
    {"queue_size", "queue"},
    {"auto.offset.reset", "start"},
    {"initial_offset", "start"},
    {"dlq", "errors.deadletterqueue"},
    {"dead_letter_queue", "errors.deadletterqueue"},
    {"dlx", "errors.deadletterexchange"},
    {"dead_letter_exchange", "errors.deadletterexchange"},
    {"isolation.level", "isolation"},
    {"queue_spans", "repair.queue_span"},
    {NULL, NULL},
};

const struct schema_key *schema_find(const struct schema *schema, const char *path)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->keys[i].path, path) == 0)
            return &schema->keys[i];
    }
    return NULL;
}

unsigned schema_axis(unsigned kinds, unsigned axis)
{
    return kinds >> (axis * SCHEMA_AXIS_BITS) & ((1U << SCHEMA_AXIS_BITS) - 1);
}

bool schema_fits(const struct schema_key *key, unsigned kind)
{
    for (unsigned axis = 0; axis < SCHEMA_AXES; axis++) {
        unsigned wanted = schema_axis(key->kinds, axis);
        if (wanted != 0 && (wanted & schema_axis(kind, axis)) == 0)
            return false;
    }
    return true;
}

size_t schema_field_size(enum schema_type type)
{
    switch (type) {
    case SCHEMA_TEXT:
    case SCHEMA_TEXTS:
    case SCHEMA_LIST:
        return sizeof(void *);
    case SCHEMA_SWITCH:
        return sizeof(bool);
    case SCHEMA_COUNT:
    case SCHEMA_SIZE32:
    case SCHEMA_STATUSES:
        return sizeof(uint32_t);
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
        return sizeof(uint64_t);
    case SCHEMA_PERCENT:
        return sizeof(double);
    case SCHEMA_WORD:
        return sizeof(enum schema_type);
    case SCHEMA_LATER:
        break;
    }
    return 0;
}

const char *schema_word_of(const struct schema_word *words, int value)
{
    for (; words->word != NULL; words++) {
        if (words->value == value && !words->later)
            return words->word;
    }
    return NULL;
}

const struct schema_word *schema_next_word(const struct schema_word *word, unsigned kinds)
{
    for (; word->word != NULL; word++) {
        if (!word->later && (kinds == 0 || (kinds & (1U << word->value)) != 0))
            return word;
    }
    return NULL;
}

void schema_list_words(const struct schema_word *words, unsigned kinds, char *ret, size_t room)
{
    size_t len = 0;
    ret[0] = '\0';
    for (const struct schema_word *at = schema_next_word(words, kinds); at != NULL;
         at = schema_next_word(at + 1, kinds)) {
        int added = snprintf(ret + len, room - len, "%s%s", len == 0 ? "" : ", ", at->word);
        if (added < 0 || (size_t)added >= room - len)
            return;
        len += (size_t)added;
    }
}

bool schema_is_group(const struct schema *schema, const char *path)
{
    size_t len = strlen(path);
    for (uint32_t i = 0; i < schema->count; i++) {
        const char *key = schema->keys[i].path;
        if (strncmp(key, path, len) == 0 && key[len] == '.')
            return true;
    }
    return false;
}

const char *schema_leaf(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL ? path : dot + 1;
}

bool schema_property_is_secret(const char *name)
{
    /* Key material, and what holds secrets in some set-ups. */
    return strcmp(name, "ssl.key.pem") == 0 || strcmp(name, "sasl.oauthbearer.config") == 0 ||
           name_is_secret(bytes_text(name));
}
