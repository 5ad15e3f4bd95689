#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

bool terminal_has_colour(void)
{
    /* Nothing changes the environment. */
    const char *no_colour = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe) */
    const char *terminal = getenv("TERM");      /* NOLINT(concurrency-mt-unsafe) */
    bool plain = (no_colour != NULL && no_colour[0] != '\0') || terminal == NULL ||
                 strcmp(terminal, "dumb") == 0;
    return !plain && isatty(STDERR_FILENO) == 1;
}

int terminal_print(const struct text *text)
{
    if (text->error != SB_OK) {
        fprintf(stderr, "spanbridge: %s\n", sb_err_text(text->error));
        return EX_OSERR;
    }
    if (text->len > 0 && fwrite(text->at, 1, text->len, stdout) != text->len)
        clearerr(stdout);
    else if (fflush(stdout) == 0)
        return 0;
    perror("spanbridge: stdout");
    return EX_IOERR;
}

static void append_count(struct text *out, uint32_t count, const char *what)
{
    text_printf(out, "%u %s%s", (unsigned)count, what, count == 1 ? "" : "s");
}

void terminal_report(const struct config_report *report)
{
    struct text text;
    if (report->errors + report->warnings + report->notes == 0)
        return;
    text_init(&text, TERMINAL_TEXT_MAX);
    config_report_text(report, terminal_has_colour(), &text);
    if (report->errors + report->warnings > 0) {
        append_count(&text, report->errors, "error");
        text_append_text(&text, ", ");
        append_count(&text, report->warnings, "warning");
        text_append_char(&text, '\n');
    }
    fputs(text_string(&text), stderr);
    text_clear(&text);
}
