/* check: are these files right? */
#include <stdio.h>
#include <sysexits.h>

#include "options.h"
#include "settings_loader.h"
#include "terminal.h"

static const char help[] =
    "spanbridge check WORKER.conf [TOPIC.conf ...]\n"
    "\n"
    "Checks configuration files without touching the network. Errors, warnings and notes go\n"
    "to stderr, as file:line: error: text. Exit code 0: all is well; 78: it is not.\n"
    "\n"
    "  --json           the report as JSON on stdout\n"
    "  --deny-warnings  warnings fail the check, too\n"
    "  -h, --help       this text\n";

enum { OPTION_JSON = 1, OPTION_DENY_WARNINGS };

static const struct option options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"deny-warnings", no_argument, NULL, OPTION_DENY_WARNINGS},
    {"connect", no_argument, NULL, OPTIONS_LATER},
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

static int print_json(const struct config_report *report)
{
    struct text text;
    text_init(&text, TERMINAL_TEXT_MAX);
    config_report_json(report, &text);
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static int print_summary(const struct settings *settings)
{
    struct text text;
    text_init(&text, TERMINAL_TEXT_MAX);
    text_printf(&text, "ok: %u topic file%s, %u sink%s, %u polic%s\n",
                (unsigned)settings->topic_count, settings->topic_count == 1 ? "" : "s",
                (unsigned)settings->sink_count, settings->sink_count == 1 ? "" : "s",
                (unsigned)settings->sampling.policy_count,
                settings->sampling.policy_count == 1 ? "y" : "ies");
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static int check(const struct settings_request *request, bool json, bool deny_warnings)
{
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    int code = settings_loader_load(request, &report, &settings);
    int printed = 0;
    if (code == 0)
        config_notes(settings, &report);
    if (code == 0 && deny_warnings && report.warnings > 0)
        code = EX_CONFIG;
    if (json && (code == 0 || code == EX_CONFIG))
        printed = print_json(&report);
    else
        terminal_report(&report);
    if (code == 0 && !json)
        printed = print_summary(settings);
    settings_free(settings);
    config_report_clear(&report);
    return code != 0 ? code : printed;
}

static int run(int argc, char **argv)
{
    bool json = false;
    bool deny_warnings = false;
    struct settings_request request = {.command = &command_check};
    options_begin();
    for (;;) {
        switch (options_next(argc, argv, options, &command_check)) {
        case OPTIONS_END:
            request.files = argv + optind;
            request.file_count = argc - optind;
            return check(&request, json, deny_warnings);
        case OPTIONS_HELP:
            return 0;
        case OPTION_JSON:
            json = true;
            break;
        case OPTION_DENY_WARNINGS:
            deny_warnings = true;
            break;
        default:
            return EX_USAGE;
        }
    }
}

const struct command command_check = {
    .name = "check",
    .summary = "check configuration files",
    .help = help,
    .run = run,
};
