/*
 * report: how the parts of config add to a config_report.
 *
 * Failure to allocate is noted in the report; config_load looks at it at the end.
 */
#ifndef SB_CONFIG_REPORT_H
#define SB_CONFIG_REPORT_H

#include "config/load.h"

/* Where something stands.  file is borrowed; reports copy it. */
struct place {
    const char *file;
    uint32_t order;
    uint32_t line;
    uint32_t column;
};

/* A file's name, copied into the report, and its rank; line and column 0. */
struct place report_file(struct config_report *report, const char *name);

void report_error(struct config_report *report, struct place at, const char *format, ...)
    SB_PRINTF(3, 4);
void report_warning(struct config_report *report, struct place at, const char *format, ...)
    SB_PRINTF(3, 4);

void report_note(struct config_report *report, struct place at, const char *format, ...)
    SB_PRINTF(3, 4);

/* Advice on the error or warning or note that was added last. */
void report_help(struct config_report *report, const char *format, ...) SB_PRINTF(2, 3);

/* Sorts, and removes what stands there twice because a file was included twice. */
void report_sort(struct config_report *report);

/* `value` for a message: clipped at a character's end, control characters replaced. */
enum { QUOTED_LEN = 96 };
struct quoted {
    char text[QUOTED_LEN];
};
struct quoted quote(const char *value);
struct quoted quote_bytes(struct bytes value);

#endif
