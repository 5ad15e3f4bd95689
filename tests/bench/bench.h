/*
 * bench: what all programs of the bench share: numbers on the command line, ends with a clear
 * message, malloc, what the process has cost so far, and medians.  One thread.
 */
#ifndef SB_BENCH_H
#define SB_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Prints "program: text" on stderr and exits with 69 (broker) or 64 (usage). */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void bench_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t bench_number(const char *option, const char *text, uint64_t max);

/* What several rounds have measured. */
struct bench_figure {
    double median;
    double least;
    double greatest;
};
/* `count` > 0; sorts the values. */
struct bench_figure bench_figure_of(double *values, size_t count);
/* "name":[1.5,2.0], as part of a line of JSON. */
void bench_print_values(const char *name, const double *values, size_t count);

/* Has malloc keep memory as the service does, see src/app/run.c. */
void bench_keep_memory(void);

/* Of this process: user and system seconds so far, and the greatest resident size. */
double bench_cpu_s(void);
uint64_t bench_peak_bytes(void);
double bench_now_s(void);

#endif
