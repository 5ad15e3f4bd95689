#include "inflate.h"

#include <limits.h>
#define ZLIB_CONST /* input is const */
#include <zlib.h>

enum { PART_LEN = 16 * 1024, GZIP_WINDOW_BITS = 15 + 16 };

static enum sb_err inflate_parts(z_stream *gzip, struct text *out)
{
    uint8_t part[PART_LEN];
    for (;;) {
        gzip->next_out = part;
        gzip->avail_out = PART_LEN;
        int code = inflate(gzip, Z_NO_FLUSH);
        if (code == Z_MEM_ERROR)
            return SB_ERR_MEMORY;
        if (code != Z_OK && code != Z_STREAM_END)
            return SB_ERR_INPUT; /* Z_BUF_ERROR too: the input ended early */
        text_append(out, bytes_of(part, PART_LEN - gzip->avail_out));
        if (out->error != SB_OK)
            return out->error;
        if (code == Z_STREAM_END)
            return SB_OK;
    }
}

enum sb_err inflate_gzip(struct bytes in, struct text *out)
{
    if (in.len > UINT_MAX)
        return SB_ERR_LIMIT;
    z_stream gzip = {
        .next_in = in.at,
        .avail_in = (uInt)in.len,
    };
    int code = inflateInit2(&gzip, GZIP_WINDOW_BITS);
    if (code != Z_OK)
        return code == Z_MEM_ERROR ? SB_ERR_MEMORY : SB_ERR_INTERNAL;
    enum sb_err err = inflate_parts(&gzip, out);
    (void)inflateEnd(&gzip);
    return err;
}
