/*
 * endpoint: the URL that requests go to, out of what the configuration says.
 *
 * http://host:port or https://host:port, with a path only for OTLP/HTTP: "/v1/traces" is put
 * behind it unless it ends so already.  gRPC has its own fixed path.
 */
#ifndef SB_SINK_ENDPOINT_H
#define SB_SINK_ENDPOINT_H

#include "core/err.h"
#include "sink/otlp.h"

/* A new string, freed with memory_free.  SB_ERR_CONFIG, SB_ERR_MEMORY. */
enum sb_err endpoint_new_url(const char *endpoint, enum sink_otlp_protocol protocol,
                             char **ret) SB_MUST_USE;

#endif
