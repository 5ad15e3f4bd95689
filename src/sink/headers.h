/*
 * headers: the header lines of a sink's requests, those with secrets from files among them.
 *
 * Secrets are read at start and again after the backend refused them; they are never logged.
 * Requests in flight keep the list that they were started with, so each list is the caller's
 * own; `generation` tells when a new one is needed.  One thread.
 */
#ifndef SB_SINK_HEADERS_H
#define SB_SINK_HEADERS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/text.h"
#include "sink/otlp.h"

enum { HEADERS_SECRET_MAX = 16 * 1024 };

struct headers {
    const struct sink_otlp_options *options; /* borrowed */
    struct text *secrets; /* one per header; empty where the value is given */
    uint64_t generation;  /* counts up with each change of a secret */
};

/*
 * Reads all files.  *ret_at: the header at fault.  SB_ERR_CONFIG: a name or a value that no
 * header may have; SB_ERR_IO: a file can not be read; SB_ERR_MEMORY.  Clear after failure too.
 */
enum sb_err headers_init(struct headers *headers, const struct sink_otlp_options *options,
                         uint32_t *ret_at) SB_MUST_USE;
void headers_clear(struct headers *headers);

/* Reads all files again; what can not be read or used keeps its old value.  True: changed. */
bool headers_read_again(struct headers *headers);

/* The list for libcurl; the caller frees it with curl_slist_free_all.  SB_ERR_MEMORY. */
enum sb_err headers_new_list(const struct headers *headers,
                             struct curl_slist **ret) SB_MUST_USE;

#endif
