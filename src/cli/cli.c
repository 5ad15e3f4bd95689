#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "config/suggest.h"
#include "terminal.h"
#include "version.h"

static const struct command *const commands[] = {
    &command_run, &command_demo, &command_check, &command_config, NULL,
};

/* Of later versions: not unknown, but not there. */
static const char *const later[] = {"test",    "replay",  "topics", "tap",     "top",
                                    "explain", "offsets", "dlq",    "inspect", NULL};

static void append_help(struct text *out)
{
    text_append_text(out, "spanbridge mends distributed traces that broke at message queues.\n"
                          "\n"
                          "usage: spanbridge COMMAND [ARGUMENT ...]\n"
                          "\n");
    for (const struct command *const *command = commands; *command != NULL; command++)
        text_printf(out, "  %-8s %s\n", (*command)->name, (*command)->summary);
    text_append_text(out, "\n"
                          "  spanbridge COMMAND --help      about one command\n"
                          "  spanbridge --version [--json]  versions, with those of libraries\n"
                          "\n"
                          "Exit codes: 0; 64 usage; 69 unavailable; 70 internal error;\n"
                          "75 stopped with work left for the next start; 77 another process\n"
                          "runs as this instance; 78 configuration.\n");
}

static int print_help(void)
{
    struct text text;
    text_init(&text, TERMINAL_TEXT_MAX);
    append_help(&text);
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static int print_version(int argc, char **argv)
{
    bool json = argc == 3 && strcmp(argv[2], "--json") == 0;
    if (argc > 2 && !json) {
        fprintf(stderr, "spanbridge: --version takes --json or nothing\n");
        return EX_USAGE;
    }
    struct text text;
    text_init(&text, TERMINAL_TEXT_MAX);
    version_append(&text, json);
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static int tell_unknown(const char *word)
{
    struct suggest suggest;
    for (const char *const *name = later; *name != NULL; name++) {
        if (strcmp(*name, word) == 0) {
            fprintf(stderr, "spanbridge: %s is not available in this version\n", word);
            return EX_USAGE;
        }
    }
    suggest_init(&suggest, word);
    for (const struct command *const *command = commands; *command != NULL; command++)
        suggest_offer(&suggest, (*command)->name);
    fprintf(stderr, "spanbridge: unknown %s %.80s\n", word[0] == '-' ? "option" : "command",
            word);
    if (suggest.best != NULL)
        fprintf(stderr, "  help: did you mean spanbridge %s?\n", suggest.best);
    else if (strchr(word, '.') != NULL)
        fprintf(stderr, "  help: spanbridge run %.80s\n", word);
    else
        fprintf(stderr, "  help: spanbridge --help\n");
    return EX_USAGE;
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "spanbridge: a command is missing\n  help: spanbridge --help\n");
        return EX_USAGE;
    }
    const char *word = argv[1];
    for (const struct command *const *command = commands; *command != NULL; command++) {
        if (strcmp((*command)->name, word) == 0)
            return (*command)->run(argc - 1, argv + 1);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return print_help();
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 ||
        strcmp(word, "version") == 0)
        return print_version(argc, argv);
    return tell_unknown(word);
}
