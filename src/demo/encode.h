/*
 * encode: spans of the shop as OTLP, with the attributes that current instrumentations write.
 *
 * What kafkajs, the Java agent and kotel record of a message differs, and so does what amqplib
 * and the agent record of RabbitMQ's; that is what repair has to live with.  Source:
 * measurements of those libraries on real brokers.
 */
#ifndef SB_DEMO_ENCODE_H
#define SB_DEMO_ENCODE_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"
#include "otlp/scan.h"
#include "shop.h"

/* Names of the world outside, as spans tell them; borrowed. */
struct encode_world {
    const char *topics[SHOP_KAFKA_HOPS]; /* the real names */
    const char *cluster_id;              /* of Kafka; NULL: not known */
    const char *exchange;                /* NULL: there is no RabbitMQ */
};

/* Appends the body of one encoded Span.  The places of its messages are known by now. */
void encode_span(const struct encode_world *world, const struct shop_checkout *checkout,
                 uint32_t number, struct text *out);

/* What messages of RabbitMQ are published with: a routing key, and an id each. */
extern const char encode_routing_key[];
enum { ENCODE_MESSAGE_ID_LEN = 32 };
void encode_message_id(const struct shop_checkout *checkout, char ret[ENCODE_MESSAGE_ID_LEN]);

/* True where the producer's library left a traceparent in the message. */
bool encode_has_header(const struct shop_hop *hop);

/* The message's traceparent: 55 characters and a NUL. */
enum { ENCODE_TRACEPARENT_LEN = 55 };
void encode_traceparent(const struct shop_checkout *checkout, uint32_t hop,
                        char ret[ENCODE_TRACEPARENT_LEN + 1]);

/* Resources and scopes of all services in all their languages. */
struct encode_envelopes;

enum sb_err encode_envelopes_new(struct encode_envelopes **ret) SB_MUST_USE;
void encode_envelopes_free(struct encode_envelopes *envelopes);

/* The envelope of a span; lives as long as the set. */
const struct otlp_envelope *encode_envelope_of(const struct encode_envelopes *envelopes,
                                               const struct shop_checkout *checkout,
                                               uint32_t number);

#endif
