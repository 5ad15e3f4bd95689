#include "compress.h"

#include <limits.h>
#define ZLIB_CONST /* input is const */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/assert.h"
#include "core/memory.h"

enum { LEVEL = 1, GZIP_WINDOW_BITS = 15 + 16, ZLIB_MEMORY_LEVEL = 8 };

struct compressor {
    enum sink_compression kind;
    z_stream gzip;
    ZSTD_CCtx *zstd;
};

static enum sb_err open_gzip(struct compressor *compressor)
{
    int code = deflateInit2(&compressor->gzip, LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS,
                            ZLIB_MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (code == Z_OK)
        return SB_OK;
    return code == Z_MEM_ERROR ? SB_ERR_MEMORY : SB_ERR_INTERNAL;
}

enum sb_err compressor_new(enum sink_compression kind, struct compressor **ret)
{
    struct compressor *compressor = memory_zalloc(1, sizeof(*compressor));
    if (compressor == NULL)
        return SB_ERR_MEMORY;
    compressor->kind = kind;
    enum sb_err err = SB_OK;
    if (kind == SINK_COMPRESSION_GZIP)
        err = open_gzip(compressor);
    if (kind == SINK_COMPRESSION_ZSTD) {
        compressor->zstd = ZSTD_createCCtx();
        if (compressor->zstd == NULL)
            err = SB_ERR_MEMORY;
    }
    if (err != SB_OK) {
        memory_free(compressor);
        return err;
    }
    *ret = compressor;
    return SB_OK;
}

void compressor_free(struct compressor *compressor)
{
    if (compressor == NULL)
        return;
    if (compressor->kind == SINK_COMPRESSION_GZIP)
        (void)deflateEnd(&compressor->gzip);
    ZSTD_freeCCtx(compressor->zstd);
    memory_free(compressor);
}

/* Gives back the `unused` last bytes of what text_grow counted as written. */
static void shrink(struct text *out, size_t unused)
{
    out->len -= unused;
    out->at[out->len] = '\0';
}

static enum sb_err append_gzip(struct compressor *compressor, struct bytes in, struct text *out)
{
    z_stream *gzip = &compressor->gzip;
    size_t bound = deflateBound(gzip, in.len);
    if (in.len > UINT_MAX || bound > UINT_MAX)
        return SB_ERR_LIMIT;
    uint8_t *to = text_grow(out, bound);
    if (to == NULL)
        return out->error;
    gzip->next_in = in.at;
    gzip->avail_in = (uInt)in.len;
    gzip->next_out = to;
    gzip->avail_out = (uInt)bound;
    int code = deflate(gzip, Z_FINISH);
    size_t unused = gzip->avail_out;
    if (deflateReset(gzip) != Z_OK || code != Z_STREAM_END)
        return SB_ERR_INTERNAL;
    shrink(out, unused);
    return SB_OK;
}

static enum sb_err append_zstd(struct compressor *compressor, struct bytes in, struct text *out)
{
    size_t bound = ZSTD_compressBound(in.len);
    uint8_t *to = text_grow(out, bound);
    if (to == NULL)
        return out->error;
    size_t len = ZSTD_compressCCtx(compressor->zstd, to, bound, in.at, in.len, LEVEL);
    if (ZSTD_isError(len))
        return ZSTD_getErrorCode(len) == ZSTD_error_memory_allocation ? SB_ERR_MEMORY
                                                                      : SB_ERR_INTERNAL;
    shrink(out, bound - len);
    return SB_OK;
}

enum sb_err compressor_append(struct compressor *compressor, struct bytes in, struct text *out)
{
    switch (compressor->kind) {
    case SINK_COMPRESSION_GZIP:
        return append_gzip(compressor, in, out);
    case SINK_COMPRESSION_ZSTD:
        return append_zstd(compressor, in, out);
    case SINK_COMPRESSION_NONE:
        break;
    }
    text_append(out, in);
    return out->error;
}

const char *compressor_name(enum sink_compression kind)
{
    switch (kind) {
    case SINK_COMPRESSION_GZIP:
        return "gzip";
    case SINK_COMPRESSION_ZSTD:
        return "zstd";
    case SINK_COMPRESSION_NONE:
        break;
    }
    return NULL;
}
