#include "raw.h"

#include "broker_url.h"
#include "core/text.h"
#include "core/utf8.h"
#include "expand.h"

struct raw raw_of(const config_setting_t *setting)
{
    struct raw raw = {0};
    const char *text;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        raw.type = RAW_INTEGER;
        raw.integer = config_setting_get_int(setting);
        break;
    case CONFIG_TYPE_INT64:
        raw.type = RAW_INTEGER;
        raw.integer = config_setting_get_int64(setting);
        break;
    case CONFIG_TYPE_FLOAT:
        raw.type = RAW_REAL;
        raw.real = config_setting_get_float(setting);
        break;
    case CONFIG_TYPE_BOOL:
        raw.type = RAW_SWITCH;
        raw.on = config_setting_get_bool(setting) != 0;
        break;
    case CONFIG_TYPE_STRING:
        text = config_setting_get_string(setting);
        raw.type = RAW_TEXT;
        raw.text = text == NULL ? "" : text;
        break;
    case CONFIG_TYPE_GROUP:
        raw.type = RAW_GROUP;
        break;
    default:
        raw.type = RAW_LIST;
        break;
    }
    return raw;
}

static bool is_utf8(const char *text)
{
    struct bytes rest = bytes_text(text);
    while (rest.len > 0) {
        size_t len = utf8_sequence(rest);
        if (len == 0)
            return false;
        rest = bytes_of(rest.at + len, rest.len - len);
    }
    return true;
}

/* A URL is shown without its password: a secret there is no reason to hide all of it. */
static bool is_secret(const struct target *target, const struct raw *raw,
                      const struct expansion *expansion)
{
    bool url = (target->key->flags & SCHEMA_URL) != 0;
    return expansion->secret &&
           !(url && broker_url_hides(raw->text, expansion->secret_from, expansion->secret_to));
}

bool raw_expand(struct target *target, struct raw *raw)
{
    struct loader *loader = target->loader;
    if (!expand_needed(raw->text)) {
        if (is_utf8(raw->text))
            return true;
        report_error(loader->report, target->at, "%s is not valid UTF-8", target->path);
        return false;
    }
    struct text out;
    struct expansion expansion;
    text_init(&out, RAW_TEXT_MAX);
    enum sb_err err = expand(raw->text, target->beside, loader->files, &out, &expansion);
    if (err == SB_ERR_MEMORY) {
        loader->out_of_memory = true;
    } else if (err != SB_OK) {
        report_error(loader->report, target->at, "%s: %s", target->path, expansion.text);
        if (expansion.help[0] != '\0')
            report_help(loader->report, "%s", expansion.help);
    } else {
        raw->text = loader_text(loader, text_string(&out));
        raw->lenient = true;
        target->secret = target->secret || is_secret(target, raw, &expansion);
    }
    text_clear(&out);
    return err == SB_OK;
}
