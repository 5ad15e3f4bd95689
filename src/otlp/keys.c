#include "otlp/keys.h"

#include "core/assert.h"
#include "core/memory.h"
#include "key_table.h"

enum sb_err otlp_keys_new(struct otlp_keys **ret)
{
    struct otlp_keys *keys = memory_zalloc(1, sizeof(*keys));
    if (keys == NULL)
        return SB_ERR_MEMORY;
    for (size_t i = 0; i < KEY_TABLE_SLOTS; i++)
        keys->slots[i] = OTLP_KEY_NONE;
    *ret = keys;
    return SB_OK;
}

void otlp_keys_free(struct otlp_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->count; i++)
        memory_free(keys->entries[i].at);
    memory_free(keys);
}

enum sb_err otlp_keys_add(struct otlp_keys *keys, struct bytes key, uint16_t *ret_id)
{
    uint16_t known = otlp_keys_find(keys, key);
    if (known != OTLP_KEY_NONE) {
        *ret_id = known;
        return SB_OK;
    }
    if (keys->count == OTLP_KEYS_MAX || key.len > UINT32_MAX)
        return SB_ERR_LIMIT;
    uint8_t *copy = memory_alloc(key.len);
    if (copy == NULL)
        return SB_ERR_MEMORY;
    if (key.len > 0)
        memcpy(copy, key.at, key.len);

    uint16_t id = keys->count++;
    uint16_t *slot = &keys->slots[key_table_slot(copy, key.len)];
    keys->entries[id] = (struct key_entry){.at = copy, .len = (uint32_t)key.len, .next = *slot};
    *slot = id;
    *ret_id = id;
    return SB_OK;
}

uint16_t otlp_keys_find(const struct otlp_keys *keys, struct bytes key)
{
    SB_ASSERT(key.at != NULL || key.len == 0);
    return key_table_find(keys, key.at, key.len);
}

uint16_t otlp_keys_count(const struct otlp_keys *keys)
{
    return keys->count;
}
