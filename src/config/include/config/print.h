/*
 * print: the settings, their reference and samples of them, as text.
 *
 * All append to `out`, whose error tells of failure.
 */
#ifndef SB_CONFIG_PRINT_H
#define SB_CONFIG_PRINT_H

#include "config/settings.h"
#include "core/text.h"

/* Effective settings in the syntax of the files, each with the file and line it came from;
 * secrets are shown as "(redacted)". */
void config_show(const struct settings *settings, struct text *out);

/* The same as one JSON object: {"worker_file":...,"worker":{"group":{"value":...,
 * "origin":"file:line"},...},"topics":[{"file":...,"settings":{...}}]}. */
void config_show_json(const struct settings *settings, struct text *out);

/* docs/config.md, from the schema. */
void config_docs(struct text *out);

/* Samples with every key and what it means; both load. */
void config_init_worker(struct text *out);
void config_init_topic(struct text *out);

#endif
