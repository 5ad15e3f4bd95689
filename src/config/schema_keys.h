/*
 * schema_keys: shorthand of the tables, and rows that two of them share.
 */
#ifndef SB_CONFIG_SCHEMA_KEYS_H
#define SB_CONFIG_SCHEMA_KEYS_H

#include "schema.h"

#define KIB         UINT64_C(1024)
#define MIB         (KIB * 1024)
#define GIB         (MIB * 1024)
#define MILLISECOND UINT64_C(1000000)
#define SECOND      (MILLISECOND * 1000)
#define HOUR        (SECOND * 3600)
#define DAY         (HOUR * 24)

#define AT(owner, member) .offset = offsetof(struct owner, member)
#define LIST(owner, member, count_member)                                                      \
    .offset = offsetof(struct owner, member),                                                  \
    .count_offset = offsetof(struct owner, count_member)
#define LATER(what) .type = SCHEMA_LATER, .help = (what)

/* A topic's unset field takes the worker's value; the worker's takes the preset. */
#define NO_INHERIT(member) .inherit = 0
#define INHERIT(member)    .inherit = offsetof(struct settings, member)

extern const struct schema_word schema_repair_modes[];
extern const struct schema_word schema_adopts[];
extern const struct schema_word schema_unseens[];
extern const struct schema_word schema_tolerances[];

#define REPAIR_KEY(owner, name, member, inherit_)                                              \
    .path = "repair." name, AT(owner, repair.member), inherit_(repair.member)

#define REPAIR_KEYS(owner, inherit_)                                                           \
    {REPAIR_KEY(owner, "mode", mode, inherit_),                                                \
     .type = SCHEMA_WORD,                                                                      \
     .flags = SCHEMA_SAMPLE,                                                                   \
     .words = schema_repair_modes,                                                             \
     .preset = "auto",                                                                         \
     .help = "What joins the two sides of a message: off; report (count only); link; parent "  \
             "(merge the traces); auto (parent where the evidence is sure, else link)."},      \
        {REPAIR_KEY(owner, "queue_span", queue_span, inherit_), .type = SCHEMA_SWITCH,         \
         .preset = "false",                                                                    \
         .help =                                                                               \
             "Put a span between producer and consumer that shows the time in the queue."},    \
        {REPAIR_KEY(owner, "adopt", adopt, inherit_), .type = SCHEMA_WORD,                     \
         .words = schema_adopts, .preset = "none",                                             \
         .help =                                                                               \
             "A span whose parent never came: leave it (none), or give it the nearest known "  \
             "ancestor (root)."},                                                              \
        {REPAIR_KEY(owner, "unseen", unseen, inherit_), .type = SCHEMA_WORD,                   \
         .words = schema_unseens, .preset = "auto",                                            \
         .help =                                                                               \
             "The producer's trace is known by id, but not in this process: merge under its "  \
             "ids, link, or auto (merge while this is the group's only member)."},             \
        {REPAIR_KEY(owner, "ttl", ttl_ns, inherit_),                                           \
         .type = SCHEMA_DURATION,                                                              \
         .preset = "1h",                                                                       \
         .min = SECOND,                                                                        \
         .max = 30 * DAY,                                                                      \
         .help =                                                                               \
             "How long a message is remembered for the side that is still missing: longer "    \
             "than consumers lag."},                                                           \
        {REPAIR_KEY(owner, "replay", replay_ns, inherit_), .type = SCHEMA_DURATION,            \
         .max = 30 * DAY, .derived = "window.wait + 1m",                                       \
         .help =                                                                               \
             "At start a message topic is read again from this long before the oldest span "   \
             "record that will be read."},                                                     \
        {REPAIR_KEY(owner, "lateness", lateness_ns, inherit_), .type = SCHEMA_DURATION,        \
         .preset = "5s", .max = HOUR,                                                          \
         .help = "How far timestamps of a message topic may be out of order."},                \
        {REPAIR_KEY(owner, "links_max", links_max, inherit_), .type = SCHEMA_COUNT,            \
         .preset = "128", .max = 10000,                                                        \
         .help = "Links that one span may be given; further ones are counted."},               \
    {                                                                                          \
        .path = "repair.expect_consumers", LATER("lists of expected consumers")                \
    }

/* Of a RabbitMQ broker: the worker's has a default, others take the worker's. */
#define FROM_PRESET(value) .preset = (value)
#define FROM_WORKER(value) .derived = "the worker's"

#define BROKER_KEYS(prefix, owner, member, kinds_, from_)                                      \
    {.path = prefix "url",                                                                     \
     .type = SCHEMA_TEXT,                                                                      \
     .flags = SCHEMA_URL,                                                                      \
     AT(owner, member.url),                                                                    \
     .kinds = (kinds_),                                                                        \
     from_("amqp://guest:guest@localhost:5672/"),                                              \
     .sample = "amqp://guest:${RABBITMQ_PASSWORD:-guest}@localhost:5672/",                     \
     .help = "RabbitMQ broker, as amqp://user:password@host:port/vhost, or amqps:// with "     \
             "TLS. Parts are percent-encoded; no vhost is the vhost /, no user is guest. The " \
             "password is never shown."},                                                      \
    {                                                                                          \
        .path = prefix "heartbeat", .type = SCHEMA_DURATION, AT(owner, member.heartbeat_ns),   \
        .kinds = (kinds_), from_("30s"), .min = SECOND, .max = 600 * SECOND, .sample = "30s",  \
        .help =                                                                                \
            "A connection that says nothing for twice as long is given up; whole seconds, "    \
            "and not below 5s without need."                                                   \
    }

#define TLS_KEYS(prefix, owner, member, kinds_, ca_, derived_)                                 \
    {.path = prefix "ca",                                                                      \
     .type = SCHEMA_TEXT,                                                                      \
     .flags = SCHEMA_PATH,                                                                     \
     AT(owner, member.ca),                                                                     \
     .kinds = (kinds_),                                                                        \
     .sample = "ca.pem",                                                                       \
     .derived = (ca_),                                                                         \
     .help = "File with the authorities that may have signed the server's certificate."},      \
        {.path = prefix "certificate",                                                         \
         .type = SCHEMA_TEXT,                                                                  \
         .flags = SCHEMA_PATH,                                                                 \
         AT(owner, member.certificate),                                                        \
         .kinds = (kinds_),                                                                    \
         .sample = "client.pem",                                                               \
         .derived = (derived_),                                                                \
         .help = "File with our certificate, for mutual TLS."},                                \
        {.path = prefix "key",                                                                 \
         .type = SCHEMA_TEXT,                                                                  \
         .flags = SCHEMA_PATH,                                                                 \
         AT(owner, member.key),                                                                \
         .kinds = (kinds_),                                                                    \
         .sample = "client.key",                                                               \
         .derived = (derived_),                                                                \
         .help = "File with its key."},                                                        \
    {                                                                                          \
        .path = prefix "insecure", .type = SCHEMA_SWITCH, AT(owner, member.insecure),          \
        .kinds = (kinds_), .preset = "false", .derived = (derived_),                           \
        .help = "Do not check the server's certificate."                                       \
    }

#define ERRORS_KEYS(owner, inherit_, kinds_)                                                   \
    {.path = "errors.tolerance",                                                               \
     .type = SCHEMA_WORD,                                                                      \
     AT(owner, errors.tolerance),                                                              \
     inherit_(errors.tolerance),                                                               \
     .words = schema_tolerances,                                                               \
     .kinds = (kinds_),                                                                        \
     .derived = "all where dead letters have a place, else none",                              \
     .help = "A record that can not be decoded: go on (all), or stop its topic (none)."},      \
        {.path = "errors.deadletterqueue",                                                     \
         .type = SCHEMA_TEXT,                                                                  \
         AT(owner, errors.deadletterqueue),                                                    \
         inherit_(errors.deadletterqueue),                                                     \
         .kinds = (kinds_),                                                                    \
         .sample = "otlp_spans.dlq",                                                           \
         .help = "Kafka topic that gets such records with their bytes."},                      \
        {.path = "errors.deadletterexchange",                                                  \
         .type = SCHEMA_TEXT,                                                                  \
         .flags = SCHEMA_EMPTY,                                                                \
         AT(owner, errors.deadletterexchange),                                                 \
         inherit_(errors.deadletterexchange),                                                  \
         .kinds = (kinds_),                                                                    \
         .sample = "",                                                                         \
         .help = "RabbitMQ exchange that gets them, in place of a Kafka topic; \"\" is the "   \
                 "default exchange, where the key is the name of a queue. It and its queue "   \
                 "must exist."},                                                               \
        {.path = "errors.deadletterkey",                                                       \
         .type = SCHEMA_TEXT,                                                                  \
         .flags = SCHEMA_EMPTY,                                                                \
         AT(owner, errors.deadletterkey),                                                      \
         inherit_(errors.deadletterkey),                                                       \
         .kinds = (kinds_),                                                                    \
         .sample = "otlp_spans.dlq",                                                           \
         .derived = "the name of the topic file",                                              \
         .help = "Routing key of dead letters that go to an exchange."},                       \
    {                                                                                          \
        .path = "errors.context_headers", .type = SCHEMA_SWITCH,                               \
        AT(owner, errors.context_headers), inherit_(errors.context_headers),                   \
        .kinds = (kinds_), .preset = "true",                                                   \
        .help =                                                                                \
            "Dead letters carry __connect.errors.* headers that tell where they came from "    \
            "and why."                                                                         \
    }

#endif
