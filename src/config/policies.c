#include "policies.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/units.h"

static void check_latency(struct loader *loader, const struct settings_policy *policy,
                          const char *where, struct place at)
{
    uint64_t lower = policy->latency.threshold_ns;
    uint64_t upper = policy->latency.upper_threshold_ns;
    if (upper == 0 || upper > lower)
        return;
    char lower_text[UNITS_TEXT_LEN];
    char upper_text[UNITS_TEXT_LEN];
    units_format_duration(lower, lower_text);
    units_format_duration(upper, upper_text);
    at = origin_place(loader, &policy->latency.upper_threshold_ns, at);
    report_error(loader->report, at, "%supper_threshold is not above threshold: %s, %s", where,
                 upper_text, lower_text);
    report_help(loader->report, "no trace takes longer than one and not longer than the other");
}

/* The options are those of src/decide. */
static void check_regex(struct loader *loader, const struct settings_policy *policy,
                        const char *where, struct place at)
{
    at = origin_place(loader, &policy->string_attribute.values, at);
    for (uint32_t i = 0; i < policy->string_attribute.value_count; i++) {
        const char *pattern = policy->string_attribute.values[i];
        int number;
        PCRE2_SIZE offset;
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                         PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                                             PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                                         &number, &offset, NULL);
        if (code != NULL) {
            pcre2_code_free(code);
            continue;
        }
        PCRE2_UCHAR why[160] = {0};
        pcre2_get_error_message(number, why, sizeof(why));
        report_error(loader->report, at, "%svalues[%u] is no regular expression: %s", where,
                     (unsigned)i, (const char *)why);
        report_help(loader->report, "at character %zu of \"%s\"", (size_t)offset + 1,
                    quote(pattern).text);
    }
}

void policies_check_one(struct loader *loader, const struct settings_policy *policy,
                        const char *where, struct place at)
{
    unsigned depth = 0;
    for (const char *c = strchr(where, '['); c != NULL; c = strchr(c + 1, '['))
        depth++;
    if (depth == POLICIES_DEPTH_MAX + 1)
        report_error(loader->report, at, "policies nest more than %d levels deep",
                     POLICIES_DEPTH_MAX);
    if (policy->type == SETTINGS_POLICY_LATENCY)
        check_latency(loader, policy, where, at);
    else if (policy->type == SETTINGS_POLICY_STRING_ATTRIBUTE && policy->string_attribute.regex)
        check_regex(loader, policy, where, at);
}

void policies_check_names(struct loader *loader, const struct settings_policy *policies,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *name = policies[i].name;
        policies_check_names(loader, policies[i].policies, policies[i].policy_count);
        for (uint32_t j = 0; j < i && name != NULL; j++) {
            if (policies[j].name == NULL || strcmp(policies[j].name, name) != 0)
                continue;
            struct place none = {.file = "?"};
            struct place first = origin_place(loader, &policies[j].name, none);
            report_error(loader->report, origin_place(loader, &policies[i].name, none),
                         "two policies are called \"%s\"", quote(name).text);
            report_help(loader->report, "the first one is in %s:%u", first.file,
                        (unsigned)first.line);
            break;
        }
    }
}
