/*
 * memory_files: configuration files that exist in memory only, and loads from them.
 */
#ifndef SB_TEST_CONFIG_MEMORY_FILES_H
#define SB_TEST_CONFIG_MEMORY_FILES_H

#include "config/load.h"
#include "config/settings.h"

struct memory_file {
    const char *path;
    const char *content; /* NULL ends a list of files */
};

/* Reads and lists those files.  They must stay. */
struct config_files memory_files(const struct memory_file *files);

/* A worker file that is right, to which tests add lines, and a topic file. */
#define WORKER_REST                                                                            \
    "kafka = { bootstrap = \"localhost:9092\"; };\n"                                           \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"          \
    "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://localhost:4318\"; } " \
    ");\n"
#define TOPIC "topic = \"otlp_spans\"; role = \"spans\";\n"

/* Loads "worker.conf" and "topic.conf" with that content. */
enum sb_err memory_load(const char *worker, const char *topic, struct config_report *report,
                        struct settings **ret);

/* WORKER_REST with `lines` in front and TOPIC: must load without a word; the caller frees. */
struct settings *memory_load_lines(const char *lines);

/* The same must fail, with exactly this report. */
void memory_expect_errors(const char *lines, const char *expected);

/* A load must give exactly this report, "" for none. */
void memory_expect_report(const char *worker, const char *topic, const char *expected);

#endif
