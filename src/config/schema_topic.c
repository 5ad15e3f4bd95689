/* schema: topic files. */
#include "config/settings.h"
#include "schema_keys.h"

const struct schema_word schema_repair_modes[] = {{"off", SETTINGS_REPAIR_OFF, false},
                                                  {"report", SETTINGS_REPAIR_REPORT, false},
                                                  {"link", SETTINGS_REPAIR_LINK, false},
                                                  {"parent", SETTINGS_REPAIR_PARENT, false},
                                                  {"auto", SETTINGS_REPAIR_AUTO, false},
                                                  {"both", 0, true},
                                                  {"split", 0, true},
                                                  {NULL, 0, false}};
const struct schema_word schema_adopts[] = {{"none", SETTINGS_ADOPT_NONE, false},
                                            {"root", SETTINGS_ADOPT_ROOT, false},
                                            {NULL, 0, false}};
const struct schema_word schema_unseens[] = {{"auto", SETTINGS_UNSEEN_AUTO, false},
                                             {"merge", SETTINGS_UNSEEN_MERGE, false},
                                             {"link", SETTINGS_UNSEEN_LINK, false},
                                             {NULL, 0, false}};
const struct schema_word schema_tolerances[] = {{"none", SETTINGS_TOLERANCE_NONE, false},
                                                {"all", SETTINGS_TOLERANCE_ALL, false},
                                                {NULL, 0, false}};

static const struct schema_word sources[] = {{"kafka", SETTINGS_SOURCE_KAFKA, false},
                                             {"rabbitmq", SETTINGS_SOURCE_RABBITMQ, false},
                                             {NULL, 0, false}};
static const struct schema_word roles[] = {{"spans", SETTINGS_ROLE_SPANS, false},
                                           {"messages", SETTINGS_ROLE_MESSAGES, false},
                                           {NULL, 0, false}};
static const struct schema_word encodings[] = {
    {"otlp_proto", SETTINGS_ENCODING_OTLP_PROTO, false},
    {"otlp_json", SETTINGS_ENCODING_OTLP_JSON, false},
    {NULL, 0, false}};
static const struct schema_word starts[] = {{"committed", SETTINGS_START_COMMITTED, false},
                                            {"earliest", SETTINGS_START_EARLIEST, false},
                                            {"latest", SETTINGS_START_LATEST, false},
                                            {NULL, 0, false}};
static const struct schema_word taps[] = {{"index", SETTINGS_TAP_INDEX, false},
                                          {NULL, 0, false}};
static const struct schema_word isolations[] = {
    {"read_committed", SETTINGS_READ_COMMITTED, false},
    {"read_uncommitted", SETTINGS_READ_UNCOMMITTED, false},
    {NULL, 0, false}};

static const struct schema_word exchange_types[] = {
    {"direct", SETTINGS_EXCHANGE_DIRECT, false},
    {"fanout", SETTINGS_EXCHANGE_FANOUT, false},
    {"topic", SETTINGS_EXCHANGE_TOPIC, false},
    {"headers", SETTINGS_EXCHANGE_HEADERS, false},
    {"x-consistent-hash", SETTINGS_EXCHANGE_CONSISTENT_HASH, false},
    {NULL, 0, false}};
static const struct schema_word queue_types[] = {{"classic", SETTINGS_QUEUE_CLASSIC, false},
                                                 {"quorum", SETTINGS_QUEUE_QUORUM, false},
                                                 {"stream", SETTINGS_QUEUE_STREAM, false},
                                                 {NULL, 0, false}};
static const struct schema_word formats[] = {{"plain", SETTINGS_FORMAT_PLAIN, false},
                                             {"firehose", SETTINGS_FORMAT_FIREHOSE, false},
                                             {NULL, 0, false}};

/* The axes of topic files. */
enum { ROLE, SOURCE };
#define SPANS    SCHEMA_KIND(ROLE, SETTINGS_ROLE_SPANS)
#define MESSAGES SCHEMA_KIND(ROLE, SETTINGS_ROLE_MESSAGES)
#define KAFKA    SCHEMA_KIND(SOURCE, SETTINGS_SOURCE_KAFKA)
#define RABBITMQ SCHEMA_KIND(SOURCE, SETTINGS_SOURCE_RABBITMQ)

static const struct schema_key topic_keys[] = {
    {.path = "name",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_SAMPLE,
     AT(settings_topic, name),
     .derived = "the topic or queue",
     .sample = "otlp_spans",
     .help = "Name in logs and metrics; no two topic files share one."},
    {.path = "source",
     .type = SCHEMA_WORD,
     .flags = SCHEMA_SAMPLE,
     AT(settings_topic, source),
     .words = sources,
     .preset = "kafka",
     .help = "Kind of broker."},
    {.path = "topic",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_REQUIRED | SCHEMA_SAMPLE,
     AT(settings_topic, topic),
     .kinds = KAFKA,
     .sample = "otlp_spans",
     .help = "Topic, or with ^ in front a regular expression that covers many: "
             "\"^orders\\\\..*\"."},
    {.path = "exclude",
     .type = SCHEMA_TEXTS,
     LIST(settings_topic, exclude, exclude_count),
     .kinds = KAFKA,
     .max = 1000,
     .sample = "[ \"orders.internal\" ]",
     .help = "Topics that the expression matches but that are not meant: names, or "
             "expressions with ^ in front."},
    {.path = "role",
     .type = SCHEMA_WORD,
     .flags = SCHEMA_REQUIRED | SCHEMA_SAMPLE,
     AT(settings_topic, role),
     .words = roles,
     .sample = "spans",
     .help = "spans: its records are OTLP and are finished by the bridge. messages: business "
             "messages, read for their headers and never taken from anybody."},
    {.path = "encoding",
     .type = SCHEMA_WORD,
     .flags = SCHEMA_SAMPLE,
     AT(settings_topic, encoding),
     .words = encodings,
     .kinds = SPANS,
     .preset = "otlp_proto",
     .help = "How spans are encoded: ExportTraceServiceRequest as protobuf or JSON."},
    {.path = "start",
     .type = SCHEMA_WORD,
     .flags = SCHEMA_SAMPLE,
     AT(settings_topic, start),
     .words = starts,
     .preset = "committed",
     .sample = "earliest",
     .help = "Where reading begins. Spans: where the group stopped; without a commit at the "
             "earliest record, or at the latest if it says so. Messages: committed is "
             "repair.replay before the oldest span record that will be read. Of RabbitMQ "
             "only streams have a start."},
    {.path = "tap",
     .type = SCHEMA_WORD,
     AT(settings_topic, tap),
     .words = taps,
     .kinds = MESSAGES,
     .preset = "index",
     .help = "How messages are used: index remembers coordinates and contexts."},
    {.path = "isolation",
     .type = SCHEMA_WORD,
     AT(settings_topic, isolation),
     .kinds = KAFKA,
     .words = isolations,
     .preset = "read_committed",
     .help = "Whether records of open and aborted transactions are read."},
    {.path = "timestamps", LATER("joining by record time")},
    ERRORS_KEYS(settings_topic, INHERIT, SPANS),
    REPAIR_KEYS(settings_topic, INHERIT),
    {.path = "kafka.properties",
     .type = SCHEMA_LIST,
     LIST(settings_topic, properties, property_count),
     .kinds = KAFKA,
     .list = &schema_property,
     .max = 500,
     .sample = "( { name = \"check.crcs\"; value = \"true\"; } )",
     .help = "librdkafka properties for this topic, on top of the worker's."},
    {.path = "queue",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_REQUIRED,
     AT(settings_topic, rabbitmq.queue_configured),
     .kinds = RABBITMQ,
     .sample = "otlp_spans",
     .help = "Queue that is read. With declare it is made and bound to the exchange; of "
             "messages that is a queue of our own, whose name ends in .INSTANCE where the "
             "worker file has an instance."},
    {.path = "exchange",
     .type = SCHEMA_TEXT,
     AT(settings_topic, rabbitmq.exchange),
     .kinds = RABBITMQ,
     .sample = "notify",
     .derived = "none; of the firehose amq.rabbitmq.trace",
     .help = "Exchange that the queue is bound to, with declare."},
    {.path = "binding",
     .type = SCHEMA_TEXTS,
     .flags = SCHEMA_BARE | SCHEMA_EMPTY,
     LIST(settings_topic, rabbitmq.bindings, rabbitmq.binding_count),
     .kinds = RABBITMQ,
     .min = 1,
     .max = 1000,
     .sample = "[ \"order.*\", \"payment.#\" ]",
     .derived = "\"#\"; of x-consistent-hash \"1\"",
     .help = "Routing keys of the bindings; of an x-consistent-hash exchange the queue's "
             "weight."},
    {.path = "declare",
     .type = SCHEMA_SWITCH,
     AT(settings_topic, rabbitmq.declare),
     .kinds = RABBITMQ,
     .preset = "false",
     .help = "Make queue and bindings where they are missing. Without it the queue must exist "
             "and is used as it is."},
    {.path = "exchange_type",
     .type = SCHEMA_WORD,
     AT(settings_topic, rabbitmq.exchange_type),
     .words = exchange_types,
     .kinds = RABBITMQ,
     .derived = "not declared",
     .help = "Make the exchange, too, of this type. Without it the exchange must exist."},
    {.path = "queue_type",
     .type = SCHEMA_WORD,
     AT(settings_topic, rabbitmq.queue_type),
     .words = queue_types,
     .kinds = RABBITMQ,
     .derived = "with declare classic for messages, quorum for spans",
     .help = "Type of a queue that is declared. stream without declare says that the queue "
             "is one: reading it takes nothing away."},
    {.path = "dedicated",
     .type = SCHEMA_SWITCH,
     AT(settings_topic, rabbitmq.dedicated),
     .kinds = RABBITMQ,
     .preset = "false",
     .help = "The word that an existing queue holds copies for the bridge alone: what is read "
             "from it is gone."},
    {.path = "consumers",
     .type = SCHEMA_COUNT,
     AT(settings_topic, rabbitmq.consumers),
     .kinds = RABBITMQ,
     .preset = "1",
     .min = 1,
     .max = 64,
     .help = "Channels that read the queue, each with its own prefetch."},
    {.path = "prefetch",
     .type = SCHEMA_COUNT,
     AT(settings_topic, rabbitmq.prefetch),
     .kinds = RABBITMQ,
     .preset = "10000",
     .min = 1,
     .max = 65535,
     .help = "Records of one consumer that may be under way. Those of undecided traces are, "
             "so that at most prefetch * consumers / window.wait records per second pass."},
    {.path = "format",
     .type = SCHEMA_WORD,
     AT(settings_topic, rabbitmq.format),
     .words = formats,
     .kinds = RABBITMQ,
     .preset = "plain",
     .help = "Messages as they were published, or as the tracing exchange (firehose) wraps "
             "them."},
    {.path = "offsets",
     .type = SCHEMA_TEXT,
     .flags = SCHEMA_PATH,
     AT(settings_topic, rabbitmq.offsets),
     .kinds = RABBITMQ,
     .sample = "otlp_spans.offset",
     .derived = "(required for a stream)",
     .help = "File that keeps the position in a stream over a restart; its folder must be "
             "writable."},
    BROKER_KEYS("", settings_topic, rabbitmq.broker, RABBITMQ, FROM_WORKER),
    TLS_KEYS("tls.", settings_topic, rabbitmq.broker.tls, RABBITMQ, "the worker's",
             "the worker's"),
    {.path = "relay", LATER("relaying")},
    {.path = "head", LATER("head sampling")},
    {.path = "filter", LATER("span filters")},
};

const struct schema schema_topic = {
    .name = "a topic file",
    .keys = topic_keys,
    .count = sizeof(topic_keys) / sizeof(*topic_keys),
    .size = sizeof(struct settings_topic),
    .help = "One file per Kafka topic or RabbitMQ queue, after the worker file on the command "
            "line or in `topics_dir`.",
    .kind_keys = {"role", "source"},
    .kind_mismatch_goes = true,
};
