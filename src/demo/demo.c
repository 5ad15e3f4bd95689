/*
 * demo: opens the shop, runs the bridge, prints what came of it.
 *
 * Signals are blocked in all threads but where the demo's own asks for them, so that topics and
 * queues on a real broker are removed on every way out.  The first one ends the service in good
 * order.  The second leaves it as it is, and ends the demo when they are removed; the third does
 * not wait for that.
 */
#include "demo/demo.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "amqp/thread.h"
#include "core/clock.h"
#include "machine.h"
#include "options.h"
#include "pipeline.h"
#include "receiver.h"
#include "report.h"
#include "traffic.h"
#include "verdict.h"
#include "workspace.h"

enum {
    OUTPUT_BYTES_MAX = 16 << 20,
    TICK_MS = 100,
    LINE_EVERY_MS = 3000,
    ONCE_LIMIT_MS = 120000,
    STOP_LIMIT_MS = 60000,
    EX_DIFFERENT = 1,
    EX_INTERRUPTED = 130
};

/* What a signal asks for, by its number. */
enum { ASKED_TO_END = 1, ASKED_TO_END_AT_ONCE = 2 };

struct demo {
    struct demo_options options;
    struct terminal_style style;
    struct seen_reader *reader;
    struct traffic *traffic;
    struct demo_receiver *receiver;
    struct workspace workspace;
    struct settings *settings;
    struct pipeline *pipeline;
    sigset_t signals;
    uint32_t signalled; /* so many signals were taken */
    bool left;          /* the service still runs, with what belongs to it */
    int code;           /* of exit */

    struct trace_id shown[SHOP_PIECES]; /* the pieces of the showpiece */
    struct seen_list before;
    struct seen_list after;
    struct receiver_counts received;
    struct text output;
    struct text message; /* what went wrong */
};

static void keep_shown(void *arg, const struct seen_span *span)
{
    struct demo *demo = arg;
    for (uint32_t i = 0; i < SHOP_PIECES; i++)
        if (trace_id_equal(span->trace_id, demo->shown[i]))
            seen_list_add(&demo->before, span);
}

/* What is shown as "before" is read back from the bytes that are sent. */
static void on_request(void *arg, struct bytes request)
{
    struct demo *demo = arg;
    if (seen_read(demo->reader, request, keep_shown, demo) != SB_OK)
        text_append_text(&demo->message, "the demo's own spans can not be read\n");
}

static int fail(struct demo *demo, int code)
{
    const char *message = text_string(&demo->message);
    fprintf(stderr, "spanbridge demo: %s\n", message[0] == '\0' ? "memory is short" : message);
    return code;
}

static int code_of(enum sb_err err)
{
    switch (err) {
    case SB_ERR_UNAVAILABLE:
    case SB_ERR_CONFIG: /* a broker has refused us */
        return EX_UNAVAILABLE;
    default:
        return EX_SOFTWARE;
    }
}

/* True once so many signals have come; waits for one at most `wait_ms`. */
static bool is_signalled(struct demo *demo, uint32_t times, uint32_t wait_ms)
{
    struct timespec wait = {.tv_sec = wait_ms / MS_PER_S,
                            .tv_nsec = (long)(wait_ms % MS_PER_S) * (long)NS_PER_MS};
    if (demo->signalled < times && sigtimedwait(&demo->signals, NULL, &wait) > 0)
        demo->signalled++;
    if (demo->signalled == ASKED_TO_END_AT_ONCE) /* a third one waits for nobody */
        pthread_sigmask(SIG_UNBLOCK, &demo->signals, NULL);
    return demo->signalled >= times;
}

static void print(struct demo *demo)
{
    fwrite(text_string(&demo->output), 1, demo->output.len, stdout);
    fflush(stdout);
    text_reset(&demo->output);
}

/* Everything that the pipeline needs, but not the pipeline. */
static int open_demo(struct demo *demo)
{
    struct traffic_options traffic = {
        .kafka = demo->options.kafka,
        .rabbitmq = demo->options.rabbitmq,
        .seed = demo->options.seed,
        .clock = clock_system(),
        .on_request = on_request,
        .arg = demo,
    };
    struct shop shop = {.seed = traffic.seed, .rabbitmq = traffic.rabbitmq != NULL};
    struct shop_checkout showpiece;
    shop_make(shop, SHOP_SHOWPIECE, clock_wall_ns(traffic.clock), &showpiece);
    memcpy(demo->shown, showpiece.trace_id, sizeof(demo->shown));
    enum sb_err err = seen_reader_new(&demo->reader);
    if (err == SB_OK)
        err = demo_receiver_new(&demo->receiver);
    if (err != SB_OK)
        return fail(demo, EX_SOFTWARE);
    demo_receiver_watch(demo->receiver, demo->shown);
    err = traffic_new(&traffic, &demo->traffic, &demo->message);
    if (err != SB_OK)
        return fail(demo, code_of(err));

    const struct broker *broker = traffic_broker(demo->traffic);
    struct workspace_options workspace = {
        .keep = demo->options.keep,
        .bootstrap = broker_bootstrap(broker),
        .group = broker_group(broker),
        .backend_url = demo_receiver_url(demo->receiver),
        .spans_topic = broker_topic_name(broker, BROKER_SPANS),
        .message_topics = {broker_topic_name(broker, BROKER_ORDERS),
                           broker_topic_name(broker, BROKER_SHIPMENTS)},
        .rabbitmq_url = demo->options.rabbitmq,
        .once = demo->options.once,
        .verbose = demo->options.verbose,
    };
    if (traffic_exchange(demo->traffic) != NULL)
        workspace.rabbitmq_queue = exchange_spans_queue(traffic_exchange(demo->traffic));
    if (workspace_make(&workspace, &demo->workspace, &demo->message) != SB_OK)
        return fail(demo, EX_CANTCREAT);
    if (workspace_load(&demo->workspace, &demo->settings, &demo->message) != SB_OK)
        return fail(demo, EX_SOFTWARE);
    return EX_OK;
}

/* False: it is asked to end at once, and the service still runs. */
static bool end_pipeline(struct demo *demo)
{
    if (demo->pipeline == NULL)
        return true;
    pipeline_stop(demo->pipeline);
    while (!pipeline_ended(demo->pipeline, TICK_MS))
        if (is_signalled(demo, ASKED_TO_END_AT_ONCE, 0))
            return false;
    return true;
}

/* Topics and queues on a real broker go here, on every way out. */
static bool close_demo(struct demo *demo)
{
    demo->left = !end_pipeline(demo);
    if (!demo->left) {
        pipeline_free(demo->pipeline);
        settings_free(demo->settings);
        demo_receiver_free(demo->receiver);
        seen_reader_free(demo->reader);
    }
    workspace_remove(&demo->workspace);
    text_reset(&demo->message);
    bool clean = demo->left ? traffic_remove(demo->traffic, &demo->message)
                            : traffic_free(demo->traffic, &demo->message);
    if (!clean)
        fail(demo, EX_UNAVAILABLE);
    text_clear(&demo->output);
    text_clear(&demo->message);
    return clean;
}

static void read_backend(struct demo *demo)
{
    demo_receiver_read(demo->receiver, &demo->received, &demo->after);
}

static int run_pipeline(struct demo *demo, bool drain)
{
    if (pipeline_start(demo->settings, drain, &demo->pipeline) == SB_OK)
        return EX_OK;
    text_append_text(&demo->message, "the service could not be started");
    return fail(demo, EX_SOFTWARE);
}

/* Until it has ended by itself, or so many signals have come. */
static void await_pipeline(struct demo *demo, uint32_t signals, uint32_t limit_ms)
{
    for (uint32_t waited_ms = 0; waited_ms < limit_ms; waited_ms += TICK_MS)
        if (is_signalled(demo, signals, 0) || pipeline_ended(demo->pipeline, TICK_MS) ||
            traffic_idle(demo->traffic, &demo->message) != SB_OK)
            return;
    text_append_text(&demo->message, "the service did not end by itself\n");
}

/* Judges, prints the totals, and returns the exit code. */
static int conclude(struct demo *demo)
{
    struct totals totals;
    const char *summary = pipeline_summary(demo->pipeline);
    const struct shop_checkout *showpiece = traffic_showpiece(demo->traffic);
    const struct traffic_totals *sent = traffic_totals(demo->traffic);
    bool counted = summary != NULL && totals_read(summary, &totals);
    read_backend(demo);
    if (!counted)
        text_printf(&demo->message, "the service ended with %d and without its totals\n",
                    pipeline_exit_code(demo->pipeline));
    else
        verdict_on_totals(sent, &totals, &demo->message);
    if (counted && demo->options.once)
        verdict_on_all(sent, &totals, &demo->message);
    if (showpiece != NULL)
        verdict_on_trace(showpiece, &demo->after, &demo->message);
    if (demo->options.json) {
        struct machine_report report = {showpiece,
                                        &demo->before,
                                        &demo->after,
                                        sent,
                                        &demo->received,
                                        summary,
                                        text_string(&demo->message)};
        if (machine_report(&report, &demo->output) != SB_OK)
            return fail(demo, EX_SOFTWARE);
    } else if (counted) {
        report_totals(&demo->output, sent, &demo->received, &totals, &demo->style);
    }
    if (demo->workspace.keep && !demo->options.json)
        text_printf(&demo->output, "\nThe configuration is in %s\n", demo->workspace.path);
    print(demo);
    if (demo->message.len == 0)
        return EX_OK;
    return fail(demo, EX_DIFFERENT);
}

static void print_after(struct demo *demo)
{
    if (demo->options.json)
        return;
    report_after(&demo->output, traffic_showpiece(demo->traffic), &demo->after, &demo->style);
    print(demo);
}

static void print_before(struct demo *demo)
{
    if (demo->options.json)
        return;
    report_before(&demo->output, traffic_showpiece(demo->traffic), &demo->before, &demo->style);
    print(demo);
}

/* All checkouts first, then the service until it has read everything. */
static int run_once(struct demo *demo)
{
    enum sb_err err = SB_OK;
    uint32_t left = demo->options.traces;
    while (err == SB_OK && left > 0 && !is_signalled(demo, ASKED_TO_END, 0)) {
        uint32_t count = left < TRAFFIC_ROUND_MAX ? left : TRAFFIC_ROUND_MAX;
        err = traffic_play(demo->traffic, count, &demo->message);
        left -= count;
    }
    if (err == SB_OK)
        err = traffic_flush(demo->traffic, &demo->message);
    if (err != SB_OK)
        return fail(demo, code_of(err));
    if (demo->signalled > 0)
        return EX_INTERRUPTED;
    print_before(demo);
    int code = run_pipeline(demo, true);
    if (code != EX_OK)
        return code;
    await_pipeline(demo, ASKED_TO_END, ONCE_LIMIT_MS);
    if (demo->signalled > 0)
        return EX_INTERRUPTED;
    read_backend(demo);
    print_after(demo);
    return conclude(demo);
}

/* Did the backend get all of the shown checkout: its spans, and one for each mended queue? */
static bool came_out(const struct demo *demo)
{
    const struct shop_checkout *showpiece = traffic_showpiece(demo->traffic);
    uint32_t wanted = showpiece->span_count;
    for (uint32_t i = 0; i < showpiece->hop_count; i++)
        wanted += showpiece->hops[i].evidence != SHOP_NOTHING;
    return demo->after.count >= wanted;
}

/* The shop's day: checkouts at the rate, the pictures once, then a line now and then. */
static enum sb_err keep_open(struct demo *demo)
{
    uint64_t begin_ns = clock_monotonic_ns(clock_system());
    uint64_t next_line_ms = LINE_EVERY_MS;
    const struct traffic_totals *sent = traffic_totals(demo->traffic);
    bool shown_before = false;
    bool shown_after = false;
    while (!is_signalled(demo, ASKED_TO_END, TICK_MS) && !pipeline_ended(demo->pipeline, 0)) {
        uint64_t passed_ms = (clock_monotonic_ns(clock_system()) - begin_ns) / NS_PER_MS;
        uint64_t due = passed_ms * demo->options.rate / MS_PER_S;
        enum sb_err err = SB_OK;
        if (due > sent->checkouts)
            err =
                traffic_play(demo->traffic, (uint32_t)(due - sent->checkouts), &demo->message);
        if (err == SB_OK)
            err = traffic_flush(demo->traffic, &demo->message);
        if (err != SB_OK)
            return err;
        if (!shown_before && traffic_showpiece(demo->traffic) != NULL) {
            print_before(demo);
            text_append_text(&demo->output, "\nspanbridge waits two seconds for the spans of a "
                                            "trace, then decides about all of it.\n");
            shown_before = true;
        }
        read_backend(demo);
        if (!shown_after && shown_before && came_out(demo)) {
            print_after(demo);
            text_append_text(&demo->output, "\nThe shop stays open; ctrl-C closes it.\n\n");
            shown_after = true;
        }
        if (passed_ms >= next_line_ms && shown_after) {
            report_line(&demo->output, passed_ms / MS_PER_S, sent, &demo->received);
            next_line_ms = passed_ms + LINE_EVERY_MS;
        }
        print(demo);
    }
    return SB_OK;
}

static int run_until_stopped(struct demo *demo)
{
    int code = run_pipeline(demo, false);
    if (code != EX_OK)
        return code;
    enum sb_err err = keep_open(demo);
    if (err != SB_OK)
        return fail(demo, code_of(err));
    pipeline_stop(demo->pipeline);
    await_pipeline(demo, ASKED_TO_END_AT_ONCE, STOP_LIMIT_MS);
    if (demo->signalled >= ASKED_TO_END_AT_ONCE)
        return EX_TEMPFAIL;
    return conclude(demo);
}

/* SIGPIPE too: a reader that has gone is seen when writing. */
static void take_signals(struct demo *demo)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&demo->signals);
    sigaddset(&demo->signals, SIGINT);
    sigaddset(&demo->signals, SIGTERM);
    sigaddset(&demo->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &demo->signals, NULL);
}

/* Everything, in a thread whose stack takes whatever RabbitMQ may send. */
static void *run(void *arg)
{
    struct demo *demo = arg;
    demo->code = open_demo(demo);
    if (demo->code == EX_OK)
        demo->code = demo->options.once ? run_once(demo) : run_until_stopped(demo);
    if (!close_demo(demo) && demo->code == EX_OK)
        demo->code = EX_UNAVAILABLE;
    if (demo->left)
        demo->code = EX_TEMPFAIL;
    return NULL;
}

int demo_main(int argc, char **argv)
{
    static struct demo demo; /* its lists are large; there is one demo in a process */
    pthread_t thread;
    memset(&demo, 0, sizeof(demo));
    text_init(&demo.output, OUTPUT_BYTES_MAX);
    text_init(&demo.message, OUTPUT_BYTES_MAX);
    if (!demo_options_read(argc, argv, &demo.options, &demo.message)) {
        text_append_text(&demo.message, "\n  help: spanbridge demo --help");
        int code = fail(&demo, EX_USAGE);
        text_clear(&demo.message);
        return code;
    }
    if (demo.options.help) {
        fputs(demo_help, stdout);
        return EX_OK;
    }
    demo.style = terminal_style_of_fd(STDOUT_FILENO);
    take_signals(&demo);
    if (amqp_thread_start(&thread, "demo", run, &demo) != SB_OK) {
        text_append_text(&demo.message, "no thread can be started");
        return fail(&demo, EX_OSERR);
    }
    pthread_join(thread, NULL);
    if (demo.left)
        _exit(demo.code); /* the service's threads would see what exit takes down */
    return demo.code;
}
