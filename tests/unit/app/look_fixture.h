/*
 * look_fixture: a look at three topics, put together by hand.
 *
 * 2 span topics (spans, bad) and a message topic (orders).  Rows are added by a test; the totals
 * are those of the rows by destination.
 */
#ifndef SB_TEST_APP_LOOK_FIXTURE_H
#define SB_TEST_APP_LOOK_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe_report.h"
#include "support/test.h"

enum { SPANS, BAD, ORDERS, TOPICS, ROWS_MAX = 64 };

struct look_fixture {
    struct settings settings;
    struct settings_topic topics[TOPICS];
    struct app app;
    struct worker_account account;
    struct worker_topic_counters counters[TOPICS];
    struct worker_observed_topic observed[TOPICS];
    struct worker_observed_row rows[WORKER_BY_COUNT][ROWS_MAX];
    struct look look;
};

static inline void fixture_init(struct look_fixture *fixture)
{
    *fixture = (struct look_fixture){
        .topics = {{.name = "spans", .topic = "spans", .role = SETTINGS_ROLE_SPANS},
                   {.name = "bad", .topic = "bad", .role = SETTINGS_ROLE_SPANS},
                   {.name = "orders", .topic = "orders", .role = SETTINGS_ROLE_MESSAGES}},
    };
    fixture->settings =
        (struct settings){.group = "g", .topics = fixture->topics, .topic_count = TOPICS};
    fixture->settings.window.wait_ns = 30 * NS_PER_S;
    fixture->app.settings = &fixture->settings;
    fixture->app.look_group = (char *)"g.observe.1";
    fixture->account.counters.spans_read = 1234;
    fixture->account.counters.observed = 1234;
    fixture->account.counters.records_read = 12;
    fixture->look = (struct look){.app = &fixture->app,
                                  .account = &fixture->account,
                                  .topic_counters = fixture->counters,
                                  .seconds = 90};
    fixture->look.observed.topics = fixture->observed;
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        fixture->look.observed.rows[by] = fixture->rows[by];
}

/* A row in the tables of all kinds; returns the one by destination, and in *ret_hop all of it. */
static inline struct worker_observed_row *add_row(struct look_fixture *fixture,
                                                  const char *destination, const char *service,
                                                  const char *library)
{
    struct worker_observed *observed = &fixture->look.observed;
    for (int by = 0; by < WORKER_BY_COUNT; by++) {
        struct worker_observed_row *row = &fixture->rows[by][observed->row_count[by]++];
        row->named = true;
        row->settings = strcmp(destination, "orders") == 0 ? ORDERS : TOPICS;
        bool all = by == WORKER_BY_HOP;
        if (all || by == WORKER_BY_DESTINATION)
            snprintf(row->destination, WORKER_NAME_LEN, "%s", destination);
        if (all || by == WORKER_BY_SERVICE)
            snprintf(row->service, WORKER_NAME_LEN, "%s", service);
        if (all || by == WORKER_BY_LIBRARY)
            snprintf(row->library, WORKER_NAME_LEN, "%s", library);
    }
    return &fixture
                ->rows[WORKER_BY_DESTINATION][observed->row_count[WORKER_BY_DESTINATION] - 1];
}

/* The last row's counter in all tables, and the total. */
static inline void set(struct look_fixture *fixture, enum worker_hop_counter counter,
                       uint64_t count)
{
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        fixture->rows[by][fixture->look.observed.row_count[by] - 1].counts[counter] = count;
    fixture->look.totals[counter] += count;
}

#endif
