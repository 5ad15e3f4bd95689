#include "endpoint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"

#define TRACES_PATH "/v1/traces"
#define GRPC_PATH   "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

/* What stands behind "http://" or "https://"; NULL for any other beginning. */
static const char *skip_scheme(const char *endpoint)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(endpoint, schemes[i], len) == 0)
            return endpoint + len;
    }
    return NULL;
}

/* No blanks or control characters, no query, and no passwords: those would get into logs. */
static bool is_plain(const char *rest)
{
    for (; *rest != '\0'; rest++) {
        if (*rest <= ' ' || *rest > '~' || strchr("?#@\\\"<>", *rest) != NULL)
            return false;
    }
    return true;
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

enum sb_err endpoint_new_url(const char *endpoint, enum sink_otlp_protocol protocol, char **ret)
{
    const char *host = skip_scheme(endpoint);
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == ':' || !is_plain(host))
        return SB_ERR_CONFIG;
    size_t len = strlen(endpoint);
    while (endpoint[len - 1] == '/')
        len--;
    const char *path = memchr(host, '/', (size_t)(endpoint + len - host));
    if (path != NULL && protocol == SINK_OTLP_GRPC)
        return SB_ERR_CONFIG;
    const char *added = protocol == SINK_OTLP_GRPC ? GRPC_PATH : TRACES_PATH;
    if (path != NULL && ends_with(endpoint, len, TRACES_PATH))
        added = "";
    size_t room = len + strlen(added) + 1;
    char *url = memory_alloc(room);
    if (url == NULL)
        return SB_ERR_MEMORY;
    (void)snprintf(url, room, "%.*s%s", (int)len, endpoint, added);
    *ret = url;
    return SB_OK;
}
