/*
 * derive: defaults that hang on other settings, and what is taken over from the worker file.
 *
 * An origin tells what the files say: a field that is derived from its own defaults has none,
 * one that is taken over has the origin of the worker's field.
 */
#ifndef SB_CONFIG_DERIVE_H
#define SB_CONFIG_DERIVE_H

#include "loader.h"

/* The worker's own; once its file and the overrides were read. */
void derive_worker(struct loader *loader);

/* What a topic file may replace; before it is read. */
void derive_inherited(struct settings_topic *topic, const struct settings *settings);

/* A topic's defaults; once its file was read.  What it lacks may be NULL. */
void derive_topic(struct loader *loader, struct settings_topic *topic);

/*
 * The brokers of topics and sinks where they do not name one: the worker's.  A url of its own
 * takes nothing of the worker's TLS with it: those files were meant for another broker.
 * After the checks, which look at a file's own words.
 */
void derive_topic_broker(struct loader *loader, struct settings_topic *topic);
void derive_sink_brokers(struct loader *loader);

#endif
