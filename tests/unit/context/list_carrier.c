#include "list_carrier.h"

#include <string.h>
#include <strings.h>

#include "support/test.h"

static bool get(void *arg, size_t index, struct spanbridge_header *ret)
{
    const struct list_carrier *list = arg;
    if (index >= list->count)
        return false;
    *ret = list->headers[index];
    return true;
}

static enum spanbridge_result remove_named(void *arg, const char *name)
{
    struct list_carrier *list = arg;
    size_t kept = 0;
    if (++list->removals == list->failing_removal)
        return list->failure;
    for (size_t i = 0; i < list->count; i++) {
        const struct spanbridge_header *header = &list->headers[i];
        if (header->name_len != strlen(name) ||
            strncasecmp(header->name, name, header->name_len) != 0)
            list->headers[kept++] = *header;
    }
    list->count = kept;
    return SPANBRIDGE_OK;
}

static enum spanbridge_result set(void *arg, const struct spanbridge_header *header)
{
    struct list_carrier *list = arg;
    assert_int_equal(header->name[header->name_len], '\0');
    assert_int_equal(((const char *)header->value)[header->value_len], '\0');
    assert_true(list->sets < 2 && header->value_len < LIST_CARRIER_TEXT_MAX);
    if (list->sets + 1 == list->failing_set)
        return list->failure;
    char *name = list->texts[2 * list->sets];
    char *value = list->texts[2 * list->sets + 1];
    memcpy(name, header->name, header->name_len + 1);
    memcpy(value, header->value, header->value_len + 1);
    list->sets++;
    list_carrier_add(list, name, value);
    return SPANBRIDGE_OK;
}

void list_carrier_init(struct list_carrier *list)
{
    memset(list, 0, sizeof(*list));
    list->carrier = (struct spanbridge_carrier){
        .on_get = get, .on_remove = remove_named, .on_set = set, .arg = list};
}

void list_carrier_add(struct list_carrier *list, const char *name, const char *value)
{
    assert_true(list->count < LIST_CARRIER_MAX);
    list->headers[list->count++] =
        (struct spanbridge_header){.name = name,
                                   .name_len = strlen(name),
                                   .value = value,
                                   .value_len = value == NULL ? 0 : strlen(value)};
}

void list_carrier_expect(const struct list_carrier *list, size_t at, const char *name,
                         const char *value)
{
    assert_true(at < list->count);
    const struct spanbridge_header *header = &list->headers[at];
    assert_int_equal(header->name_len, strlen(name));
    assert_memory_equal(header->name, name, header->name_len);
    assert_int_equal(header->value_len, strlen(value));
    assert_memory_equal(header->value, value, header->value_len);
}
