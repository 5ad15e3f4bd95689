/*
 * ledger: which records are not finished yet, per partition, and the low watermark.
 *
 * A record is begun when it is read and holds one count; every span of it that goes on
 * holds one more.  It is finished when all counts are released.  The watermark of a
 * partition is the offset behind which every record is finished: only that may be
 * committed.  It never passes an unfinished record and never moves back.  Offsets are what
 * was seen, not arithmetic: gaps are legal.
 *
 * One ledger per worker, one thread.  Source: delivery.md, Ledger.
 */
#ifndef SB_LEDGER_LEDGER_H
#define SB_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct ledger;

/* A record's reference; good until its last count is released. */
typedef uint32_t ledger_record;
/* A partition's reference; good until ledger_close_partition. */
typedef uint32_t ledger_partition;

#define LEDGER_NO_OFFSET INT64_MIN

enum sb_err ledger_new(struct ledger **ret) SB_MUST_USE;
void ledger_free(struct ledger *ledger);

/* Opens a partition; its records' offsets must rise.  SB_ERR_MEMORY. */
enum sb_err ledger_open_partition(struct ledger *ledger, ledger_partition *ret) SB_MUST_USE;

/*
 * Fences a partition: nothing more may be begun, the watermark stays as it is; records of
 * it that are still held may be released, without effect on any watermark.
 */
void ledger_close_partition(struct ledger *ledger, ledger_partition partition);

/* The same where another owner reads on from the watermark: what is held here is read again. */
void ledger_return_partition(struct ledger *ledger, ledger_partition partition);
bool ledger_is_returned(const struct ledger *ledger, ledger_record record);

/* Begins the record at `offset` with one count.  SB_ERR_MEMORY: not begun, try again. */
enum sb_err ledger_begin(struct ledger *ledger, ledger_partition partition, int64_t offset,
                         ledger_record *ret) SB_MUST_USE;

void ledger_hold(struct ledger *ledger, ledger_record record, uint32_t counts);
void ledger_release(struct ledger *ledger, ledger_record record, uint32_t counts);

/* One behind the last finished record, as Kafka commits; LEDGER_NO_OFFSET: nothing yet. */
int64_t ledger_watermark(const struct ledger *ledger, ledger_partition partition);

/* Records begun and not finished, of all partitions.  For tests: a run leaves none behind. */
uint32_t ledger_held(const struct ledger *ledger);

/* Which partition a held record belongs to, and its offset. */
int64_t ledger_record_offset(const struct ledger *ledger, ledger_record record,
                             ledger_partition *ret_partition);

#endif
