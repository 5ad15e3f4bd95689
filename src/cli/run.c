/* run: the service. */
#include <stdio.h>
#include <sysexits.h>

#include "app/run.h"
#include "core/units.h"
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
    "  --observe            only look: commit, export and write nothing, and report where "
    "traces\n"
    "                       break, why, and what would be repaired; with --drain of what is\n"
    "                       there, else of what comes until SIGINT or SIGTERM\n"
    "  --for DURATION       with --observe: end after so long, as with 10m\n"
    "  --json               at the end, one line of totals as JSON on stdout\n"
    "  --fail-fast          end with 69 when a broker, topic or backend is missing at start\n"
    "  --log-level LEVEL    debug, info, warn, error or off; wins over log.level; with "
    "--observe\n"
    "                       nothing below warn is logged without it\n"
    "  --log-format FORMAT  logfmt or json; wins over log.format\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit codes: 0 done; 64 usage; 69 unavailable (with --fail-fast); 70 internal error;\n"
    "75 stopped with work left for the next start; 77 another process runs as this instance;\n"
    "78 configuration.\n";

enum {
    OPTION_DRAIN = 1,
    OPTION_OBSERVE,
    OPTION_FOR,
    OPTION_JSON,
    OPTION_FAIL_FAST,
    OPTION_LOG_LEVEL,
    OPTION_LOG_FORMAT
};

static const struct option options[] = {
    {"drain", no_argument, NULL, OPTION_DRAIN},
    {"observe", no_argument, NULL, OPTION_OBSERVE},
    {"for", required_argument, NULL, OPTION_FOR},
    {"json", no_argument, NULL, OPTION_JSON},
    {"fail-fast", no_argument, NULL, OPTION_FAIL_FAST},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
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
    bool wants_log = false;
    struct overrides overrides = {.count = 0};
    struct settings_request request = {.command = &command_run, .overrides = overrides.items};
    options_begin();
    for (;;) {
        switch (options_next(argc, argv, options, &command_run)) {
        case OPTIONS_END:
            if (run_options.for_ns > 0 && !run_options.observe)
                return options_usage(&command_run, "--for is for --observe");
            request.files = argv + optind;
            request.file_count = argc - optind;
            request.override_count = overrides.count;
            request.looks_only = run_options.observe;
            run_options.quiet = run_options.observe && !wants_log;
            return load_and_run(&request, &run_options);
        case OPTIONS_HELP:
            return 0;
        case OPTION_DRAIN:
            run_options.drain = true;
            break;
        case OPTION_OBSERVE:
            run_options.observe = true;
            break;
        case OPTION_FOR:
            if (units_parse_duration(optarg, &run_options.for_ns) != SB_OK ||
                run_options.for_ns == 0)
                return options_usage(&command_run, "--for takes a duration, such as 10m");
            break;
        case OPTION_JSON:
            run_options.json = true;
            break;
        case OPTION_FAIL_FAST:
            run_options.fail_fast = true;
            break;
        case OPTION_LOG_LEVEL:
            set_override(&overrides, "log.level", level);
            wants_log = true;
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
