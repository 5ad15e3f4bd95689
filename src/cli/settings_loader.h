/*
 * settings_loader: what check, config show and run share: operands in, settings out.
 */
#ifndef SB_CLI_SETTINGS_LOADER_H
#define SB_CLI_SETTINGS_LOADER_H

#include "command.h"
#include "config/load.h"

struct settings_request {
    const struct command *command; /* whose usage is told when the worker file is missing */
    char **files;                  /* the worker file, then topic files */
    int file_count;
    const struct config_override *overrides;
    uint32_t override_count;
    bool looks_only; /* as in config/load.h */
};

/*
 * Returns 0 with *ret, which the caller frees, or an exit code.  The report is the caller's;
 * nothing is printed but usage errors and the want of memory.
 */
int settings_loader_load(const struct settings_request *request, struct config_report *report,
                         struct settings **ret);

#endif
