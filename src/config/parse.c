#include "parse.h"

#include <libconfig.h>
#include <locale.h>
#include <string.h>

#include "core/assert.h"
#include "group.h"
#include "source.h"
#include "syntax.h"
#include "value.h"

/* Hangs the marks on libconfig's settings: both are in the order of the text. */
static void hang_marks(config_setting_t *setting, const struct syntax *syntax, uint32_t *next)
{
    int count = config_setting_length(setting);
    for (int i = 0; i < count; i++) {
        config_setting_t *child = config_setting_get_elem(setting, (unsigned)i);
        if (*next < syntax->count)
            config_setting_set_hook(child, &syntax->marks[(*next)++]);
        if (config_setting_is_aggregate(child))
            hang_marks(child, syntax, next);
    }
}

/* libconfig reads numbers by the thread's locale: give it the one that it was made for. */
static int read_in_c_locale(config_t *config, const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain == (locale_t)0 ? plain : uselocale(plain);
    int read = config_read_string(config, text);
    if (before != (locale_t)0)
        uselocale(before);
    if (plain != (locale_t)0)
        freelocale(plain);
    return read;
}

static void tell_libconfig(struct source *source, config_t *config)
{
    uint32_t line = (uint32_t)config_error_line(config);
    const char *text = config_error_text(config);
    if (!source_faulty(source, line))
        report_error(source->report, source_place(source, line, 0), "%s",
                     text == NULL ? "this can not be read" : text);
}

static bool read_source(struct loader *loader, struct source *source,
                        const struct syntax *syntax, const struct schema *schema, void *base)
{
    config_t config;
    config_init(&config);
    bool read = read_in_c_locale(&config, text_string(&source->text)) == CONFIG_TRUE;
    if (read) {
        uint32_t next = 0;
        config_setting_t *root = config_root_setting(&config);
        hang_marks(root, syntax, &next);
        group_parse(loader, source, schema, base, root);
    } else {
        tell_libconfig(source, &config);
    }
    config_destroy(&config);
    return read;
}

enum sb_err parse_file(struct loader *loader, const char *path, const struct schema *schema,
                       void *base, struct parsed *ret)
{
    struct source source;
    struct syntax syntax = {0};
    enum sb_err err = source_load(&source, path, loader->files, loader->report);
    if (err == SB_OK)
        err = syntax_check(&source, &syntax);
    *ret = (struct parsed){.broken = source.broken || syntax.broken};
    ret->at = source_place(&source, 1, 0);
    ret->at.line = 0;
    if (err == SB_OK && !ret->broken)
        ret->broken = !read_source(loader, &source, &syntax, schema, base);
    syntax_clear(&syntax);
    source_clear(&source);
    return err == SB_OK && loader->out_of_memory ? SB_ERR_MEMORY : err;
}

void parse_override(struct loader *loader, const struct config_override *override,
                    struct place at)
{
    const struct schema_key *key = schema_find(&schema_worker, override->path);
    SB_ASSERT(key != NULL && key->type != SCHEMA_LIST && key->type != SCHEMA_LATER);
    struct target target = {.loader = loader,
                            .key = key,
                            .path = override->origin,
                            .base = loader->settings,
                            .at = at,
                            .beside = ""};
    struct raw raw = {.type = RAW_TEXT, .text = override->value, .lenient = true};
    const struct origin *before =
        origin_find(loader->private, (char *)loader->settings + key->offset);
    uint32_t index =
        before == NULL ? UINT32_MAX : (uint32_t)(before - loader->private->origins);
    if (value_set(&target, &raw) && before != NULL)
        loader_merge_origin(loader, index);
}
