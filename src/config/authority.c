#include "authority.h"

#include <string.h>

bool authority_is_host(const char *at, size_t len)
{
    if (len > 2 && at[0] == '[' && at[len - 1] == ']')
        return strspn(at + 1, "0123456789abcdefABCDEF:.%") >= len - 2;
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-_";
    return len > 0 && len < 256 && strspn(at, plain) >= len;
}

bool authority_is_port(const char *at, size_t len)
{
    unsigned port = 0;
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9' || len > 5)
            return false;
        port = port * 10 + (unsigned)(at[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

bool authority_is(const char *at, size_t len)
{
    const char *colon = at[0] == '[' ? memchr(at, ']', len) : at;
    if (colon == NULL)
        return false;
    colon = memchr(colon, ':', len - (size_t)(colon - at));
    size_t host = colon == NULL ? len : (size_t)(colon - at);
    return authority_is_host(at, host) &&
           (colon == NULL || authority_is_port(colon + 1, len - host - 1));
}
