/*
 * rig: a link and the fake broker that it talks to.
 */
#ifndef SB_TEST_AMQP_RIG_H
#define SB_TEST_AMQP_RIG_H

#include "amqp/channel.h"
#include "amqp/link.h"
#include "core/clock.h"
#include "fake_broker.h"
#include "support/test.h"

struct rig {
    struct fake_broker *broker;
    struct amqp_link *link;
    char url[FAKE_URL_LEN];
};

#define RIG_PATIENCE_NS (20 * NS_PER_S)
#define RIG_TIMEOUT_NS  (50 * NS_PER_MS) /* where a test waits for a timeout */

static inline void rig_start(struct rig *rig, fake_script script, uint64_t timeout_ns)
{
    char why[AMQP_WHY_LEN] = "";
    rig->broker = fake_broker_new(script, NULL);
    fake_broker_url(rig->broker, rig->url);
    const struct amqp_link_options options = {.url = rig->url,
                                              .client_name = "test",
                                              .timeout_ns = timeout_ns,
                                              .clock = clock_system()};
    assert_int_equal(amqp_link_new(&options, &rig->link, why), SB_OK);
}

static inline void rig_open(struct rig *rig, fake_script script)
{
    rig_start(rig, script, RIG_PATIENCE_NS);
    assert_int_equal(amqp_link_open(rig->link), SB_OK);
}

/* The script must have gone as it was written. */
static inline void rig_end(struct rig *rig)
{
    amqp_link_close(rig->link, NS_PER_S);
    amqp_link_free(rig->link);
    const char *fault = fake_broker_fault(rig->broker);
    if (fault != NULL)
        print_error("script: %s\n", fault);
    assert_null(fault);
    fake_broker_free(rig->broker);
}

/* The next event that is something. */
static inline struct amqp_event rig_next(struct rig *rig)
{
    struct amqp_event event;
    assert_int_equal(amqp_link_next(rig->link, RIG_PATIENCE_NS, &event), SB_OK);
    return event;
}

#define assert_why(rig, part) assert_non_null(strstr(amqp_link_why((rig)->link), (part)))

#define assert_view(view, text)                                                                \
    do {                                                                                       \
        assert_int_equal((view).len, strlen(text));                                            \
        assert_memory_equal((view).at, (text), strlen(text));                                  \
    } while (0)

#endif
