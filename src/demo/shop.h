/*
 * shop: one checkout as five services would trace it, and where its trace breaks.
 *
 *     web -> checkout =[orders]=> payment =[shipments]=> warehouse -> mailer
 *
 * Both consumers lost the context, so a checkout leaves three traces, the pieces.  A shop with
 * RabbitMQ goes on behind an exchange, whose message two queues get, and leaves five:
 *
 *     web -> checkout =[orders]=> payment =[shipments]=> warehouse =[notify]=> mailer
 *                                                                 =[notify]=> loyalty
 *
 * What could join them again depends on the client library on either side.  Plain values out of
 * a seed; a message's place is filled in once the broker has told it.
 */
#ifndef SB_DEMO_SHOP_H
#define SB_DEMO_SHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ids.h"
#include "otlp/scan.h"

enum shop_service {
    SHOP_WEB,
    SHOP_CHECKOUT,
    SHOP_PAYMENT,
    SHOP_WAREHOUSE,
    SHOP_MAILER,
    SHOP_LOYALTY, /* of a shop with RabbitMQ */
    SHOP_SERVICES
};
enum shop_language { SHOP_NODE, SHOP_JAVA, SHOP_GO, SHOP_PYTHON, SHOP_LANGUAGES };

/* What is left of the context, and by which rule the hop can be mended. */
enum shop_evidence {
    SHOP_HEADER,     /* the record carries a traceparent that the consumer ignored */
    SHOP_LINK,       /* the consumer span only links to the producer's context */
    SHOP_COORDINATE, /* both spans name topic, partition and offset */
    SHOP_NOTHING,    /* the consumer span tells of no message: its piece stays apart */
    SHOP_EVIDENCES,
    SHOP_RULES = SHOP_NOTHING /* evidence that there is a rule for */
};

/* The numbers of hops; the piece behind a hop is the one of the next number. */
enum shop_hop_number { SHOP_ORDERS, SHOP_SHIPMENTS, SHOP_MAILS, SHOP_POINTS, SHOP_HOPS };

enum {
    SHOP_KAFKA_HOPS = SHOP_MAILS, /* the others are RabbitMQ's */
    SHOP_PIECES = SHOP_HOPS + 1,
    SHOP_SPANS_MAX = 15,
    SHOP_ORDER_LEN = 16, /* "order-" and eight digits, with a NUL */
    SHOP_NONE = -1,
    SHOP_SHOWPIECE = 7 /* this checkout always fails at its very end, with two kinds of hops */
};

struct shop {
    uint64_t seed;
    bool rabbitmq;
};

struct shop_span {
    enum shop_service service;
    enum otlp_kind kind;
    const char *name;
    const char *peer; /* system that is called: "postgresql", ...; NULL: none */
    uint8_t piece;
    int8_t parent; /* in the same piece; SHOP_NONE: a root */
    int8_t hop;    /* which message it sends or processes; SHOP_NONE */
    bool failed;
    struct span_id span_id;
    uint64_t start_ns;
    uint64_t end_ns;
};

struct shop_hop {
    enum shop_evidence evidence;
    uint8_t send;      /* the producer's span; both hops of RabbitMQ have the same one */
    uint8_t process;   /* the consumer's span */
    uint64_t sent_ns;  /* the record's timestamp, rounded to ms by Kafka */
    int32_t partition; /* unknown before the broker has it, and of RabbitMQ: -1 */
    int64_t offset;
};

struct shop_checkout {
    uint64_t index;
    bool failed;      /* 5 %: one of its spans has an error */
    bool slow;        /* 2 %: more than two seconds */
    const char *tier; /* of the customer */
    char order[SHOP_ORDER_LEN];
    struct trace_id trace_id[SHOP_PIECES];
    enum shop_language language[SHOP_SERVICES];
    struct shop_span spans[SHOP_SPANS_MAX];
    uint8_t span_count;
    struct shop_hop hops[SHOP_HOPS];
    uint8_t hop_count; /* 1 where the payment failed: nothing is shipped */
};

extern const char *const shop_service_names[SHOP_SERVICES];
extern const char *const shop_topic_names[SHOP_HOPS]; /* of Kafka's topics, and the exchange */
extern const char *const shop_language_names[SHOP_LANGUAGES];

/* The rule of repair that the evidence is for, as the service names it; "": there is none. */
const char *shop_rule_name(enum shop_evidence evidence);

/* The service behind a hop. */
enum shop_service shop_reader(const struct shop_checkout *checkout, uint32_t hop);

/* The checkout with that number, done a little before `now_ns`. */
void shop_make(struct shop shop, uint64_t index, uint64_t now_ns, struct shop_checkout *ret);

#endif
