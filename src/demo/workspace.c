#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"

enum { FILE_BYTES_MAX = 16384, DIR_MODE = 0755, FILE_MODE = 0600 };

enum file { FILE_WORKER, FILE_SPANS, FILE_ORDERS, FILE_SHIPMENTS, FILE_RABBITMQ, FILES };
static const char *const file_names[FILES] = {"worker.conf", "topics/spans.conf",
                                              "topics/orders.conf", "topics/shipments.conf",
                                              "topics/mailer_spans.conf"};

/*
 * In an open shop the pictures are waited for.  With `once` all is there before the service reads:
 * a machine on which that takes longer than seconds must not decide what it has yet to read.
 */
#define WAIT_OPEN "2s"
#define WAIT_ONCE "1m"

const char *const workspace_policies[WORKSPACE_POLICIES] = {"errors", "slow", "vip", "rest"};

static const char worker_format[] =
    "# Made by `spanbridge demo`. Every key is explained in docs/config.md.\n"
    "group = \"%s\";\n"
    "workers = 2;\n"
    "memory = \"256MiB\";\n"
    "kafka = { bootstrap = \"%s\"; };\n"
    "topics_dir = \"%s/topics\";\n"
    "\n"
    "# A trace is decided this long after its first span came, or when --drain has read all.\n"
    "window = { wait = \"%s\"; };\n"
    "\n"
    "# The first of these that wants a trace keeps it; what none wants is dropped.\n"
    "sampling = { policies = (\n"
    "  { name = \"errors\"; type = \"status_code\";      status_codes = [ \"ERROR\" ]; },\n"
    "  { name = \"slow\";   type = \"latency\";          threshold = \"2s\"; },\n"
    "  { name = \"vip\";    type = \"string_attribute\"; key = \"customer.tier\";\n"
    "    values = [ \"platinum\", \"enterprise\" ]; },\n"
    "  { name = \"rest\";   type = \"probabilistic\";    percentage = 5.0; } ); };\n"
    "\n"
    "# Here: a receiver inside the demo. Put the address of Tempo or Jaeger there.\n"
    "sinks = ( { name = \"backend\"; type = \"otlp_http\"; endpoint = \"%s\";\n"
    "            compression = \"none\"; } );\n"
    "\n"
    "shutdown = { drain = \"decide\"; };\n"
    "log = { level = \"%s\"; };\n";

static const char spans_format[] =
    "# The topic that holds spans.\n"
    "name = \"spans\"; source = \"kafka\"; topic = \"%s\"; role = \"spans\";\n"
    "encoding = \"otlp_proto\"; start = \"earliest\";\n";

static const char messages_format[] =
    "# A business topic: read for its headers only, besides its own consumers.\n"
    "name = \"%s\"; source = \"kafka\"; topic = \"%s\"; role = \"messages\";\n"
    "tap = \"index\"; start = \"earliest\";\n"
    "repair = { mode = \"auto\"; queue_span = true; };\n";

static const char rabbitmq_format[] =
    "\n"
    "# The second broker; its queues have topic files of their own.\n"
    "rabbitmq = { url = \"";
static const char after_rabbitmq[] =
    "\"; };\n"
    "\n"
    "# What holds for destinations without a topic file, such as the exchange.\n"
    "repair = { mode = \"auto\"; queue_span = true; };\n";

static const char queue_format[] =
    "# A RabbitMQ queue that holds spans, beside the topic of Kafka: both feed the same "
    "traces.\n"
    "name = \"mailer_spans\"; source = \"rabbitmq\"; queue = \"%s\"; role = \"spans\";\n"
    "encoding = \"otlp_proto\";\n";

static enum sb_err fail(struct text *message, const char *what, const char *path)
{
    char reason[128];
    text_printf(message, "%s %s: %s", what, path,
                strerror_r(errno, reason, sizeof(reason))); /* the GNU one */
    return SB_ERR_IO;
}

/* "DIR/name" */
static void join(const struct workspace *workspace, const char *name,
                 char ret[WORKSPACE_PATH_LEN + 64])
{
    snprintf(ret, WORKSPACE_PATH_LEN + 64, "%s/%s", workspace->path, name);
}

static enum sb_err make_folder(const struct workspace_options *options, struct workspace *ret,
                               struct text *message)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    char wanted[WORKSPACE_PATH_LEN];
    ret->keep = options->keep != NULL;
    if (!ret->keep) {
        snprintf(ret->path, sizeof(ret->path), "%s/spanbridge-demo-XXXXXX",
                 base == NULL || base[0] == '\0' ? "/tmp" : base);
        return mkdtemp(ret->path) == NULL ? fail(message, "cannot make", ret->path) : SB_OK;
    }
    snprintf(wanted, sizeof(wanted), "%s", options->keep);
    if (mkdir(wanted, DIR_MODE) != 0 && errno != EEXIST)
        return fail(message, "cannot make", wanted);
    /* Absolute, so that the files can be used from anywhere. */
    char *absolute = realpath(wanted, NULL);
    if (absolute == NULL || strlen(absolute) >= sizeof(ret->path)) {
        free(absolute);
        return fail(message, "cannot use", wanted);
    }
    snprintf(ret->path, sizeof(ret->path), "%s", absolute);
    free(absolute);
    return SB_OK;
}

static enum sb_err write_file(const struct workspace *workspace, const char *name,
                              const struct text *content, struct text *message)
{
    char path[WORKSPACE_PATH_LEN + 64];
    join(workspace, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return fail(message, "cannot write", path);
    }
    bool written = fwrite(content->at, 1, content->len, file) == content->len;
    written = fclose(file) == 0 && written;
    return written ? SB_OK : fail(message, "cannot write", path);
}

/* What ends a text of libconfig, or begins a variable in it, may stand in a URL as %XX. */
static void put_url(struct text *out, const char *url)
{
    for (; *url != '\0'; url++) {
        if (*url == '"' || *url == '\\' || *url == '$')
            text_printf(out, "%%%02X", (unsigned)(uint8_t)*url);
        else
            text_append_char(out, *url);
    }
}

static void fill_file(const struct workspace *workspace,
                      const struct workspace_options *options, enum file number,
                      struct text *out)
{
    switch (number) {
    case FILE_WORKER:
        text_printf(out, worker_format, options->group, options->bootstrap, workspace->path,
                    options->once ? WAIT_ONCE : WAIT_OPEN, options->backend_url,
                    options->verbose ? "info" : "error");
        if (options->rabbitmq_url == NULL)
            break;
        text_append_text(out, rabbitmq_format);
        put_url(out, options->rabbitmq_url);
        text_append_text(out, after_rabbitmq);
        break;
    case FILE_SPANS:
        text_printf(out, spans_format, options->spans_topic);
        break;
    case FILE_ORDERS:
        text_printf(out, messages_format, "orders", options->message_topics[0]);
        break;
    case FILE_SHIPMENTS:
        text_printf(out, messages_format, "shipments", options->message_topics[1]);
        break;
    case FILE_RABBITMQ:
        text_printf(out, queue_format, options->rabbitmq_queue);
        break;
    case FILES:
        break;
    }
}

/* A file of an earlier demo in a folder that was kept would be read, too. */
static enum sb_err forget_file(const struct workspace *workspace, enum file number,
                               struct text *message)
{
    char path[WORKSPACE_PATH_LEN + 64];
    join(workspace, file_names[number], path);
    return unlink(path) == 0 || errno == ENOENT ? SB_OK : fail(message, "cannot remove", path);
}

static enum sb_err write_files(const struct workspace *workspace,
                               const struct workspace_options *options, struct text *message)
{
    char topics[WORKSPACE_PATH_LEN + 64];
    join(workspace, "topics", topics);
    if (mkdir(topics, DIR_MODE) != 0 && errno != EEXIST)
        return fail(message, "cannot make", topics);
    struct text content;
    text_init(&content, FILE_BYTES_MAX);
    enum sb_err err = SB_OK;
    if (options->rabbitmq_url == NULL)
        err = forget_file(workspace, FILE_RABBITMQ, message);
    uint32_t files = options->rabbitmq_url == NULL ? FILE_RABBITMQ : FILES;
    for (uint32_t i = 0; err == SB_OK && i < files; i++) {
        text_reset(&content);
        fill_file(workspace, options, (enum file)i, &content);
        err = content.error == SB_OK ? write_file(workspace, file_names[i], &content, message)
                                     : content.error;
    }
    text_clear(&content);
    return err;
}

enum sb_err workspace_make(const struct workspace_options *options, struct workspace *ret,
                           struct text *message)
{
    struct workspace workspace = {0};
    enum sb_err err = make_folder(options, &workspace, message);
    if (err != SB_OK)
        return err;
    err = write_files(&workspace, options, message);
    if (err != SB_OK) {
        workspace_remove(&workspace);
        return err;
    }
    *ret = workspace;
    return SB_OK;
}

enum sb_err workspace_load(const struct workspace *workspace, struct settings **ret,
                           struct text *message)
{
    char worker[WORKSPACE_PATH_LEN + 64];
    join(workspace, file_names[0], worker);
    struct config_sources sources = {.worker = worker};
    struct config_report report;
    config_report_init(&report);
    enum sb_err err = config_load(&sources, &report, ret);
    if (err != SB_OK)
        config_report_text(&report, false, message);
    config_report_clear(&report);
    return err;
}

void workspace_remove(const struct workspace *workspace)
{
    char path[WORKSPACE_PATH_LEN + 64];
    if (workspace->keep || workspace->path[0] == '\0')
        return;
    for (uint32_t i = 0; i < FILES; i++) {
        join(workspace, file_names[i], path);
        unlink(path);
    }
    join(workspace, "topics", path);
    rmdir(path);
    rmdir(workspace->path);
}
