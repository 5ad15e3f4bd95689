/* config: show, docs, init. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/print.h"
#include "config/suggest.h"
#include "options.h"
#include "settings_loader.h"
#include "terminal.h"

static const char help[] =
    "spanbridge config show WORKER.conf [TOPIC.conf ...]\n"
    "    The effective settings, with the file and line each came from. Secrets are redacted.\n"
    "    --json           as JSON\n"
    "\n"
    "spanbridge config docs\n"
    "    The reference of all keys, as Markdown.\n"
    "\n"
    "spanbridge config init [FOLDER]\n"
    "    Annotated samples: FOLDER/worker.conf and FOLDER/topics/otlp_spans.conf; files that\n"
    "    exist are left alone. Without FOLDER the worker file goes to stdout.\n"
    "    --topic          the topic file to stdout\n"
    "\n"
    "  -h, --help         this text\n";

enum { OPTION_JSON = 1, OPTION_TOPIC };

static const struct option options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"topic", no_argument, NULL, OPTION_TOPIC},
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

static int show(char **files, int file_count, bool json)
{
    struct settings_request request = {
        .command = &command_config, .files = files, .file_count = file_count};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    int code = settings_loader_load(&request, &report, &settings);
    terminal_report(&report);
    if (code == 0) {
        struct text text;
        text_init(&text, TERMINAL_TEXT_MAX);
        if (json)
            config_show_json(settings, &text);
        else
            config_show(settings, &text);
        code = terminal_print(&text);
        text_clear(&text);
    }
    settings_free(settings);
    config_report_clear(&report);
    return code;
}

static int print(void (*append)(struct text *))
{
    struct text text;
    text_init(&text, TERMINAL_TEXT_MAX);
    append(&text);
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static int cannot_create(const char *path)
{
    fprintf(stderr, "spanbridge config: %s: %s\n", path, strerrordesc_np(errno));
    return EX_CANTCREAT;
}

/* All of the text into a new file. */
static int write_new(const char *path, const struct text *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return cannot_create(path);
    size_t done = 0;
    while (done < text->len) {
        ssize_t wrote = write(fd, text->at + done, text->len - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    int code = done < text->len ? cannot_create(path) : 0;
    if (close(fd) != 0 && code == 0)
        code = cannot_create(path);
    if (code == 0)
        printf("%s\n", path);
    return code;
}

static int write_sample(const char *folder, const char *name, void (*append)(struct text *))
{
    struct text path;
    struct text text;
    text_init(&path, 4096);
    text_init(&text, TERMINAL_TEXT_MAX);
    text_printf(&path, "%s/%s", folder, name);
    append(&text);
    int code = EX_OSERR;
    if (path.error == SB_OK && text.error == SB_OK)
        code = write_new(text_string(&path), &text);
    text_clear(&path);
    text_clear(&text);
    return code;
}

static int make_folder(const char *path)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return 0;
    return cannot_create(path);
}

static int init(const char *folder)
{
    char topics[4096];
    int len = snprintf(topics, sizeof(topics), "%s/topics", folder);
    if (len < 0 || (size_t)len >= sizeof(topics))
        return options_usage(&command_config, "the folder's name is too long");
    int code = make_folder(folder);
    if (code == 0)
        code = make_folder(topics);
    if (code == 0)
        code = write_sample(folder, "worker.conf", config_init_worker);
    if (code == 0)
        code = write_sample(folder, "topics/otlp_spans.conf", config_init_topic);
    return code;
}

static int unknown(const char *word)
{
    static const char *const words[] = {"show", "docs", "init"};
    struct suggest suggest;
    suggest_init(&suggest, word);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        suggest_offer(&suggest, words[i]);
    fprintf(stderr, "spanbridge config: %.80s is none of show, docs, init\n", word);
    if (suggest.best != NULL)
        fprintf(stderr, "  help: did you mean spanbridge config %s?\n", suggest.best);
    return EX_USAGE;
}

/* Operands begin at optind: the subcommand and what it works on. */
static int dispatch(int argc, char **argv, bool json, bool topic)
{
    if (optind >= argc)
        return options_usage(&command_config, "show, docs or init?");
    const char *word = argv[optind];
    int rest = argc - optind - 1;
    if (strcmp(word, "show") == 0 && !topic)
        return show(argv + optind + 1, rest, json);
    if (strcmp(word, "docs") == 0 && rest == 0 && !json && !topic)
        return print(config_docs);
    if (strcmp(word, "init") == 0 && rest == 0 && !json)
        return print(topic ? config_init_topic : config_init_worker);
    if (strcmp(word, "init") == 0 && rest == 1 && !json && !topic)
        return init(argv[optind + 1]);
    if (strcmp(word, "show") == 0 || strcmp(word, "docs") == 0 || strcmp(word, "init") == 0)
        return options_usage(&command_config, "these arguments do not go together");
    return unknown(word);
}

static int run(int argc, char **argv)
{
    bool json = false;
    bool topic = false;
    options_begin();
    for (;;) {
        switch (options_next(argc, argv, options, &command_config)) {
        case OPTIONS_END:
            return dispatch(argc, argv, json, topic);
        case OPTIONS_HELP:
            return 0;
        case OPTION_JSON:
            json = true;
            break;
        case OPTION_TOPIC:
            topic = true;
            break;
        default:
            return EX_USAGE;
        }
    }
}

const struct command command_config = {
    .name = "config",
    .summary = "show effective settings, the reference, or samples",
    .help = help,
    .run = run,
};
