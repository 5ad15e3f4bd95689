/* run: the service. */
#include <stdio.h>
#include <sysexits.h>

#include "app/run.h"
#include "options.h"
#include "settings_loader.h"
#include "terminal.h"

static const char help[] =
    "spanbridge run WORKER.conf [TOPIC.conf ...]\n"
    "\n"
    "Runs until SIGTERM or SIGINT; a second signal ends it at once. Topic files may also come\n"
    "from topics_dir in the worker file. Logs go to stderr.\n"
    "\n"
    "  --drain              end when everything has been read to where it ended at start, and\n"
    "                       decided, exported and committed\n"
    "  --json               at the end, one line of totals as JSON on stdout\n"
    "  --fail-fast          end with 69 when a broker, topic or backend is missing at start\n"
    "  --log-level LEVEL    debug, info, warn, error or off; wins over log.level\n"
    "  --log-format FORMAT  logfmt or json; wins over log.format\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit codes: 0 done; 64 usage; 69 unavailable (with --fail-fast); 70 internal error;\n"
    "75 stopped with work left for the next start; 77 another process runs as this instance;\n"
    "78 configuration.\n";

enum { OPTION_DRAIN = 1, OPTION_JSON, OPTION_FAIL_FAST, OPTION_LOG_LEVEL, OPTION_LOG_FORMAT };

static const struct option options[] = {
    {"drain", no_argument, NULL, OPTION_DRAIN},
    {"json", no_argument, NULL, OPTION_JSON},
    {"fail-fast", no_argument, NULL, OPTION_FAIL_FAST},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
    {"observe", no_argument, NULL, OPTIONS_LATER},
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

/* log.level and log.format; an option that is given again wins over the one before. */
struct overrides {
    struct config_override items[2];
    uint32_t count;
};

static void set_override(struct overrides *overrides, const char *path, const char *origin)
{
    uint32_t i = 0;
    while (i < overrides->count && overrides->items[i].origin != origin)
        i++;
    if (i == overrides->count)
        overrides->count++;
    overrides->items[i] = (struct config_override){path, optarg, origin};
}

static int load_and_run(const struct settings_request *request,
                        const struct app_run_options *run_options)
{
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    int code = settings_loader_load(request, &report, &settings);
    terminal_report(&report);
    config_report_clear(&report);
    if (code == 0)
        code = app_run(settings, run_options);
    settings_free(settings);
    return code;
}

static int run(int argc, char **argv)
{
    static const char level[] = "--log-level";
    static const char format[] = "--log-format";
    struct app_run_options run_options = app_run_options_default();
    struct overrides overrides = {.count = 0};
    struct settings_request request = {.command = &command_run, .overrides = overrides.items};
    options_begin();
    for (;;) {
        switch (options_next(argc, argv, options, &command_run)) {
        case OPTIONS_END:
            request.files = argv + optind;
            request.file_count = argc - optind;
            request.override_count = overrides.count;
            return load_and_run(&request, &run_options);
        case OPTIONS_HELP:
            return 0;
        case OPTION_DRAIN:
            run_options.drain = true;
            break;
        case OPTION_JSON:
            run_options.json = true;
            break;
        case OPTION_FAIL_FAST:
            run_options.fail_fast = true;
            break;
        case OPTION_LOG_LEVEL:
            set_override(&overrides, "log.level", level);
            break;
        case OPTION_LOG_FORMAT:
            set_override(&overrides, "log.format", format);
            break;
        default:
            return EX_USAGE;
        }
    }
}

const struct command command_run = {
    .name = "run",
    .summary = "run the service",
    .help = help,
    .run = run,
};
