/*
 * A program that knows nothing but the installed headers: a carrier of its own, there and back.
 * It is compiled as C and as C++.
 */
#include <stdio.h>
#include <string.h>

#include <spanbridge/carrier.h>

struct message {
    char names[4][32];
    char values[4][600];
    size_t count;
};

static bool get(void *arg, size_t index, struct spanbridge_header *ret)
{
    struct message *message = (struct message *)arg;
    if (index >= message->count)
        return false;
    ret->name = message->names[index];
    ret->name_len = strlen(ret->name);
    ret->value = message->values[index];
    ret->value_len = strlen(message->values[index]);
    ret->kind = SPANBRIDGE_VALUE_TEXT;
    return true;
}

static enum spanbridge_result remove_all(void *arg, const char *name)
{
    (void)name; /* this message holds nothing else */
    ((struct message *)arg)->count = 0;
    return SPANBRIDGE_OK;
}

static enum spanbridge_result set(void *arg, const struct spanbridge_header *header)
{
    struct message *message = (struct message *)arg;
    if (message->count == 4)
        return SPANBRIDGE_NO_ROOM;
    snprintf(message->names[message->count], 32, "%s", header->name);
    snprintf(message->values[message->count], 600, "%s", (const char *)header->value);
    message->count++;
    return SPANBRIDGE_OK;
}

int main(void)
{
    struct message message;
    struct spanbridge_carrier carrier;
    struct spanbridge_context sent;
    struct spanbridge_context received;
    message.count = 0;
    carrier.on_get = get;
    carrier.on_remove = remove_all;
    carrier.on_set = set;
    carrier.arg = &message;
    if (spanbridge_extract(&carrier, &received) != SPANBRIDGE_ABSENT ||
        spanbridge_start_trace(&sent) != SPANBRIDGE_OK ||
        spanbridge_inject(&sent, &carrier) != SPANBRIDGE_OK)
        return 1;
    enum spanbridge_result result = spanbridge_extract(&carrier, &received);
    if (result != SPANBRIDGE_OK ||
        memcmp(sent.trace_id, received.trace_id, sizeof(sent.trace_id)) != 0 ||
        memcmp(sent.span_id, received.span_id, sizeof(sent.span_id)) != 0)
        return 1;
    printf("%s: %s\n", message.values[0], spanbridge_result_text(result));
    return 0;
}
