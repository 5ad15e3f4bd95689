#include <string.h>

#include "core/log.h"
#include "rabbitmq_sink.h"

#define MODULE "sink"

/* As logs name them. */
static const char *const NAMES[] = {
    [RABBITMQ_UNREACHABLE] = "unreachable", [RABBITMQ_NOT_LET_IN] = "not_let_in",
    [RABBITMQ_CLOSED] = "closed",           [RABBITMQ_CUT] = "cut",
    [RABBITMQ_BLOCKED] = "blocked",         [RABBITMQ_RETURNED] = "returned",
    [RABBITMQ_NACKED] = "nacked",           [RABBITMQ_SILENT] = "no_confirm",
};

void rabbitmq_trouble_tell(struct rabbitmq_sink *sink, enum rabbitmq_trouble trouble,
                           const char *reason)
{
    if (inlet_is_stopping(&sink->inlet))
        return; /* the link was interrupted, and that is no trouble */
    bool credentials = trouble == RABBITMQ_NOT_LET_IN;
    inlet_move(&sink->inlet, credentials ? SINK_UNAUTHORISED : SINK_BACKING_OFF);
    inlet_explain(&sink->inlet, reason);
    if ((sink->told & 1U << trouble) != 0)
        return;
    sink->told |= 1U << trouble;
    log_event(sink->options.log, LOG_WARN, MODULE, "sink_waits",
              LOG_TEXT("sink", sink->options.name),
              LOG_TEXT("exchange", sink->options.exchange),
              LOG_TEXT("broker", amqp_link_place(sink->link)),
              LOG_TEXT("error", NAMES[trouble]), LOG_TEXT("reason", reason));
}

/* A round that was not all delivered is not over with what else is delivered. */
static bool has_undelivered(const struct rabbitmq_sink *sink)
{
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        if (sink->waits[i].failures > 0)
            return true;
    return false;
}

void rabbitmq_trouble_may_be_over(struct rabbitmq_sink *sink)
{
    retry_pause_reset(&sink->backoff);
    if (sink->told > 0 && (amqp_link_is_blocked(sink->link) || has_undelivered(sink)))
        return;
    inlet_move(&sink->inlet, SINK_READY);
    if (sink->told == 0)
        return;
    sink->told = 0;
    inlet_explain(&sink->inlet, "");
    log_event(sink->options.log, LOG_INFO, MODULE, "sink_recovered",
              LOG_TEXT("sink", sink->options.name),
              LOG_TEXT("exchange", sink->options.exchange));
}

/* 406 "PRECONDITION_FAILED - message size n is larger than ...", since RabbitMQ 3.8. */
bool rabbitmq_trouble_is_of_length(uint16_t code, const char *reason)
{
    return code == AMQP_CONTENT_TOO_LARGE || strstr(reason, "message size") != NULL;
}
