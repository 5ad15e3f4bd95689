#include "amqp/url.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/hex.h"
#include "core/memory.h"

enum { PORT_PLAIN = 5672, PORT_TLS = 5671, PORT_MAX = 65535 };

/* The parts as they stand in the text; at is NULL where one was left out. */
struct parts {
    struct bytes user;
    struct bytes password;
    struct bytes host;
    struct bytes port;
    struct bytes vhost;
    bool tls;
};

static enum sb_err refuse(char why[AMQP_URL_WHY_LEN], const char *text)
{
    (void)snprintf(why, AMQP_URL_WHY_LEN, "%s", text);
    return SB_ERR_CONFIG;
}

static bool take_prefix(struct bytes *rest, const char *prefix)
{
    size_t len = strlen(prefix);
    if (rest->len < len || memcmp(rest->at, prefix, len) != 0)
        return false;
    *rest = bytes_of(rest->at + len, rest->len - len);
    return true;
}

/* What stands before the first `mark` is cut off `rest`, with the mark; all of it without one. */
static struct bytes take_until(struct bytes *rest, char mark, bool *ret_found)
{
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->at, mark, rest->len);
    struct bytes taken = *rest;
    *ret_found = at != NULL;
    if (at == NULL) {
        *rest = bytes_of(NULL, 0);
        return taken;
    }
    taken.len = (size_t)(at - rest->at);
    *rest = bytes_of(at + 1, rest->len - taken.len - 1);
    return taken;
}

static void split_login(struct bytes login, struct parts *ret)
{
    bool found;
    ret->user = take_until(&login, ':', &found);
    if (found)
        ret->password = bytes_of(login.at == NULL ? (const uint8_t *)"" : login.at, login.len);
}

static enum sb_err split_address(struct bytes address, struct parts *ret, char *why)
{
    bool found;
    if (take_prefix(&address, "[")) {
        ret->host = take_until(&address, ']', &found);
        if (!found || (address.len > 0 && address.at[0] != ':'))
            return refuse(why, "the brackets around the host do not fit");
        (void)take_prefix(&address, ":");
    } else {
        ret->host = take_until(&address, ':', &found);
    }
    ret->port = address;
    if (ret->host.len == 0)
        return refuse(why, "there is no host");
    return SB_OK;
}

static enum sb_err split(struct bytes rest, struct parts *ret, char *why)
{
    if (take_prefix(&rest, "amqps://"))
        ret->tls = true;
    else if (!take_prefix(&rest, "amqp://"))
        return refuse(why, "it does not begin with amqp:// or amqps://");
    if (rest.len > 0 &&
        (memchr(rest.at, '?', rest.len) != NULL || memchr(rest.at, '#', rest.len) != NULL))
        return refuse(why, "it has a '?' or a '#': no options here, and %3F or %23 in names");
    bool found;
    struct bytes address = take_until(&rest, '/', &found);
    ret->vhost = rest;
    if (rest.len > 0 && memchr(rest.at, '/', rest.len) != NULL)
        return refuse(why, "the virtual host has a '/': write it as %2F");
    struct bytes login = take_until(&address, '@', &found);
    if (!found)
        return split_address(login, ret, why);
    if (address.len > 0 && memchr(address.at, '@', address.len) != NULL)
        return refuse(why, "user or password has an '@': write it as %40");
    split_login(login, ret);
    return split_address(address, ret, why);
}

/* %XX undone, as a text of its own; `otherwise` where the part was left out. */
static enum sb_err decode(struct bytes part, const char *otherwise, char **ret, char *why)
{
    if (part.at == NULL)
        part = bytes_text(otherwise);
    char *text = memory_alloc(part.len + 1);
    if (text == NULL)
        return SB_ERR_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.at[i];
        if (c == '%') {
            bool whole = part.len - i > 2 &&
                         hex_decode(bytes_of(&part.at[i + 1], 2), true, &c, 1) == SB_OK;
            if (!whole || c == '\0') {
                memory_free(text);
                return refuse(why, "a '%' is not followed by two hexadecimal digits");
            }
            i += 2;
        }
        text[len++] = (char)c;
    }
    text[len] = '\0';
    *ret = text;
    return SB_OK;
}

static enum sb_err read_port(struct bytes text, bool tls, uint16_t *ret, char *why)
{
    uint32_t port = 0;
    if (text.len == 0) {
        *ret = tls ? PORT_TLS : PORT_PLAIN;
        return SB_OK;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || port > PORT_MAX)
            return refuse(why, "the port is not a number from 1 to 65535");
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (port == 0 || port > PORT_MAX)
        return refuse(why, "the port is not a number from 1 to 65535");
    *ret = (uint16_t)port;
    return SB_OK;
}

enum sb_err amqp_url_parse(const char *text, struct amqp_url *ret, char why[AMQP_URL_WHY_LEN])
{
    struct bytes all = bytes_text(text);
    if (all.len > AMQP_URL_LEN_MAX)
        return refuse(why, "it is too long");
    struct parts parts = {.vhost = {.at = NULL}};
    enum sb_err err = split(all, &parts, why);
    if (err != SB_OK)
        return err;
    if (parts.vhost.len == 0)
        parts.vhost = bytes_of(NULL, 0);
    struct amqp_url url = {.tls = parts.tls};
    err = read_port(parts.port, parts.tls, &url.port, why);
    if (err == SB_OK)
        err = decode(parts.user, "guest", &url.user, why);
    if (err == SB_OK)
        err = decode(parts.password, "guest", &url.password, why);
    if (err == SB_OK)
        err = decode(parts.host, "", &url.host, why);
    if (err == SB_OK)
        err = decode(parts.vhost, "/", &url.vhost, why);
    if (err != SB_OK) {
        amqp_url_clear(&url);
        return err;
    }
    *ret = url;
    return SB_OK;
}

void amqp_url_clear(struct amqp_url *url)
{
    if (url->password != NULL)
        explicit_bzero(url->password, strlen(url->password));
    memory_free(url->user);
    memory_free(url->password);
    memory_free(url->host);
    memory_free(url->vhost);
    *url = (struct amqp_url){.port = 0};
}
