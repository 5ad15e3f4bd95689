/*
 * waterfall: draws the spans of one trace: a row for each, with its place in the tree and in
 * time.
 */
#ifndef SB_DEMO_WATERFALL_H
#define SB_DEMO_WATERFALL_H

#include "core/text.h"
#include "seen.h"
#include "terminal.h"

/* Bars are drawn to one scale, from the list's first start to its last end. */
void waterfall_draw(struct text *out, const struct seen_list *list,
                    const struct terminal_style *style);

/* "312 ms", "8.1 ms", "640 us", "2.31 s"; appends it. */
void waterfall_put_duration(struct text *out, uint64_t ns, const struct terminal_style *style);

/* The columns that `text` takes, if it holds no more than UTF-8 of one column each. */
uint32_t waterfall_width(const char *text);

#endif
