#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "kafka_sink.h"

#define MODULE "sink"

/* Each error is said once until something is delivered again: the sink waits, and so do they. */
static bool is_told(struct kafka_sink *sink, int err)
{
    for (uint32_t i = 0; i < sink->trouble_count; i++)
        if (sink->troubles[i] == err)
            return true;
    if (sink->trouble_count == KAFKA_TROUBLES_MAX)
        return true;
    sink->troubles[sink->trouble_count++] = err;
    return false;
}

/* Names of one trouble: which one comes depends on who finds out first. */
static rd_kafka_resp_err_t one_name(rd_kafka_resp_err_t err)
{
    if (err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    return err;
}

static bool is_of_credentials(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static void tell(struct kafka_sink *sink, rd_kafka_resp_err_t err, const char *reason)
{
    inlet_move(&sink->inlet, is_of_credentials(err) ? SINK_UNAUTHORISED : SINK_BACKING_OFF);
    inlet_explain(&sink->inlet, reason);
    if (is_told(sink, one_name(err)))
        return;
    log_event(sink->options.log, LOG_WARN, MODULE, "sink_waits",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("topic", sink->options.topic),
              LOG_TEXT("error", rd_kafka_err2name(err)), LOG_TEXT("reason", reason));
}

void kafka_trouble_of_record(struct kafka_sink *sink, rd_kafka_resp_err_t err)
{
    tell(sink, err, rd_kafka_err2str(err));
    retry_pause_begin(&sink->backoff);
}

void kafka_trouble_is_over(struct kafka_sink *sink)
{
    retry_pause_reset(&sink->backoff);
    inlet_move(&sink->inlet, SINK_READY);
    if (sink->trouble_count == 0)
        return;
    sink->trouble_count = 0;
    inlet_explain(&sink->inlet, "");
    log_event(sink->options.log, LOG_INFO, MODULE, "sink_recovered",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("topic", sink->options.topic));
}

static void end_producer(struct kafka_sink *sink, rd_kafka_t *rk)
{
    char reason[SINK_KAFKA_WHY_LEN] = "";
    rd_kafka_resp_err_t err = rd_kafka_fatal_error(rk, reason, sizeof(reason));
    if (sink->broken)
        return;
    sink->broken = true;
    log_event(sink->options.log, LOG_ERROR, MODULE, "producer_ended",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("error", rd_kafka_err2name(err)),
              LOG_TEXT("reason", reason));
    /* Their reports come, each with an error; a new producer sends them again. */
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void kafka_trouble_on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_sink *sink = opaque;
    rd_kafka_resp_err_t err = (rd_kafka_resp_err_t)code;
    switch (err) {
    case RD_KAFKA_RESP_ERR__FATAL:
        end_producer(sink, rk);
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        /* One broker of several; if none is left the next case follows. */
        (void)snprintf(sink->last_reason, sizeof(sink->last_reason), "%s", reason);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        tell(sink, err, sink->last_reason[0] == '\0' ? reason : sink->last_reason);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
        tell(sink, err, reason);
        break;
    default:
        /* Of a topic, or of a request: the report of the record tells. */
        log_event(sink->options.log, LOG_DEBUG, MODULE, "kafka_error",
                  LOG_TEXT("sink", sink->options.name),
                  LOG_TEXT("error", rd_kafka_err2name(err)), LOG_TEXT("reason", reason));
        break;
    }
}

/* Any of the library's threads.  FAIL and ERROR come as errors, CONFWARN is about consumers. */
void kafka_trouble_on_log(const rd_kafka_t *rk, int level, const char *facility,
                          const char *text)
{
    const struct kafka_sink *sink = rd_kafka_opaque(rk);
    if (sink == NULL)
        return;
    bool told_otherwise = strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
                          strcmp(facility, "CONFWARN") == 0;
    enum log_level as = told_otherwise ? LOG_DEBUG : log_level_of_syslog(level);
    log_event(sink->options.log, as, MODULE, "librdkafka", LOG_TEXT("sink", sink->options.name),
              LOG_TEXT("facility", facility), LOG_TEXT("text", text));
}
