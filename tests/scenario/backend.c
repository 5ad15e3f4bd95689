/*
 * backend: a scripted OTLP receiver that remembers the spans it took.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario.h"

static uint64_t id_number(const ProtobufCBinaryData *id)
{
    uint64_t number = 0;
    for (size_t i = 0; i < id->len; i++)
        number = number << 8 | id->data[i];
    return number;
}

static void note_attribute(struct seen *seen, const Spanbridge__Oracle__KeyValue *attribute)
{
    const struct {
        const char *key;
        char *to;
    } tags[] = {{"spanbridge.policy", seen->policy},
                {"spanbridge.complete_reason", seen->reason},
                {"spanbridge.repair.rule", seen->rule},
                {"spanbridge.repair.action", seen->action}};
    if (strcmp(attribute->key, "spanbridge.synthetic") == 0)
        seen->synthetic = true;
    for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
        if (strcmp(attribute->key, tags[i].key) == 0)
            snprintf(tags[i].to, TAG_LEN, "%s", attribute->value->string_value);
}

static void note(struct backend *backend, const Spanbridge__Oracle__Span *span)
{
    if (backend->count == backend->room) {
        backend->room = backend->room == 0 ? 1024 : backend->room * 2;
        backend->seen = realloc(backend->seen, backend->room * sizeof(*backend->seen));
        if (backend->seen == NULL)
            abort();
    }
    struct seen *seen = &backend->seen[backend->count++];
    *seen = (struct seen){.links = (uint32_t)span->n_links};
    if (span->trace_id.len == TRACE_ID_LEN)
        seen->trace = trace_id_load(span->trace_id.data);
    seen->id = id_number(&span->span_id);
    seen->parent = id_number(&span->parent_span_id);
    for (size_t i = 0; i < span->n_attributes; i++)
        note_attribute(seen, span->attributes[i]);
}

void backend_note(struct backend *backend, struct bytes message)
{
    Spanbridge__Oracle__ExportTraceServiceRequest *request =
        spanbridge__oracle__export_trace_service_request__unpack(NULL, message.len, message.at);
    if (request == NULL) {
        backend->unreadable = true;
        return;
    }
    for (size_t i = 0; i < request->n_resource_spans; i++) {
        const Spanbridge__Oracle__ResourceSpans *group = request->resource_spans[i];
        for (size_t j = 0; j < group->n_scope_spans; j++)
            for (size_t k = 0; k < group->scope_spans[j]->n_spans; k++)
                note(backend, group->scope_spans[j]->spans[k]);
    }
    spanbridge__oracle__export_trace_service_request__free_unpacked(request, NULL);
}

static bool holds(const struct receiver_request *request, struct span_id id)
{
    for (uint32_t i = 0; i < request->span_count; i++)
        if (span_id_equal(request->span_ids[i], id))
            return true;
    return false;
}

static void on_request(void *arg, const struct receiver_request *request,
                       struct receiver_answer *ret)
{
    struct backend *backend = arg;
    pthread_mutex_lock(&backend->lock);
    enum weather weather = backend->weather;
    if (weather == SINK_REFUSES && !holds(request, spans_id(backend->refused)))
        weather = SINK_UP;
    if (weather == SINK_UP)
        backend_note(backend, request->message);
    else if (weather == SINK_CUTS)
        ret->act = RECEIVER_DROP;
    else
        ret->status = weather == SINK_BUSY ? 503 : 400;
    backend->requests++;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
}

void backend_open(struct backend *backend)
{
    *backend = (struct backend){.weather = SINK_UP};
    pthread_mutex_init(&backend->lock, NULL);
    pthread_cond_init(&backend->changed, NULL);
    backend->receiver =
        receiver_new(&(struct receiver_options){.on_request = on_request, .arg = backend});
}

void backend_close(struct backend *backend)
{
    receiver_free(backend->receiver);
    pthread_mutex_destroy(&backend->lock);
    pthread_cond_destroy(&backend->changed);
    free(backend->seen);
    backend->seen = NULL;
}

void scenario_weather(struct scenario *scenario, uint32_t sink, enum weather weather)
{
    struct backend *backend = &scenario->backends[sink];
    pthread_mutex_lock(&backend->lock);
    backend->weather = weather;
    pthread_mutex_unlock(&backend->lock);
}

static void wait_for(struct backend *backend, size_t spans, uint32_t requests)
{
    struct timespec deadline = scenario_deadline();
    int failed = 0;
    pthread_mutex_lock(&backend->lock);
    while (failed == 0 && (backend->count < spans || backend->requests < requests))
        failed = pthread_cond_timedwait(&backend->changed, &backend->lock, &deadline);
    size_t count = backend->count;
    pthread_mutex_unlock(&backend->lock);
    if (failed != 0)
        fail_msg("waited for %zu spans, %zu came", spans, count);
}

void scenario_wait_spans(struct scenario *scenario, uint32_t sink, size_t count)
{
    wait_for(&scenario->backends[sink], count, 0);
}

void scenario_wait_requests(struct scenario *scenario, uint32_t sink, uint32_t more)
{
    struct backend *backend = &scenario->backends[sink];
    pthread_mutex_lock(&backend->lock);
    uint32_t wanted = backend->requests + more;
    pthread_mutex_unlock(&backend->lock);
    wait_for(backend, 0, wanted);
}

size_t scenario_span_count(struct scenario *scenario, uint32_t sink)
{
    struct backend *backend = &scenario->backends[sink];
    pthread_mutex_lock(&backend->lock);
    size_t count = backend->count;
    bool unreadable = backend->unreadable;
    pthread_mutex_unlock(&backend->lock);
    assert_false(unreadable);
    return count;
}

const struct seen *scenario_find(struct scenario *scenario, uint32_t sink, uint64_t id)
{
    struct backend *backend = &scenario->backends[sink];
    const struct seen *found = NULL;
    pthread_mutex_lock(&backend->lock);
    for (size_t i = 0; found == NULL && i < backend->count; i++)
        if (backend->seen[i].id == id)
            found = &backend->seen[i];
    pthread_mutex_unlock(&backend->lock);
    return found;
}

size_t scenario_copies(struct scenario *scenario, uint32_t sink, uint64_t id)
{
    struct backend *backend = &scenario->backends[sink];
    size_t copies = 0;
    pthread_mutex_lock(&backend->lock);
    for (size_t i = 0; i < backend->count; i++)
        copies += backend->seen[i].id == id;
    pthread_mutex_unlock(&backend->lock);
    return copies;
}

void scenario_forget(struct scenario *scenario, uint32_t sink)
{
    struct backend *backend = &scenario->backends[sink];
    pthread_mutex_lock(&backend->lock);
    backend->count = 0;
    pthread_mutex_unlock(&backend->lock);
}
