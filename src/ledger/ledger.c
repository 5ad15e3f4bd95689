#include "ledger/ledger.h"

#include "core/assert.h"
#include "core/memory.h"
#include "core/pool.h"

/* 4096 records (96 KiB) and 64 partitions at once. */
enum { RECORD_CHUNK_BITS = 12, PARTITION_CHUNK_BITS = 6 };

/*
 * Records of a partition form a list in the order of their offsets.  Its head is never
 * finished: what is finished behind an unfinished one waits in the list with no counts.
 */
struct record {
    int64_t offset;
    uint32_t next; /* POOL_NONE: the youngest */
    uint32_t counts;
    ledger_partition partition;
};
_Static_assert(sizeof(struct record) <= 24, "there are as many of these as records are held");

struct partition {
    uint32_t first; /* POOL_NONE: nothing is held */
    uint32_t last;
    bool closed;
    bool returned;
    int64_t watermark;
    int64_t newest_offset;
};

struct ledger {
    struct pool records;
    struct pool partitions;
    uint32_t held;
};

static struct record *record_at(const struct ledger *ledger, ledger_record record)
{
    return pool_at(&ledger->records, record);
}

static struct partition *partition_at(const struct ledger *ledger, ledger_partition partition)
{
    return pool_at(&ledger->partitions, partition);
}

enum sb_err ledger_new(struct ledger **ret)
{
    struct ledger *ledger = memory_zalloc(1, sizeof(*ledger));
    if (ledger == NULL)
        return SB_ERR_MEMORY;
    pool_init(&ledger->records, sizeof(struct record), RECORD_CHUNK_BITS);
    pool_init(&ledger->partitions, sizeof(struct partition), PARTITION_CHUNK_BITS);
    *ret = ledger;
    return SB_OK;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    pool_clear(&ledger->records);
    pool_clear(&ledger->partitions);
    memory_free(ledger);
}

enum sb_err ledger_open_partition(struct ledger *ledger, ledger_partition *ret)
{
    uint32_t index = pool_take(&ledger->partitions);
    if (index == POOL_NONE)
        return SB_ERR_MEMORY;
    *partition_at(ledger, index) = (struct partition){
        .first = POOL_NONE,
        .last = POOL_NONE,
        .watermark = LEDGER_NO_OFFSET,
        .newest_offset = LEDGER_NO_OFFSET,
    };
    *ret = index;
    return SB_OK;
}

void ledger_close_partition(struct ledger *ledger, ledger_partition partition)
{
    struct partition *p = partition_at(ledger, partition);
    SB_ASSERT(!p->closed);
    p->closed = true;
    if (p->first == POOL_NONE)
        pool_give(&ledger->partitions, partition);
}

void ledger_return_partition(struct ledger *ledger, ledger_partition partition)
{
    partition_at(ledger, partition)->returned = true;
    ledger_close_partition(ledger, partition);
}

bool ledger_is_returned(const struct ledger *ledger, ledger_record record)
{
    const struct record *r = record_at(ledger, record);
    SB_ASSERT(r->counts > 0);
    return partition_at(ledger, r->partition)->returned;
}

enum sb_err ledger_begin(struct ledger *ledger, ledger_partition partition, int64_t offset,
                         ledger_record *ret)
{
    struct partition *p = partition_at(ledger, partition);
    SB_ASSERT(!p->closed);
    SB_ASSERT(offset > p->newest_offset);
    uint32_t index = pool_take(&ledger->records);
    if (index == POOL_NONE)
        return SB_ERR_MEMORY;
    *record_at(ledger, index) = (struct record){
        .offset = offset, .next = POOL_NONE, .counts = 1, .partition = partition};
    if (p->first == POOL_NONE)
        p->first = index;
    else
        record_at(ledger, p->last)->next = index;
    p->last = index;
    p->newest_offset = offset;
    ledger->held++;
    *ret = index;
    return SB_OK;
}

void ledger_hold(struct ledger *ledger, ledger_record record, uint32_t counts)
{
    struct record *r = record_at(ledger, record);
    SB_ASSERT(r->counts > 0);
    SB_ASSERT(counts <= UINT32_MAX - r->counts);
    r->counts += counts;
}

/* Takes what is finished off the head; the watermark follows, unless the partition is fenced. */
static void take_finished(struct ledger *ledger, ledger_partition partition)
{
    struct partition *p = partition_at(ledger, partition);
    while (p->first != POOL_NONE) {
        struct record *r = record_at(ledger, p->first);
        if (r->counts > 0)
            return;
        uint32_t finished = p->first;
        if (!p->closed)
            p->watermark = r->offset + 1;
        p->first = r->next;
        pool_give(&ledger->records, finished);
    }
    if (p->closed)
        pool_give(&ledger->partitions, partition);
}

void ledger_release(struct ledger *ledger, ledger_record record, uint32_t counts)
{
    struct record *r = record_at(ledger, record);
    SB_ASSERT(counts <= r->counts);
    r->counts -= counts;
    if (r->counts > 0 || counts == 0)
        return;
    ledger->held--;
    if (partition_at(ledger, r->partition)->first == record)
        take_finished(ledger, r->partition);
}

int64_t ledger_watermark(const struct ledger *ledger, ledger_partition partition)
{
    return partition_at(ledger, partition)->watermark;
}

uint32_t ledger_held(const struct ledger *ledger)
{
    return ledger->held;
}

int64_t ledger_record_offset(const struct ledger *ledger, ledger_record record,
                             ledger_partition *ret_partition)
{
    const struct record *r = record_at(ledger, record);
    SB_ASSERT(r->counts > 0);
    *ret_partition = r->partition;
    return r->offset;
}
