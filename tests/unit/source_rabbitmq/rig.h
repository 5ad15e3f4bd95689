/*
 * rig: a RabbitMQ source and the fake broker that it reads from.  The test's thread is control
 * thread and worker in one, and moves the clock.
 */
#ifndef SB_TEST_SOURCE_RABBITMQ_RIG_H
#define SB_TEST_SOURCE_RABBITMQ_RIG_H

#include "fake_broker.h"
#include "source/sources.h"
#include "state.h"
#include "support/fake_clock.h"
#include "support/test.h"

enum { RIG_SEEN_MAX = 512, RIG_VALUE_LEN = 64, RIG_LANES_MAX = 8 };

struct rig_record {
    uint32_t lane;
    int32_t partition;
    int64_t offset;
    int64_t time_ms;
    enum record_time_type time_type;
    enum record_flaw flaw;
    uint32_t header_count;
    bool tap;
    size_t value_len;
    char value[RIG_VALUE_LEN];
    char key[RIG_VALUE_LEN];
};

struct rig {
    struct fake_broker *broker;
    struct fake_clock clock;
    char url[FAKE_URL_LEN];
    struct source_numbers numbers;
    struct source_topic topics[2];
    struct source_rabbitmq_topic queues[2];
    struct source_rabbitmq_options options;
    struct sources *sources;
    struct source *source;
    bool paused;     /* records stay in the rings */
    bool keeping;    /* what was polled is not released */
    bool publishing; /* each record is finished as soon as it is seen */
    struct record kept[RIG_SEEN_MAX];
    uint32_t kept_count;
    struct rig_record seen[RIG_SEEN_MAX];
    uint32_t seen_count;
    bool open[RIG_LANES_MAX];
    struct source_lane lanes[RIG_LANES_MAX];
    uint32_t opened;
    uint32_t closed;
    uint32_t gone;
    uint32_t lost;
    uint32_t troubles; /* told, cleared ones aside */
    uint32_t cleared;
    char trouble[FEED_TEXT_LEN];
    char trouble_what[FEED_TEXT_LEN];
    char gap[FEED_TEXT_LEN];
    uint32_t letters;
    uint32_t letters_failed;
    enum sb_err letter_result;
};

/* One queue "q" of spans, one consumer, prefetch 100, one worker, publishing; not started. */
void rig_init(struct rig *rig, fake_script script, void *arg);
struct feed *rig_feed(struct rig *rig);
struct lane *rig_lane(struct rig *rig, uint32_t consumer);
enum sb_err rig_new(struct rig *rig);
void rig_start(struct rig *rig);
/* The script must have gone as it was written. */
void rig_end(struct rig *rig, bool commit);

/* Serves and polls once. */
void rig_turn(struct rig *rig);
void rig_advance_ms(struct rig *rig, uint64_t ms);
void rig_release_kept(struct rig *rig);
void rig_publish(struct rig *rig, uint32_t lane, int64_t offset);

uint64_t rig_deadline_ms(void);
void rig_check_deadline(struct rig *rig, uint64_t until_ms, const char *condition);

/* Turns until the condition holds; fails the test after 20 s. */
#define RIG_UNTIL(rig, condition)                                                              \
    for (uint64_t until_ms_ = rig_deadline_ms(); !(condition);                                 \
         rig_check_deadline((rig), until_ms_, #condition))                                     \
    rig_turn(rig)

/* Scripts: the handshake, and what follows up to the consumers' answers. */
bool script_consumed(struct fake_peer *peer, uint32_t consumers);
/* Serves until an ack comes; its tag is *ret. */
bool script_acked(struct fake_peer *peer, uint64_t *ret);
/* Until that tag is acked, no further, and none twice. */
bool script_acked_to(struct fake_peer *peer, uint64_t tag);

#endif
