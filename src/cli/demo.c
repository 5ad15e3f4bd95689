/* demo: another room's command, under its name. */
#include "demo/demo.h"

#include "command.h"

const struct command command_demo = {
    .name = "demo",
    .summary = "show broken traces and the same traces repaired, with nothing else installed",
    .help = "", /* demo_main prints its own */
    .run = demo_main,
};
