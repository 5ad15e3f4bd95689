#include "admin/health.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { STATUS_OK = 200, STATUS_UNAVAILABLE = 503 };

static struct health_reason *find(struct health_reasons *reasons, const char *part,
                                  const char *name)
{
    for (uint32_t i = 0; i < reasons->count; i++) {
        struct health_reason *at = &reasons->at[i];
        if (strcmp(at->part, part) == 0 && strncmp(at->name, name, HEALTH_NAME_LEN - 1) == 0)
            return at;
    }
    return NULL;
}

/* As much of it as fits; what is not UTF-8 becomes '?'. */
static void copy_clean(char *ret, size_t room, const char *in)
{
    size_t len = 0;
    const uint8_t *at = (const uint8_t *)in;
    while (*at != '\0') {
        unsigned step = utf8_length(at);
        unsigned width = step == 0 ? 1 : step;
        if (len + width >= room)
            break;
        if (step == 0)
            ret[len] = '?';
        else
            memcpy(ret + len, at, step);
        len += width;
        at += width;
    }
    ret[len] = '\0';
}

void health_set(struct health_reasons *reasons, const char *part, const char *name,
                const char *text)
{
    char clean[HEALTH_NAME_LEN];
    copy_clean(clean, sizeof(clean), name);
    struct health_reason *reason = find(reasons, part, clean);
    if (reason == NULL && reasons->count == HEALTH_REASONS_MAX) {
        reasons->more++;
        return;
    }
    if (reason == NULL) {
        reason = &reasons->at[reasons->count++];
        reason->part = part;
        memcpy(reason->name, clean, sizeof(clean));
    }
    copy_clean(reason->text, sizeof(reason->text), text);
}

void health_clear(struct health_reasons *reasons, const char *part, const char *name)
{
    char clean[HEALTH_NAME_LEN];
    copy_clean(clean, sizeof(clean), name);
    struct health_reason *reason = find(reasons, part, clean);
    if (reason != NULL)
        *reason = reasons->at[--reasons->count];
    else if (reasons->more > 0) /* one of those that found no room */
        reasons->more--;
}

static json_t *list(const struct health_reasons *reasons)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < reasons->count; i++) {
        const struct health_reason *at = &reasons->at[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "part", at->part, "name",
                                               at->name, "text", at->text));
    }
    return array;
}

/* What stands first, for people; the reasons are for programs. */
static void write_message(const struct health_reasons *reasons, enum health_phase phase,
                          char *ret, size_t room)
{
    uint32_t count = reasons->count + reasons->more;
    if (reasons->count > 0)
        snprintf(ret, room, "%u %s; %s %s: %.300s", (unsigned)count,
                 count == 1 ? "reason" : "reasons", reasons->at[0].part, reasons->at[0].name,
                 reasons->at[0].text);
    else if (phase == HEALTH_STARTING)
        snprintf(ret, room, "waiting for the group to give this member its partitions");
    else if (phase == HEALTH_STOPPING)
        snprintf(ret, room, "intake has ended");
    else
        snprintf(ret, room, "all topics are read, all sinks take spans");
}

static void append_json(json_t *object, struct text *out)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    text_append_text(out, text == NULL ? "{}" : text);
    text_append_char(out, '\n');
    free(text);
}

int health_write(const struct health_reasons *reasons, enum health_phase phase,
                 struct text *out)
{
    bool troubled = reasons->count + reasons->more > 0;
    const char *status = phase == HEALTH_STOPPING   ? "stopping"
                         : troubled                 ? "unhealthy"
                         : phase == HEALTH_STARTING ? "starting"
                                                    : "healthy";
    char message[HEALTH_NAME_LEN + HEALTH_TEXT_LEN];
    char clean[HEALTH_NAME_LEN + HEALTH_TEXT_LEN];
    write_message(reasons, phase, message, sizeof(message));
    copy_clean(clean, sizeof(clean), message); /* it may have been cut within a character */
    json_t *object = json_pack("{s:s, s:s, s:o}", "status", status, "message", clean, "reasons",
                               list(reasons));
    if (reasons->more > 0)
        json_object_set_new(object, "more", json_integer(reasons->more));
    append_json(object, out);
    return phase == HEALTH_RUNNING && !troubled ? STATUS_OK : STATUS_UNAVAILABLE;
}

int health_write_alive(struct text *out)
{
    append_json(json_pack("{s:s}", "status", "alive"), out);
    return STATUS_OK;
}
