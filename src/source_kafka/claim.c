#include "claim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "rebalance.h"
#include "scout.h"
#include "trouble.h"

enum { ASK_TIMEOUT_MS = 3000, ERROR_TEXT_LEN = 128 };
#define TRY_INTERVAL_NS (2 * NS_PER_S)
/* What a broker allows unless it was told otherwise: group.consumer.max.session.timeout.ms. */
#define SESSION_DEFAULT_NS (60 * NS_PER_S)
/* The broker ends a session a moment after its time. */
#define MARGIN_NS (2 * NS_PER_S)

/* Who was not turned away by then is in, even if no partition came: none may be left. */
#define LET_IN_NS (10 * NS_PER_S)

static const char SESSION_PROPERTY[] = "consumer.session.timeout.ms";

bool claim_is_tried_again(struct source_kafka *source)
{
    struct claim *claim = &source->claim;
    if (claim->member || source->leaving)
        return false;
    if (claim_holds_back(source))
        return true; /* said twice */
    uint64_t now_ns = source_now_ns(source);
    if (!claim->refused_before)
        claim->refused_at_ns = now_ns;
    else if (now_ns >= claim->until_ns)
        return false;
    claim->state = CLAIM_REFUSED;
    return true;
}

void claim_succeeded(struct source_kafka *source)
{
    source->claim.member = true;
    source->claim.state = CLAIM_FREE;
}

static void tell(struct source_kafka *source)
{
    const struct claim *claim = &source->claim;
    char line[NOTE_TEXT_LEN];
    snprintf(
        line, sizeof(line),
        "group %.150s has an instance %.150s already, maybe this one before it was killed: "
        "tried again until its session has ended, for %" PRIu64 " s at most",
        source->options.group, source->options.instance,
        (claim->until_ns - claim->refused_at_ns) / NS_PER_S);
    trouble_report(source, TROUBLE_GROUP, line, false);
}

static void wait_for_next_try(struct source_kafka *source)
{
    struct claim *claim = &source->claim;
    uint64_t again_at_ns = source_now_ns(source) + TRY_INTERVAL_NS;
    claim->again_at_ns = again_at_ns < claim->until_ns ? again_at_ns : claim->until_ns;
    claim->state = CLAIM_WAITING;
    tell(source);
}

static void take_session(struct source_kafka *source, uint64_t session_ns)
{
    struct claim *claim = &source->claim;
    claim->refused_before = true;
    claim->until_ns = claim->refused_at_ns + session_ns + MARGIN_NS;
    wait_for_next_try(source);
}

/* What the broker goes by for this group; it tells only who may describe its configuration. */
static void ask_session(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    char text[ERROR_TEXT_LEN];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(reader->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, text,
                                                    sizeof(text)); /* can not fail */
    rd_kafka_ConfigResource_t *group =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_GROUP, source->options.group);
    rd_kafka_DescribeConfigs(reader->rk, &group, 1, options, reader->answers);
    rd_kafka_ConfigResource_destroy(group);
    rd_kafka_AdminOptions_destroy(options);
    source->claim.state = CLAIM_ASKING;
    source->claim.ask_until_ns = source_now_ns(source) + ASK_TIMEOUT_MS * NS_PER_MS * 2;
}

/* 0: it is not in there. */
static uint64_t session_of(const rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_DescribeConfigs_result_t *result =
        rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)event);
    if (result == NULL)
        return 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (count == 0 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), SESSION_PROPERTY) != 0 ||
            value == NULL)
            continue;
        long ms = strtol(value, NULL, 10);
        return ms > 0 && ms <= INT32_MAX ? (uint64_t)ms * NS_PER_MS : 0;
    }
    return 0;
}

void claim_take_answer(struct source_kafka *source, rd_kafka_event_t *event)
{
    if (source->claim.state != CLAIM_ASKING)
        return;
    uint64_t session_ns = session_of(event);
    if (session_ns == 0)
        log_event(source->options.log, LOG_DEBUG, "source", "session_timeout_not_told",
                  LOG_TEXT("reason", rd_kafka_event_error_string(event)));
    take_session(source, session_ns == 0 ? SESSION_DEFAULT_NS : session_ns);
}

/* A handle that has not been turned away.  No lane was ever made: no worker looks at the old. */
static enum sb_err replace_reader(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    SB_ASSERT(reader->lane_count == 0);
    scout_stop(source->scout); /* it asks by that handle */
    source->scout = NULL;
    pthread_mutex_lock(&source->handles);
    reader_clear(reader);
    enum sb_err err = reader_make(source, SOURCE_SPANS);
    pthread_mutex_unlock(&source->handles);
    return err == SB_OK ? scout_start(source, &source->scout) : err;
}

static void begin_anew(struct source_kafka *source)
{
    struct claim *claim = &source->claim;
    enum sb_err err = replace_reader(source);
    if (err != SB_OK) {
        trouble_report(source, TROUBLE_GROUP, sb_err_text(err), true);
        claim->state = CLAIM_FREE;
        return;
    }
    if (claim->refused_before)
        wait_for_next_try(source);
    else
        ask_session(source);
}

void claim_service(struct source_kafka *source)
{
    struct claim *claim = &source->claim;
    uint64_t now_ns = source_now_ns(source);
    if (claim->state == CLAIM_REFUSED)
        begin_anew(source);
    if (claim->state == CLAIM_ASKING && now_ns >= claim->ask_until_ns)
        take_session(source, SESSION_DEFAULT_NS);
    if (claim->state == CLAIM_TRYING && now_ns >= claim->again_at_ns + LET_IN_NS) {
        claim->state = CLAIM_FREE;
        trouble_clear(source, TROUBLE_GROUP);
    }
    if (claim->state != CLAIM_WAITING || now_ns < claim->again_at_ns)
        return;
    claim->state = CLAIM_TRYING;
    /* Patterns alone wait for the look that the new scout takes. */
    if (source_reader(source, SOURCE_SPANS)->topic_count > 0)
        rebalance_subscribe(source);
}
