/*
 * letters: what can not be taken goes to the topic's dead-letter topic, with its bytes and
 * headers in the style of Kafka Connect; then it is finished.
 *
 * A record goes as it came.  A single span goes as a request with its resource and scope, so
 * that the letter can be read, and replayed, like any other record.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/memory.h"
#include "otlp/write.h"
#include "state.h"

enum { ORIGINAL_HEADERS_MAX = 64, CONTEXT_HEADERS = 7, NUMBER_LEN = 24 };

const char *worker_reason_text(unsigned reason)
{
    if (reason == WORKER_REASON_TOO_LARGE)
        return "too_large_for_backend";
    if (reason == WORKER_REASON_REFUSED)
        return "refused_by_backend";
    if (reason == WORKER_REASON_POISON)
        return "poison";
    return otlp_fault_text((enum otlp_fault)reason);
}

/* A letter in the making. */
struct draft {
    uint32_t topic;
    const char *topic_name;
    int32_t partition;
    int64_t offset;
    struct bytes key;
    struct bytes value;
    struct record_header headers[ORIGINAL_HEADERS_MAX]; /* of its record, as far as known */
    size_t header_count;
    const char *stage;
    unsigned reason;
    uint32_t spans;
    ledger_record number;
};

/* A letter that the source had no room for; its draft's views point into `bytes`. */
struct waiting_letter {
    struct waiting_letter *next;
    struct letter *letter;
    struct draft draft;
    uint8_t bytes[];
};

static void count_dead(struct worker *worker, uint32_t topic, unsigned reason, uint32_t spans)
{
    struct worker_topic_counters *of_topic = &worker->topic_counters[topic];
    worker->counters.dead_records[reason] += spans == 0;
    worker->counters.dead_spans[reason] += spans;
    of_topic->dead_records[reason] += spans == 0;
    of_topic->dead_spans[reason] += spans;
}

static void add_original_headers(struct draft *draft, const struct record *record)
{
    size_t count = source_record_headers(record, draft->headers, ORIGINAL_HEADERS_MAX);
    draft->header_count = count < ORIGINAL_HEADERS_MAX ? count : ORIGINAL_HEADERS_MAX;
}

static enum sb_err post(struct worker *worker, const struct draft *draft, struct letter *letter)
{
    const struct worker_topic *topic = &worker->options->topics[draft->topic];
    char partition[NUMBER_LEN];
    char offset[NUMBER_LEN];
    snprintf(partition, sizeof(partition), "%" PRId32, draft->partition);
    snprintf(offset, sizeof(offset), "%" PRId64, draft->offset);
    const char *context[CONTEXT_HEADERS][2] = {
        {"__connect.errors.topic", draft->topic_name},
        {"__connect.errors.partition", partition},
        {"__connect.errors.offset", offset},
        {"__connect.errors.connector.name", topic->name},
        {"__connect.errors.stage", draft->stage},
        {"__connect.errors.exception.class.name", "spanbridge.DecodingError"},
        {"__connect.errors.exception.message", worker_reason_text(draft->reason)},
    };
    struct record_header headers[ORIGINAL_HEADERS_MAX + CONTEXT_HEADERS];
    size_t count = draft->header_count;
    memcpy(headers, draft->headers, count * sizeof(headers[0]));
    for (size_t i = 0; topic->context_headers && i < CONTEXT_HEADERS; i++)
        headers[count++] = (struct record_header){.name = bytes_text(context[i][0]),
                                                  .value = bytes_text(context[i][1])};
    struct source_dead_letter sent = {
        .topic = draft->topic,
        .key = draft->key,
        .value = draft->value,
        .headers = headers,
        .header_count = (uint32_t)count,
        .ticket = letter,
    };
    return sources_dead_letter(worker->options->sources, &sent);
}

/*
 * What can not be sent on stays held: its record is never finished, so it is read again after
 * a restart.
 */
static void strand(struct worker *worker, const struct draft *draft)
{
    if (draft->spans == 0)
        ledger_hold(worker->ledger, draft->number, 1);
    worker->stranded_spans += draft->spans;
}

static void log_failure(struct worker *worker, enum sb_err err, unsigned reason)
{
    log_event(worker->options->log, LOG_ERROR, "worker", "dead_letter_failed",
              LOG_TEXT("error", sb_err_text(err)),
              LOG_TEXT("reason", worker_reason_text(reason)));
}

/* What most people have done who meet this at their first start. */
static const char *help_for(const struct worker *worker, const struct draft *draft)
{
    bool json = worker->options->topics[draft->topic].json;
    bool brace = draft->value.len > 0 && draft->value.at[0] == '{';
    if (!json && brace && draft->reason == OTLP_FAULT_MALFORMED)
        return "it begins as JSON does: is encoding = \"otlp_json\" meant?";
    if (json && !brace && draft->reason == OTLP_FAULT_JSON)
        return "it does not begin as JSON does: is encoding = \"otlp_proto\" meant?";
    return "with errors.deadletterqueue or errors.deadletterexchange it is put aside, and "
           "reading goes on";
}

/* What nobody takes is passed over if that is tolerated; else its topic stops. */
static bool passes_over(struct worker *worker, const struct draft *draft)
{
    if (worker->options->topics[draft->topic].tolerant) {
        log_event(worker->options->log, LOG_WARN, "worker", "discarded",
                  LOG_TEXT("topic", draft->topic_name),
                  LOG_NUMBER("partition", draft->partition),
                  LOG_NUMBER("offset", draft->offset),
                  LOG_TEXT("reason", worker_reason_text(draft->reason)));
        worker->topic_counters[draft->topic].discarded++;
        return true;
    }
    log_event(worker->options->log, LOG_ERROR, "worker", "topic_stopped",
              LOG_TEXT("topic", draft->topic_name), LOG_NUMBER("partition", draft->partition),
              LOG_NUMBER("offset", draft->offset),
              LOG_TEXT("reason", worker_reason_text(draft->reason)),
              LOG_TEXT("help", help_for(worker, draft)));
    atomic_store_explicit(&worker->group->stopped[draft->topic], true, memory_order_relaxed);
    return false;
}

static void without_letter(struct worker *worker, const struct draft *draft)
{
    if (!passes_over(worker, draft)) {
        strand(worker, draft);
        return;
    }
    count_dead(worker, draft->topic, draft->reason, draft->spans);
    ledger_release(worker->ledger, draft->number, draft->spans);
}

static struct bytes copy_bytes(uint8_t **at, struct bytes in)
{
    uint8_t *copy = *at;
    if (in.len > 0)
        memcpy(copy, in.at, in.len);
    *at += in.len;
    return bytes_of(in.at == NULL ? NULL : copy, in.len);
}

/* A copy of all that the draft looks at, which may be gone by the next turn. */
static struct waiting_letter *copy_draft(const struct draft *draft)
{
    struct bytes name = bytes_of(draft->topic_name, strlen(draft->topic_name) + 1);
    size_t len = name.len + draft->key.len + draft->value.len;
    for (size_t i = 0; i < draft->header_count; i++)
        len += draft->headers[i].name.len + draft->headers[i].value.len;
    struct waiting_letter *copy = memory_alloc(sizeof(*copy) + len);
    if (copy == NULL)
        return NULL;
    uint8_t *at = copy->bytes;
    copy->draft = *draft;
    copy->draft.topic_name = (const char *)copy_bytes(&at, name).at;
    copy->draft.key = copy_bytes(&at, draft->key);
    copy->draft.value = copy_bytes(&at, draft->value);
    for (size_t i = 0; i < draft->header_count; i++) {
        copy->draft.headers[i].name = copy_bytes(&at, draft->headers[i].name);
        copy->draft.headers[i].value = copy_bytes(&at, draft->headers[i].value);
    }
    return copy;
}

static enum sb_err keep_waiting(struct worker *worker, const struct draft *draft,
                                struct letter *letter)
{
    struct waiting_letter *waiting = copy_draft(draft);
    if (waiting == NULL)
        return SB_ERR_MEMORY;
    waiting->letter = letter;
    waiting->next = NULL;
    if (worker->letters_waiting == NULL)
        worker->letters_waiting = waiting;
    else
        worker->last_waiting->next = waiting;
    worker->last_waiting = waiting;
    return SB_OK;
}

/* Where the record was read, as long as its partition is here. */
static bool find_place(const struct worker *worker, struct draft *draft)
{
    ledger_partition partition;
    draft->offset = ledger_record_offset(worker->ledger, draft->number, &partition);
    for (uint32_t i = 0; i < worker->lanes.count; i++) {
        const struct lane *lane = &worker->lanes.at[i];
        if (!lane->open || lane->ledger != partition)
            continue;
        draft->topic = lane->topic;
        draft->topic_name = lane->topic_name;
        draft->partition = lane->partition;
        return true;
    }
    return false;
}

/* A letter that its topic will never take ends as if there were no such topic. */
static bool ends_without(struct worker *worker, const struct letter *letter)
{
    struct draft draft = {.number = letter->record, .reason = letter->reason};
    return find_place(worker, &draft) && passes_over(worker, &draft);
}

/*
 * What a letter holds whose end did not come, or was no good one, stays held: see strand.  Unless
 * its partition has moved: then the next owner reads the record again, and sends another.
 */
static void letter_ended(struct worker *worker, struct letter *letter, enum sb_err result)
{
    if (result != SB_OK)
        log_failure(worker, result, letter->reason);
    bool sent = result == SB_OK || (result == SB_ERR_LIMIT && ends_without(worker, letter));
    if (sent)
        count_dead(worker, letter->topic, letter->reason, letter->spans);
    bool returned = !sent && ledger_is_returned(worker->ledger, letter->record);
    if (returned)
        worker->counters.returned += letter->spans;
    if (sent || returned) {
        ledger_release(worker->ledger, letter->record, letter->spans == 0 ? 1 : letter->spans);
        atomic_fetch_sub_explicit(&worker->letter_spans_out, letter->spans,
                                  memory_order_relaxed);
    }
    atomic_fetch_sub_explicit(&worker->letters_out, 1, memory_order_relaxed);
    memory_free(letter);
}

static void send_letter(struct worker *worker, const struct draft *draft)
{
    if (worker->observe != NULL) { /* what would have become of it is for the report to say */
        count_dead(worker, draft->topic, draft->reason, draft->spans);
        ledger_release(worker->ledger, draft->number, draft->spans);
        return;
    }
    if (!worker->options->topics[draft->topic].dead_letters) {
        without_letter(worker, draft);
        return;
    }
    struct letter *letter = memory_alloc(sizeof(*letter));
    if (letter == NULL) {
        log_failure(worker, SB_ERR_MEMORY, draft->reason);
        strand(worker, draft);
        return;
    }
    *letter = (struct letter){
        .worker = worker->number,
        .record = draft->number,
        .topic = draft->topic,
        .spans = draft->spans,
        .reason = draft->reason,
    };
    /* A whole record is held by a count of its own until its letter has arrived. */
    ledger_hold(worker->ledger, draft->number, draft->spans == 0);
    atomic_fetch_add_explicit(&worker->letters_out, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->letter_spans_out, draft->spans, memory_order_relaxed);
    enum sb_err err = SB_ERR_FULL;
    if (worker->letters_waiting == NULL) /* else it would overtake */
        err = post(worker, draft, letter);
    if (err == SB_ERR_FULL)
        err = keep_waiting(worker, draft, letter);
    if (err != SB_OK)
        letter_ended(worker, letter, err);
}

static const struct lane *lane_of(const struct worker *worker, const struct record *record)
{
    return &worker->lanes.at[record->lane];
}

void letters_send_record(struct worker *worker, const struct record *record,
                         ledger_record number, unsigned reason)
{
    struct draft draft = {
        .topic = record->topic,
        .topic_name = lane_of(worker, record)->topic_name,
        .partition = record->partition,
        .offset = record->offset,
        .key = record->key,
        .value = record->value,
        .stage = "VALUE_CONVERTER",
        .reason = reason,
        .number = number,
    };
    add_original_headers(&draft, record);
    send_letter(worker, &draft);
}

/* One span as a request of its own, in worker->letter.  SB_ERR_MEMORY. */
static enum sb_err wrap(struct worker *worker, const struct otlp_envelope *envelope,
                        struct bytes body)
{
    const struct otlp_request_span span = {.envelope = envelope, .body = body};
    text_reset(&worker->letter);
    otlp_write_request(&worker->letter, &span, 1);
    return worker->letter.error;
}

void letters_send_span(struct worker *worker, const struct record *record, ledger_record number,
                       const struct otlp_envelope *envelope, const struct otlp_span *span)
{
    enum sb_err err = wrap(worker, envelope, span->raw);
    struct draft draft = {
        .topic = record->topic,
        .topic_name = lane_of(worker, record)->topic_name,
        .partition = record->partition,
        .offset = record->offset,
        .key = record->key,
        .value = text_bytes(&worker->letter),
        .stage = "VALUE_CONVERTER",
        .reason = span->fault,
        .spans = 1,
        .number = number,
    };
    if (err != SB_OK) {
        log_failure(worker, err, draft.reason);
        strand(worker, &draft);
        return;
    }
    add_original_headers(&draft, record);
    send_letter(worker, &draft);
}

/* What stands before the request of a refused span. */
struct refused_message {
    ledger_record record;
    unsigned reason;
    uint8_t *request; /* owned by the message */
    size_t len;
};

void letters_send_refused(struct worker *worker, uint32_t record, unsigned reason,
                          const struct otlp_envelope *envelope, struct bytes body)
{
    enum sb_err err = wrap(worker, envelope, body);
    struct bytes request = text_bytes(&worker->letter);
    struct refused_message message = {
        .record = record_number(record), .reason = reason, .len = request.len};
    if (err == SB_OK) {
        err = SB_ERR_MEMORY;
        message.request = memory_alloc(request.len + 1);
    }
    if (message.request != NULL) {
        memcpy(message.request, request.at, request.len);
        err = exchange_send(&worker->exchange, record_worker(record), MESSAGE_REFUSED,
                            bytes_of(&message, sizeof(message)), (struct bytes){0});
    }
    if (err == SB_OK) {
        worker->counters.spans_handed_over++;
        return;
    }
    memory_free(message.request);
    worker->counters.rejected++;
    worker_release(worker, record, 1);
}

void letters_receive_refused(struct worker *worker, struct bytes body)
{
    struct refused_message message;
    memcpy(&message, body.at, sizeof(message));
    worker->counters.spans_taken_over++;
    struct draft draft = {
        .value = bytes_of(message.request, message.len),
        .stage = "TASK_PUT",
        .reason = message.reason,
        .spans = 1,
        .number = message.record,
    };
    if (find_place(worker, &draft) && worker->options->topics[draft.topic].dead_letters) {
        send_letter(worker, &draft);
    } else {
        bool returned = ledger_is_returned(worker->ledger, message.record);
        worker->counters.returned += returned; /* the next owner has it refused again */
        worker->counters.rejected += !returned;
        ledger_release(worker->ledger, message.record, 1);
    }
    memory_free(message.request);
}

void letters_discard_refused(struct bytes body)
{
    struct refused_message message;
    memcpy(&message, body.at, sizeof(message));
    memory_free(message.request);
}

static void send_waiting(struct worker *worker)
{
    while (worker->letters_waiting != NULL) {
        struct waiting_letter *waiting = worker->letters_waiting;
        enum sb_err err = post(worker, &waiting->draft, waiting->letter);
        if (err == SB_ERR_FULL)
            return;
        if (err != SB_OK)
            letter_ended(worker, waiting->letter, err);
        worker->letters_waiting = waiting->next;
        memory_free(waiting);
    }
}

void letters_collect(struct worker *worker)
{
    struct mailbox_item *item = mailbox_take_all(&worker->letters_done);
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        struct letter *letter = (struct letter *)item;
        letter_ended(worker, letter, letter->result);
        item = next;
    }
    send_waiting(worker);
}

void letters_clear(struct worker *worker)
{
    struct mailbox_item *item = mailbox_take_all(&worker->letters_done);
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        memory_free(item);
        item = next;
    }
    while (worker->letters_waiting != NULL) {
        struct waiting_letter *next = worker->letters_waiting->next;
        memory_free(worker->letters_waiting->letter);
        memory_free(worker->letters_waiting);
        worker->letters_waiting = next;
    }
}
