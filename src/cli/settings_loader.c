#include "settings_loader.h"

#include <stdio.h>
#include <sysexits.h>

#include "options.h"
#include "properties.h"

int settings_loader_load(const struct settings_request *request, struct config_report *report,
                         struct settings **ret)
{
    if (request->file_count < 1)
        return options_usage(request->command, "a worker file is missing");
    struct config_sources sources = {
        .worker = request->files[0],
        .topics = (const char *const *)&request->files[1],
        .topic_count = (uint32_t)request->file_count - 1,
        .overrides = request->overrides,
        .override_count = request->override_count,
        .check_property = properties_check,
        .looks_only = request->looks_only,
    };
    enum sb_err err = config_load(&sources, report, ret);
    if (err == SB_OK)
        return 0;
    if (err == SB_ERR_CONFIG)
        return EX_CONFIG;
    fprintf(stderr, "spanbridge %s: %s\n", request->command->name, sb_err_text(err));
    return err == SB_ERR_MEMORY ? EX_OSERR : EX_SOFTWARE;
}
