#include "oracle.h"

#include <stdio.h>

#include "core/ids.h"
#include "support/test.h"

enum { DEPTH_MAX = 4, LIST_MAX = 3 };

static void *take(struct arena *arena, size_t len)
{
    void *at = arena_alloc(arena, len == 0 ? 1 : len);
    assert_non_null(at);
    memset(at, 0, len);
    return at;
}

/* Printable text, mostly short, seldom longer than one byte can say. */
static char *random_text(struct arena *arena, struct random *random)
{
    size_t len = random_below(random, random_chance(random, 5) ? 300 : 20);
    char *text = take(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)random_between(random, ' ', '~');
    return text;
}

static ProtobufCBinaryData random_bytes(struct arena *arena, struct random *random, size_t len)
{
    ProtobufCBinaryData data = {.len = len, .data = take(arena, len)};
    random_fill(random, data.data, len);
    return data;
}

static uint64_t random_number(struct random *random)
{
    return random_next(random) >> random_below(random, 64);
}

static oracle_pair **random_pairs(struct arena *arena, struct random *random, size_t count,
                                  int depth);

static oracle_any *random_any(struct arena *arena, struct random *random, int depth)
{
    oracle_any *any = take(arena, sizeof(*any));
    spanbridge__oracle__any_value__init(any);
    /* No lists once it is deep enough, and numbers 0 for no value at all. */
    any->value_case = (Spanbridge__Oracle__AnyValue__ValueCase)random_below(random, 8);
    if (depth == 0 && (any->value_case == 5 || any->value_case == 6))
        any->value_case = SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_STRING_VALUE;
    switch ((int)any->value_case) {
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_STRING_VALUE:
        any->string_value = random_text(arena, random);
        break;
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_BOOL_VALUE:
        any->bool_value = random_chance(random, 50);
        break;
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_INT_VALUE:
        any->int_value = (int64_t)random_number(random) * (random_chance(random, 20) ? -1 : 1);
        break;
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_DOUBLE_VALUE:
        any->double_value = (double)random_number(random) / 7;
        break;
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_ARRAY_VALUE: {
        Spanbridge__Oracle__ArrayValue *array = take(arena, sizeof(*array));
        spanbridge__oracle__array_value__init(array);
        array->n_values = random_below(random, LIST_MAX + 1);
        array->values = take(arena, array->n_values * sizeof(*array->values));
        for (size_t i = 0; i < array->n_values; i++)
            array->values[i] = random_any(arena, random, depth - 1);
        any->array_value = array;
        break;
    }
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_KVLIST_VALUE: {
        Spanbridge__Oracle__KeyValueList *map = take(arena, sizeof(*map));
        spanbridge__oracle__key_value_list__init(map);
        map->n_values = random_below(random, LIST_MAX + 1);
        map->values = random_pairs(arena, random, map->n_values, depth - 1);
        any->kvlist_value = map;
        break;
    }
    case SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_BYTES_VALUE:
        any->bytes_value = random_bytes(arena, random, random_below(random, 40));
        break;
    default:
        break;
    }
    return any;
}

static oracle_pair **random_pairs(struct arena *arena, struct random *random, size_t count,
                                  int depth)
{
    oracle_pair **pairs = take(arena, count * sizeof(*pairs));
    for (size_t i = 0; i < count; i++) {
        pairs[i] = take(arena, sizeof(*pairs[i]));
        spanbridge__oracle__key_value__init(pairs[i]);
        /* Few keys, so that some are wanted ones. */
        pairs[i]->key = take(arena, 40);
        snprintf(pairs[i]->key, 40, "messaging.key.%u", (unsigned)random_below(random, 12));
        pairs[i]->value = random_any(arena, random, depth);
    }
    return pairs;
}

static oracle_event *random_event(struct arena *arena, struct random *random)
{
    oracle_event *event = take(arena, sizeof(*event));
    spanbridge__oracle__span__event__init(event);
    event->time_unix_nano = random_number(random);
    event->name = random_text(arena, random);
    event->n_attributes = random_below(random, LIST_MAX);
    event->attributes = random_pairs(arena, random, event->n_attributes, DEPTH_MAX);
    event->dropped_attributes_count = (uint32_t)random_below(random, 3);
    return event;
}

static oracle_link *random_link(struct arena *arena, struct random *random)
{
    oracle_link *link = take(arena, sizeof(*link));
    spanbridge__oracle__span__link__init(link);
    link->trace_id = random_bytes(arena, random, TRACE_ID_LEN);
    link->span_id = random_bytes(arena, random, SPAN_ID_LEN);
    link->trace_state = random_text(arena, random);
    link->n_attributes = random_below(random, LIST_MAX);
    link->attributes = random_pairs(arena, random, link->n_attributes, DEPTH_MAX);
    link->flags = (uint32_t)random_number(random);
    return link;
}

static oracle_span *random_span(struct arena *arena, struct random *random)
{
    oracle_span *span = take(arena, sizeof(*span));
    spanbridge__oracle__span__init(span);
    span->trace_id = random_bytes(arena, random, TRACE_ID_LEN);
    span->span_id = random_bytes(arena, random, SPAN_ID_LEN);
    if (random_chance(random, 70))
        span->parent_span_id = random_bytes(arena, random, SPAN_ID_LEN);
    span->trace_state = random_text(arena, random);
    span->name = random_text(arena, random);
    span->kind = (Spanbridge__Oracle__Span__Kind)random_below(random, 6);
    span->start_time_unix_nano = random_number(random);
    span->end_time_unix_nano = random_number(random);
    span->flags = (uint32_t)random_number(random);
    span->dropped_links_count = (uint32_t)random_below(random, 3);
    span->n_attributes = random_below(random, 12);
    span->attributes = random_pairs(arena, random, span->n_attributes, DEPTH_MAX);
    span->n_events = random_below(random, LIST_MAX);
    span->events = take(arena, LIST_MAX * sizeof(*span->events));
    for (size_t i = 0; i < span->n_events; i++)
        span->events[i] = random_event(arena, random);
    span->n_links = random_below(random, LIST_MAX);
    span->links = take(arena, LIST_MAX * sizeof(*span->links));
    for (size_t i = 0; i < span->n_links; i++)
        span->links[i] = random_link(arena, random);
    if (random_chance(random, 50)) {
        span->status = take(arena, sizeof(*span->status));
        spanbridge__oracle__status__init(span->status);
        span->status->code = (Spanbridge__Oracle__Status__Code)random_below(random, 3);
        span->status->message = random_text(arena, random);
    }
    return span;
}

static oracle_scope_spans *random_scope_spans(struct arena *arena, struct random *random)
{
    oracle_scope_spans *scope_spans = take(arena, sizeof(*scope_spans));
    spanbridge__oracle__scope_spans__init(scope_spans);
    if (random_chance(random, 80)) {
        Spanbridge__Oracle__InstrumentationScope *scope = take(arena, sizeof(*scope));
        spanbridge__oracle__instrumentation_scope__init(scope);
        scope->name = random_text(arena, random);
        scope->version = random_text(arena, random);
        scope->n_attributes = random_below(random, LIST_MAX);
        scope->attributes = random_pairs(arena, random, scope->n_attributes, DEPTH_MAX);
        scope_spans->scope = scope;
    }
    scope_spans->schema_url = random_text(arena, random);
    scope_spans->n_spans = random_below(random, 6);
    scope_spans->spans = take(arena, 6 * sizeof(*scope_spans->spans));
    for (size_t i = 0; i < scope_spans->n_spans; i++)
        scope_spans->spans[i] = random_span(arena, random);
    return scope_spans;
}

static oracle_resource_spans *random_resource_spans(struct arena *arena, struct random *random)
{
    oracle_resource_spans *resource_spans = take(arena, sizeof(*resource_spans));
    spanbridge__oracle__resource_spans__init(resource_spans);
    if (random_chance(random, 80)) {
        Spanbridge__Oracle__Resource *resource = take(arena, sizeof(*resource));
        spanbridge__oracle__resource__init(resource);
        resource->n_attributes = random_below(random, 8);
        resource->attributes = random_pairs(arena, random, resource->n_attributes, DEPTH_MAX);
        resource->dropped_attributes_count = (uint32_t)random_below(random, 3);
        if (random_chance(random, 20)) {
            resource->n_entity_refs = 1;
            resource->entity_refs = take(arena, sizeof(*resource->entity_refs));
            resource->entity_refs[0] = take(arena, sizeof(**resource->entity_refs));
            spanbridge__oracle__entity_ref__init(resource->entity_refs[0]);
            resource->entity_refs[0]->type = random_text(arena, random);
            resource->entity_refs[0]->n_id_keys = 1;
            resource->entity_refs[0]->id_keys = take(arena, sizeof(char *));
            resource->entity_refs[0]->id_keys[0] = random_text(arena, random);
        }
        resource_spans->resource = resource;
    }
    resource_spans->schema_url = random_text(arena, random);
    resource_spans->n_scope_spans = random_below(random, 4);
    resource_spans->scope_spans = take(arena, 4 * sizeof(*resource_spans->scope_spans));
    for (size_t i = 0; i < resource_spans->n_scope_spans; i++)
        resource_spans->scope_spans[i] = random_scope_spans(arena, random);
    return resource_spans;
}

oracle_request *oracle_random(struct arena *arena, struct random *random)
{
    oracle_request *request = take(arena, sizeof(*request));
    spanbridge__oracle__export_trace_service_request__init(request);
    request->n_resource_spans = random_below(random, 4);
    request->resource_spans = take(arena, 4 * sizeof(*request->resource_spans));
    for (size_t i = 0; i < request->n_resource_spans; i++)
        request->resource_spans[i] = random_resource_spans(arena, random);
    return request;
}

struct bytes oracle_pack(struct arena *arena, const oracle_request *request)
{
    size_t len = spanbridge__oracle__export_trace_service_request__get_packed_size(request);
    uint8_t *at = take(arena, len);
    assert_int_equal(spanbridge__oracle__export_trace_service_request__pack(request, at), len);
    return bytes_of(at, len);
}

oracle_request *oracle_unpack(struct bytes encoded)
{
    oracle_request *request =
        spanbridge__oracle__export_trace_service_request__unpack(NULL, encoded.len, encoded.at);
    assert_non_null(request);
    return request;
}
