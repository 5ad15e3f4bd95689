/*
 * err: the one error code of the code base.
 *
 * Functions that can fail return it and leave their outputs untouched on failure.  Expected
 * trouble is returned; a broken invariant is SB_ASSERT (core/assert.h).
 */
#ifndef SB_CORE_ERR_H
#define SB_CORE_ERR_H

enum sb_err {
    SB_OK = 0,
    SB_ERR_MEMORY,      /* an allocation failed, or a memory budget is used up */
    SB_ERR_LIMIT,       /* input is well formed, but larger than a limit allows */
    SB_ERR_INPUT,       /* input is malformed */
    SB_ERR_FULL,        /* a bounded queue or ring has no room now: try again later */
    SB_ERR_NOT_FOUND,   /* nothing has that name or id */
    SB_ERR_IO,          /* the operating system refused; errno tells */
    SB_ERR_UNAVAILABLE, /* a broker or backend can not be reached now */
    SB_ERR_CONFIG,      /* the configuration does not allow it */
    SB_ERR_INTERNAL     /* a library failed in a way that it does not document */
};

#define SB_MUST_USE                   __attribute__((warn_unused_result))
#define SB_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* A short lower-case text for `err`, as logs and messages show it; never NULL. */
const char *sb_err_text(enum sb_err err);

#endif
