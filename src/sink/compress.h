/*
 * compress: the body of a request, made smaller.  One compressor per sink; its state is
 * reused.  Level 1: exports are compressed in the sink's own thread, and CPU is what they
 * cost most.
 */
#ifndef SB_SINK_COMPRESS_H
#define SB_SINK_COMPRESS_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"
#include "sink/otlp.h"

struct compressor;

/* SB_ERR_MEMORY.  With SINK_COMPRESSION_NONE it copies. */
enum sb_err compressor_new(enum sink_compression kind, struct compressor **ret) SB_MUST_USE;
void compressor_free(struct compressor *compressor);

/* Appends `in`, compressed, to `out`.  SB_ERR_MEMORY, SB_ERR_LIMIT (out's cap), SB_ERR_INTERNAL. */
enum sb_err compressor_append(struct compressor *compressor, struct bytes in,
                              struct text *out) SB_MUST_USE;

/* As Content-Encoding and grpc-encoding name it; NULL for none. */
const char *compressor_name(enum sink_compression kind);

#endif
