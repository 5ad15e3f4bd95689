#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { TRACES_DEFAULT = 2000, TRACES_MIN = 10, RATE_DEFAULT = 200 };

const char demo_help[] =
    "spanbridge demo [--once] [options]\n"
    "\n"
    "A shop of five services whose traces break at two Kafka topics, and spanbridge mending\n"
    "them: shows one trace as it arrives and as it leaves, and counts all of them. Needs\n"
    "nothing else: the Kafka is in the process, and so is the backend that gets the spans.\n"
    "\n"
    "  --once             end when all checkouts are through: 0 if all was mended and\n"
    "                     accounted for, else 1. Without it the shop stays open until ctrl-C\n"
    "  --traces N         how many checkouts, with --once (2000)\n"
    "  --rate N           how many a second, without --once (200)\n"
    "  --seed N           which customers come (1)\n"
    "  --kafka HOST:PORT  use a real broker; makes topics of its own, and removes them\n"
    "  --rabbitmq URL     the checkout goes on through a RabbitMQ exchange to a mailer, whose\n"
    "                     spans arrive through RabbitMQ, too: one trace out of two brokers.\n"
    "                     amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// (SSL_CERT_FILE\n"
    "                     names your own authority); what is made there is removed\n"
    "  --keep DIR         write the configuration files to DIR and leave them there\n"
    "  --json             everything as one JSON object; implies --once\n"
    "  --verbose          the service's own log on stderr\n"
    "  -h, --help         this text\n";

enum {
    OPTION_ONCE = 1,
    OPTION_TRACES,
    OPTION_RATE,
    OPTION_SEED,
    OPTION_KAFKA,
    OPTION_RABBITMQ,
    OPTION_KEEP,
    OPTION_JSON,
    OPTION_VERBOSE
};

static const struct option names[] = {
    {"once", no_argument, NULL, OPTION_ONCE},
    {"traces", required_argument, NULL, OPTION_TRACES},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"kafka", required_argument, NULL, OPTION_KAFKA},
    {"rabbitmq", required_argument, NULL, OPTION_RABBITMQ},
    {"keep", required_argument, NULL, OPTION_KEEP},
    {"json", no_argument, NULL, OPTION_JSON},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *option, uint64_t least, uint64_t most, uint64_t *ret,
                        struct text *message)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(optarg, &end, 10);
    bool digits = optarg[0] >= '0' && optarg[0] <= '9' && *end == '\0';
    if (!digits || errno != 0 || number < least || number > most) {
        text_printf(message, "%s takes a number from %llu to %llu, not \"%s\"", option,
                    (unsigned long long)least, (unsigned long long)most, optarg);
        return false;
    }
    *ret = number;
    return true;
}

static bool take(int option, struct demo_options *options, struct text *message)
{
    uint64_t number = 0;
    bool fine = true;
    switch (option) {
    case OPTION_ONCE:
        options->once = true;
        break;
    case OPTION_TRACES:
        fine = read_number("--traces", TRACES_MIN, DEMO_TRACES_MAX, &number, message);
        options->traces = (uint32_t)number;
        break;
    case OPTION_RATE:
        fine = read_number("--rate", 1, DEMO_RATE_MAX, &number, message);
        options->rate = (uint32_t)number;
        break;
    case OPTION_SEED:
        fine = read_number("--seed", 0, UINT64_MAX, &options->seed, message);
        break;
    case OPTION_KAFKA:
        options->kafka = optarg;
        break;
    case OPTION_RABBITMQ:
        options->rabbitmq = optarg;
        break;
    case OPTION_KEEP:
        options->keep = optarg;
        break;
    case OPTION_JSON:
        options->json = options->once = true;
        break;
    case OPTION_VERBOSE:
        options->verbose = true;
        break;
    default:
        options->help = true;
        break;
    }
    return fine;
}

bool demo_options_read(int argc, char **argv, struct demo_options *ret, struct text *message)
{
    *ret = (struct demo_options){.seed = 1, .traces = TRACES_DEFAULT, .rate = RATE_DEFAULT};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    int option;
    /* clang-tidy fears two threads at getopt; there is one yet. */
    while ((option = getopt_long(argc, argv, ":h", names, NULL)) != -1) { /* NOLINT */
        if (option == '?' || option == ':') {
            text_printf(message, option == ':' ? "%s needs a value" : "unknown option %s",
                        argv[optind - 1]);
            return false;
        }
        if (!take(option, ret, message))
            return false;
    }
    if (optind < argc) {
        text_printf(message, "unexpected \"%s\"", argv[optind]);
        return false;
    }
    if (ret->kafka == NULL && ret->traces > DEMO_TRACES_IN_PROCESS_MAX) {
        text_printf(message, "the Kafka in the process has room for %d checkouts: use --kafka",
                    DEMO_TRACES_IN_PROCESS_MAX);
        return false;
    }
    return true;
}
