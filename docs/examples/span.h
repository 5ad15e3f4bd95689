/*
 * span: one finished span on standard output, as one line of OTLP JSON.  A program of yours sends
 * it where your spans go instead: to the Kafka topic or RabbitMQ queue that spanbridge reads
 * (encoding = "otlp_json"), or to any OTLP/HTTP endpoint.
 */
#ifndef SPANBRIDGE_EXAMPLE_SPAN_H
#define SPANBRIDGE_EXAMPLE_SPAN_H

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "spanbridge/context.h"

/* As OTLP numbers them. */
enum span_kind { SPAN_PRODUCER = 4, SPAN_CONSUMER = 5 };

struct span {
    const char *service;
    const char *name;
    enum span_kind kind;
    const char *system;                      /* "kafka", "rabbitmq" */
    const char *destination;                 /* topic or queue */
    struct spanbridge_context context;       /* of this span */
    const struct spanbridge_context *parent; /* NULL: the first span of its trace */
    uint64_t start_ns;                       /* since 1970 */
};

static inline uint64_t span_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void span_print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static inline void span_print_hex(const uint8_t *at, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++)
        printf("%02x", at[i]);
    putchar('"');
}

static inline void span_print_attribute(const char *key, const char *value)
{
    printf("{\"key\":\"%s\",\"value\":{\"stringValue\":", key);
    span_print_text(value);
    printf("}}");
}

/* Ends the span now and prints it. */
static inline void span_print(const struct span *span)
{
    printf("{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    span_print_attribute("service.name", span->service);
    printf("]},\"scopeSpans\":[{\"scope\":{\"name\":\"example\"},\"spans\":[{\"traceId\":");
    span_print_hex(span->context.trace_id, SPANBRIDGE_TRACE_ID_LEN);
    printf(",\"spanId\":");
    span_print_hex(span->context.span_id, SPANBRIDGE_SPAN_ID_LEN);
    if (span->parent != NULL) {
        printf(",\"parentSpanId\":");
        span_print_hex(span->parent->span_id, SPANBRIDGE_SPAN_ID_LEN);
    }
    printf(",\"name\":");
    span_print_text(span->name);
    printf(",\"kind\":%d,\"startTimeUnixNano\":\"%" PRIu64 "\"", (int)span->kind,
           span->start_ns);
    printf(",\"endTimeUnixNano\":\"%" PRIu64 "\",\"attributes\":[", span_now_ns());
    span_print_attribute("messaging.system", span->system);
    putchar(',');
    span_print_attribute("messaging.destination.name", span->destination);
    putchar(',');
    span_print_attribute("messaging.operation.type",
                         span->kind == SPAN_PRODUCER ? "send" : "process");
    printf("]}]}]}]}\n");
    fflush(stdout);
}

#endif
