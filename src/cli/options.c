#include "options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/suggest.h"

void options_begin(void)
{
    optind = 0; /* glibc: also forgets what it remembers of the last command line */
    opterr = 0;
}

int options_usage(const struct command *command, const char *text)
{
    fprintf(stderr, "spanbridge %s: %s\n  help: spanbridge %s --help\n", command->name, text,
            command->name);
    return EX_USAGE;
}

/* The word after the dashes, without its value. */
static void option_word(const char *arg, char *ret, size_t room)
{
    arg += strspn(arg, "-");
    snprintf(ret, room, "%.*s", (int)strcspn(arg, "="), arg);
}

static void tell_unknown(const char *arg, const struct option *options,
                         const struct command *command)
{
    char word[64];
    struct suggest suggest;
    option_word(arg, word, sizeof(word));
    suggest_init(&suggest, word);
    for (; options->name != NULL; options++) {
        if (options->val != OPTIONS_LATER)
            suggest_offer(&suggest, options->name);
    }
    fprintf(stderr, "spanbridge %s: unknown option %.80s\n", command->name, arg);
    if (suggest.best != NULL)
        fprintf(stderr, "  help: did you mean --%s?\n", suggest.best);
    else
        fprintf(stderr, "  help: spanbridge %s --help\n", command->name);
}

int options_next(int argc, char **argv, const struct option *options,
                 const struct command *command)
{
    int index = 0;
    /* Before there is a second thread. */
    int value =
        getopt_long(argc, argv, ":h", options, &index); /* NOLINT(concurrency-mt-unsafe) */
    switch (value) {
    case OPTIONS_HELP:
        fputs(command->help, stdout);
        return OPTIONS_HELP;
    case OPTIONS_LATER:
        fprintf(stderr, "spanbridge %s: --%s is not available in this version\n", command->name,
                options[index].name);
        return OPTIONS_BAD;
    case ':':
        fprintf(stderr, "spanbridge %s: %.80s needs a value\n", command->name,
                argv[optind - 1]);
        return OPTIONS_BAD;
    case '?':
        tell_unknown(argv[optind - 1], options, command);
        return OPTIONS_BAD;
    default:
        return value;
    }
}
