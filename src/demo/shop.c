#include "shop.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "dice.h"

enum {
    FAILED_PER_CENT = 5,
    SLOW_PER_CENT = 2,
    DONE_BEFORE_MS = 5000, /* the longest checkout takes less */
    LANGUAGES_PER_HOP = 2
};
#define NS_PER_US UINT64_C(1000)

const char *const shop_service_names[SHOP_SERVICES] = {"web",       "checkout", "payment",
                                                       "warehouse", "mailer",   "loyalty"};
const char *const shop_topic_names[SHOP_HOPS] = {"orders", "shipments", "notify", "notify"};
const char *const shop_language_names[SHOP_LANGUAGES] = {"nodejs", "java", "go", "python"};

const char *shop_rule_name(enum shop_evidence evidence)
{
    switch (evidence) {
    case SHOP_HEADER:
        return "header_at_coordinate";
    case SHOP_LINK:
        return "link";
    case SHOP_COORDINATE:
        return "coordinate";
    case SHOP_NOTHING:
    case SHOP_EVIDENCES:
        break;
    }
    return "";
}

enum shop_service shop_reader(const struct shop_checkout *checkout, uint32_t hop)
{
    return checkout->spans[checkout->hops[hop].process].service;
}

/*
 * What current client libraries leave behind decides which pairs there can be: kafkajs names
 * the record on the consumer's side only, the Java agent and kotel on both, and kotel can be
 * told to link.
 */
static void choose_languages(struct dice *dice, struct shop_checkout *checkout)
{
    enum shop_language *language = checkout->language;
    struct shop_hop *hops = checkout->hops;
    language[SHOP_WEB] = SHOP_NODE;
    language[SHOP_MAILER] = SHOP_PYTHON;
    hops[SHOP_ORDERS].evidence = (enum shop_evidence)dice_below(dice, SHOP_RULES);
    bool link = dice_below(dice, LANGUAGES_PER_HOP) == 0;
    switch (hops[SHOP_ORDERS].evidence) {
    case SHOP_HEADER:
        language[SHOP_CHECKOUT] = SHOP_NODE;
        language[SHOP_PAYMENT] = SHOP_NODE;
        break;
    case SHOP_LINK:
        language[SHOP_CHECKOUT] = SHOP_NODE;
        language[SHOP_PAYMENT] = SHOP_GO;
        break;
    case SHOP_COORDINATE:
    case SHOP_NOTHING:
    case SHOP_EVIDENCES:
        language[SHOP_CHECKOUT] = SHOP_JAVA;
        language[SHOP_PAYMENT] = SHOP_JAVA;
        break;
    }
    if (link) {
        hops[SHOP_SHIPMENTS].evidence = SHOP_LINK;
        language[SHOP_WAREHOUSE] = SHOP_GO;
    } else if (language[SHOP_PAYMENT] == SHOP_NODE) {
        hops[SHOP_SHIPMENTS].evidence = SHOP_HEADER;
        language[SHOP_WAREHOUSE] = SHOP_NODE;
    } else {
        hops[SHOP_SHIPMENTS].evidence = SHOP_COORDINATE;
        language[SHOP_WAREHOUSE] = SHOP_JAVA;
    }
}

/*
 * Behind RabbitMQ the mailer's amqplib has its link option on, and loyalty, in Go, opens its
 * spans by hand and forgot to look into the message's headers.
 */
static void choose_readers_of_rabbitmq(struct shop_checkout *checkout)
{
    checkout->language[SHOP_MAILER] = SHOP_NODE;
    checkout->language[SHOP_LOYALTY] = SHOP_GO;
    checkout->hops[SHOP_MAILS].evidence = SHOP_LINK;
    checkout->hops[SHOP_POINTS].evidence = SHOP_NOTHING;
}

/* A checkout being made, span by span. */
struct making {
    struct shop_checkout *checkout;
    struct dice dice;
    uint64_t now_ns;
    uint8_t piece;
};

static void pass(struct making *making, uint32_t least_us, uint32_t most_us)
{
    making->now_ns += dice_between(&making->dice, least_us, most_us) * NS_PER_US;
}

/* Opens a span now; it is closed with end_span. */
static uint8_t begin_span(struct making *making, enum shop_service service, enum otlp_kind kind,
                          int parent, const char *name)
{
    struct shop_checkout *checkout = making->checkout;
    uint8_t number = checkout->span_count++;
    struct shop_span *span = &checkout->spans[number];
    *span = (struct shop_span){
        .service = service,
        .kind = kind,
        .name = name,
        .piece = making->piece,
        .parent = (int8_t)parent,
        .hop = SHOP_NONE,
        .start_ns = making->now_ns,
    };
    dice_fill(&making->dice, span->span_id.byte, SPAN_ID_LEN);
    return number;
}

static void end_span(struct making *making, uint8_t number)
{
    making->checkout->spans[number].end_ns = making->now_ns;
}

/* A call to something that is not traced itself. */
static uint8_t call(struct making *making, uint8_t parent, const char *name, const char *peer,
                    uint32_t least_us, uint32_t most_us)
{
    enum shop_service service = making->checkout->spans[parent].service;
    uint8_t number = begin_span(making, service, OTLP_KIND_CLIENT, parent, name);
    making->checkout->spans[number].peer = peer;
    pass(making, least_us, most_us);
    end_span(making, number);
    return number;
}

/*
 * Spans of messages are named as the service's library does it; amqplib's consumers go by the
 * queue.
 */
static const char *message_span_name(enum shop_language language, uint32_t hop, bool send)
{
    static const char *const node[SHOP_HOPS][2] = {{"process orders", "send orders"},
                                                   {"process shipments", "send shipments"},
                                                   {"mails process", "publish notify"},
                                                   {"points process", "publish notify"}};
    static const char *const others[SHOP_HOPS][2] = {{"orders process", "orders publish"},
                                                     {"shipments process", "shipments publish"},
                                                     {"notify process", "notify publish"},
                                                     {"notify process", "notify publish"}};
    return (language == SHOP_NODE ? node : others)[hop][send];
}

static void publish(struct making *making, uint8_t parent, uint32_t hop)
{
    struct shop_checkout *checkout = making->checkout;
    enum shop_service service = checkout->spans[parent].service;
    uint8_t number = begin_span(making, service, OTLP_KIND_PRODUCER, parent,
                                message_span_name(checkout->language[service], hop, true));
    checkout->spans[number].hop = (int8_t)hop;
    pass(making, 1200, 2500);
    checkout->hops[hop].send = number;
    checkout->hops[hop].sent_ns = making->now_ns;
    checkout->hops[hop].partition = -1;
    checkout->hops[hop].offset = -1;
    checkout->hop_count++;
    pass(making, 1200, 6000);
    end_span(making, number);
}

/* The message waits in its topic; then a piece begins whose context is lost. */
static uint8_t consume(struct making *making, enum shop_service service, uint32_t hop)
{
    struct shop_checkout *checkout = making->checkout;
    making->now_ns = checkout->hops[hop].sent_ns;
    pass(making, 60000, 420000);
    making->piece = (uint8_t)(hop + 1);
    uint8_t number = begin_span(making, service, OTLP_KIND_CONSUMER, SHOP_NONE,
                                message_span_name(checkout->language[service], hop, false));
    checkout->spans[number].hop = (int8_t)hop;
    checkout->hops[hop].process = number;
    return number;
}

static void play_order(struct making *making)
{
    uint8_t page = begin_span(making, SHOP_WEB, OTLP_KIND_SERVER, SHOP_NONE, "POST /checkout");
    pass(making, 800, 4000);
    uint8_t request = begin_span(making, SHOP_WEB, OTLP_KIND_CLIENT, page, "POST");
    making->checkout->spans[request].peer = "checkout";
    pass(making, 300, 2000);
    uint8_t order =
        begin_span(making, SHOP_CHECKOUT, OTLP_KIND_SERVER, request, "POST /orders");
    pass(making, 500, 3000);
    call(making, order, "INSERT orders", "postgresql", 4000, 28000);
    pass(making, 200, 1500);
    publish(making, order, SHOP_ORDERS);
    pass(making, 300, 2000);
    end_span(making, order);
    pass(making, 300, 2000);
    end_span(making, request);
    pass(making, 500, 5000);
    end_span(making, page);
}

/* True when the payment went through. */
static bool play_payment(struct making *making, bool refused)
{
    struct shop_checkout *checkout = making->checkout;
    uint8_t payment = consume(making, SHOP_PAYMENT, SHOP_ORDERS);
    pass(making, 500, 3000);
    uint32_t extra_us = checkout->slow ? 2200000 : 0;
    uint8_t charge = call(making, payment, "POST /charges", "card-provider", 35000 + extra_us,
                          220000 + extra_us);
    checkout->spans[charge].failed = refused;
    checkout->spans[payment].failed = refused;
    pass(making, 500, 3000);
    if (!refused)
        publish(making, payment, SHOP_SHIPMENTS);
    pass(making, 200, 1500);
    end_span(making, payment);
    return !refused;
}

static uint8_t begin_shipment(struct making *making)
{
    uint8_t shipment = consume(making, SHOP_WAREHOUSE, SHOP_SHIPMENTS);
    pass(making, 500, 3000);
    uint8_t stock =
        begin_span(making, SHOP_WAREHOUSE, OTLP_KIND_INTERNAL, shipment, "reserve stock");
    pass(making, 6000, 50000);
    end_span(making, stock);
    return shipment;
}

/* The warehouse calls the mailer. */
static void play_shipment(struct making *making, bool bounced)
{
    struct shop_span *spans = making->checkout->spans;
    uint8_t shipment = begin_shipment(making);
    uint8_t request = begin_span(making, SHOP_WAREHOUSE, OTLP_KIND_CLIENT, shipment, "POST");
    spans[request].peer = "mailer";
    pass(making, 300, 2000);
    uint8_t mail = begin_span(making, SHOP_MAILER, OTLP_KIND_SERVER, request, "POST /mails");
    pass(making, 500, 3000);
    uint8_t smtp = call(making, mail, "SMTP send", "mail-relay", 25000, 110000);
    pass(making, 200, 1000);
    end_span(making, mail);
    pass(making, 300, 2000);
    end_span(making, request);
    pass(making, 200, 1500);
    end_span(making, shipment);
    spans[smtp].failed = spans[mail].failed = spans[request].failed = bounced;
}

/* The warehouse publishes to an exchange; a mail that bounces is no error of the warehouse. */
static void play_notice(struct making *making, bool bounced)
{
    struct shop_checkout *checkout = making->checkout;
    uint8_t shipment = begin_shipment(making);
    publish(making, shipment, SHOP_MAILS);
    pass(making, 200, 1500);
    end_span(making, shipment);
    checkout->hops[SHOP_POINTS] = checkout->hops[SHOP_MAILS];
    checkout->hop_count++;
    choose_readers_of_rabbitmq(checkout);
    for (uint32_t hop = SHOP_KAFKA_HOPS; hop < SHOP_HOPS; hop++)
        dice_fill(&making->dice, checkout->trace_id[hop + 1].byte, TRACE_ID_LEN);

    uint8_t mail = consume(making, SHOP_MAILER, SHOP_MAILS);
    pass(making, 500, 3000);
    uint8_t smtp = call(making, mail, "SMTP send", "mail-relay", 25000, 110000);
    pass(making, 200, 1000);
    end_span(making, mail);
    checkout->spans[smtp].failed = checkout->spans[mail].failed = bounced;

    uint8_t points = consume(making, SHOP_LOYALTY, SHOP_POINTS);
    pass(making, 500, 3000);
    call(making, points, "INSERT points", "postgresql", 4000, 28000);
    pass(making, 200, 1500);
    end_span(making, points);
}

static const char *choose_tier(struct dice *dice)
{
    uint32_t roll = dice_below(dice, 100);
    if (roll < 2)
        return "platinum";
    if (roll < 5)
        return "enterprise";
    return roll < 30 ? "gold" : "standard";
}

void shop_make(struct shop shop, uint64_t index, uint64_t now_ns, struct shop_checkout *ret)
{
    memset(ret, 0, sizeof(*ret));
    struct making making = {.checkout = ret, .dice = dice_of(shop.seed, index)};
    struct dice *dice = &making.dice;
    bool showpiece = index == SHOP_SHOWPIECE;
    ret->index = index;
    ret->failed = dice_below(dice, 100) < FAILED_PER_CENT || showpiece;
    ret->slow = dice_below(dice, 100) < SLOW_PER_CENT && !showpiece;
    ret->tier = choose_tier(dice);
    if (showpiece && shop.rabbitmq)
        ret->tier = "platinum"; /* so that a policy keeps the piece that stays apart, too */
    bool refused = dice_below(dice, 2) == 0 && ret->failed && !showpiece;
    snprintf(ret->order, sizeof(ret->order), "order-%08u", dice_below(dice, 100000000));
    for (uint32_t i = 0; i <= SHOP_KAFKA_HOPS; i++)
        dice_fill(dice, ret->trace_id[i].byte, TRACE_ID_LEN);
    choose_languages(dice, ret);
    while (showpiece && ret->hops[SHOP_ORDERS].evidence == ret->hops[SHOP_SHIPMENTS].evidence)
        choose_languages(dice, ret);

    making.now_ns = now_ns - DONE_BEFORE_MS * NS_PER_MS;
    pass(&making, 0, 400000);
    play_order(&making);
    if (!play_payment(&making, refused))
        return;
    if (shop.rabbitmq)
        play_notice(&making, ret->failed);
    else
        play_shipment(&making, ret->failed);
}
