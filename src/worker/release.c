/*
 * release: counts of records, whoever read them.
 */
#include "state.h"

void worker_release(struct worker *worker, uint32_t record, uint32_t counts)
{
    uint32_t owner = record_worker(record);
    if (owner == worker->number) {
        ledger_release(worker->ledger, record_number(record), counts);
        return;
    }
    const uint32_t body[2] = {record_number(record), counts};
    /* Out of memory here would leave the record unfinished: it is read again after a restart. */
    enum sb_err err = exchange_send(&worker->exchange, owner, MESSAGE_RELEASE,
                                    bytes_of(body, sizeof(body)), (struct bytes){0});
    if (err != SB_OK)
        log_event(worker->options->log, LOG_ERROR, "worker", "release_lost",
                  LOG_NUMBER("counts", counts));
}

void worker_span_finished(void *arg, const struct ticket *ticket,
                          const struct sink_batch *batch, const struct sink_span *span)
{
    struct worker *worker = arg;
    struct worker_counters *counters = &worker->counters;
    if (ticket->record == RECORD_NONE) {
        worker->synthetic_out--;
        counters->synthetic += ticket->outcome == SINK_EXPORTED;
        return;
    }
    switch ((enum sink_outcome)ticket->outcome) {
    case SINK_EXPORTED:
        counters->exported++;
        break;
    case SINK_LOST:
        counters->lost++;
        break;
    case SINK_TOO_LARGE:
    case SINK_REJECTED:
        letters_send_refused(worker, ticket->record,
                             ticket->outcome == SINK_TOO_LARGE ? WORKER_REASON_TOO_LARGE
                                                               : WORKER_REASON_REFUSED,
                             span->envelope, bytes_of(batch->bytes.at + span->at, span->len));
        return; /* the count goes with the letter */
    case SINK_PENDING:
        SB_ASSERT(false);
    }
    worker_release(worker, ticket->record, 1);
}
