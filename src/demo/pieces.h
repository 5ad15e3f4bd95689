/*
 * pieces: which of the spans that were seen belong to which piece of a checkout.
 */
#ifndef SB_DEMO_PIECES_H
#define SB_DEMO_PIECES_H

#include <stdint.h>

#include "seen.h"
#include "shop.h"

/* Those that still bear the trace id of the piece with that number. */
void pieces_take(const struct shop_checkout *checkout, uint32_t piece,
                 const struct seen_list *all, struct seen_list *ret);

/* All but those of the pieces that nothing could join. */
void pieces_take_mended(const struct shop_checkout *checkout, const struct seen_list *all,
                        struct seen_list *ret);

#endif
