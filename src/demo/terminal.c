#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_style terminal_style_of(const struct terminal_facts *facts)
{
    uint32_t columns = facts->columns == 0 ? TERMINAL_COLUMNS_UNKNOWN : facts->columns;
    if (columns < TERMINAL_COLUMNS_MIN)
        columns = TERMINAL_COLUMNS_MIN;
    if (columns > TERMINAL_COLUMNS_MAX)
        columns = TERMINAL_COLUMNS_MAX;
    bool muted = facts->no_color != NULL && facts->no_color[0] != '\0';
    bool dumb = facts->term == NULL || strcmp(facts->term, "dumb") == 0;
    return (struct terminal_style){
        .unicode = facts->codeset != NULL && strcasecmp(facts->codeset, "UTF-8") == 0,
        .colour = facts->is_tty && !muted && !dumb,
        .columns = columns,
    };
}

/* The locale's character set, without changing the process's locale: threads may be about. */
static bool locale_is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0)
        return false;
    bool utf8 = strcasecmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

/* clang-tidy fears getenv with threads; nobody changes the environment here. */
static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

struct terminal_style terminal_style_of_fd(int fd)
{
    struct winsize size;
    struct terminal_facts facts = {
        .is_tty = isatty(fd) == 1,
        .no_color = environment("NO_COLOR"),
        .term = environment("TERM"),
        .codeset = locale_is_utf8() ? "UTF-8" : "ASCII",
    };
    if (facts.is_tty && ioctl(fd, TIOCGWINSZ, &size) == 0)
        facts.columns = size.ws_col;
    return terminal_style_of(&facts);
}

const char *terminal_ink_text(const struct terminal_style *style, enum terminal_ink ink)
{
    static const char *const texts[] = {
        [TERMINAL_PLAIN] = "\033[0m",  [TERMINAL_BOLD] = "\033[1m",
        [TERMINAL_DIM] = "\033[2m",    [TERMINAL_RED] = "\033[31m",
        [TERMINAL_GREEN] = "\033[32m", [TERMINAL_YELLOW] = "\033[33m",
        [TERMINAL_BLUE] = "\033[94m",  [TERMINAL_MAGENTA] = "\033[35m",
        [TERMINAL_CYAN] = "\033[36m",
    };
    return style->colour ? texts[ink] : "";
}
