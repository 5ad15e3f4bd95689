#include "pieces.h"

void pieces_take(const struct shop_checkout *checkout, uint32_t piece,
                 const struct seen_list *all, struct seen_list *ret)
{
    ret->count = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (trace_id_equal(all->spans[i].trace_id, checkout->trace_id[piece]))
            seen_list_add(ret, &all->spans[i]);
}

static bool is_apart(const struct shop_checkout *checkout, struct trace_id id)
{
    for (uint32_t i = 0; i < checkout->hop_count; i++)
        if (checkout->hops[i].evidence == SHOP_NOTHING &&
            trace_id_equal(checkout->trace_id[i + 1], id))
            return true;
    return false;
}

void pieces_take_mended(const struct shop_checkout *checkout, const struct seen_list *all,
                        struct seen_list *ret)
{
    ret->count = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (!is_apart(checkout, all->spans[i].trace_id))
            seen_list_add(ret, &all->spans[i]);
}
