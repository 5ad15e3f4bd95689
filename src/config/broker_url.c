#include "broker_url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "authority.h"

enum { PART_MAX = 255 }; /* of a user, a password or a vhost, decoded: AMQP's short strings */

static struct bytes cut(struct bytes *rest, size_t len)
{
    struct bytes part = bytes_of(rest->at, len);
    *rest = bytes_of(rest->at + len, rest->len - len);
    return part;
}

/* Up to any of the characters, or all. */
static struct bytes cut_until(struct bytes *rest, const char *characters)
{
    size_t len = 0;
    while (len < rest->len && strchr(characters, rest->at[len]) == NULL)
        len++;
    return cut(rest, len);
}

static void parse_authority(struct bytes authority, struct broker_url *url)
{
    const uint8_t *at_sign = memrchr(authority.at, '@', authority.len);
    if (at_sign != NULL) {
        struct bytes info = cut(&authority, (size_t)(at_sign - authority.at));
        cut(&authority, 1);
        url->user = cut_until(&info, ":");
        if (info.len > 0)
            url->password = bytes_of(info.at + 1, info.len - 1);
    }
    const uint8_t *colon = memrchr(authority.at, ':', authority.len);
    const uint8_t *close = memrchr(authority.at, ']', authority.len);
    bool has_port = colon != NULL && (close == NULL || colon > close);
    url->host = cut(&authority, has_port ? (size_t)(colon - authority.at) : authority.len);
    if (has_port)
        url->port = bytes_of(authority.at + 1, authority.len - 1);
}

struct broker_url broker_url_parse(const char *text)
{
    struct broker_url url = {0};
    struct bytes rest = bytes_text(text);
    const char *mark = strstr(text, "://");
    if (mark != NULL) {
        url.scheme = cut(&rest, (size_t)(mark - text));
        cut(&rest, 3);
    }
    parse_authority(cut_until(&rest, "/?#"), &url);
    struct bytes path = cut_until(&rest, "?#");
    if (path.len > 0)
        url.vhost = bytes_of(path.at + 1, path.len - 1);
    url.rest = rest.len > 0 ? rest : (struct bytes){0};
    return url;
}

/* ---- what may be wrong ---- */

static int hex(uint8_t digit)
{
    if (isdigit(digit))
        return digit - '0';
    return isxdigit(digit) ? tolower(digit) - 'a' + 10 : -1;
}

/* The next character of an encoded part, or -1 for a % that encodes none. */
static int decode(struct bytes *part)
{
    uint8_t first = part->at[0];
    size_t len = first == '%' ? 3 : 1;
    if (part->len < len)
        return -1;
    int value = first;
    if (first == '%') {
        int high = hex(part->at[1]);
        int low = hex(part->at[2]);
        value = high < 0 || low < 0 ? -1 : high * 16 + low;
    }
    cut(part, len);
    return value;
}

static struct broker_url_fault fault(const char *text, const char *help)
{
    return (struct broker_url_fault){.text = text, .help = help};
}

static struct broker_url_fault none(void)
{
    return fault(NULL, NULL);
}

/* A user, a password or a vhost. */
static struct broker_url_fault check_part(struct bytes part)
{
    size_t len = 0;
    for (; part.len > 0; len++) {
        if (strchr(":/@[]", part.at[0]) != NULL)
            return fault("it holds a : / @ [ or ] that is not percent-encoded",
                         "in a user, a password or a vhost write %3A %2F %40 %5B %5D");
        int c = decode(&part);
        if (c < 0)
            return fault("it holds a % without two hex digits behind it",
                         "a % itself is written %25");
        if (c < 0x20 || c == 0x7f)
            return fault("it holds a control character", NULL);
    }
    if (len > PART_MAX)
        return fault("its user, password or vhost is longer than 255 bytes", NULL);
    return none();
}

static struct broker_url_fault check_login(const struct broker_url *url)
{
    if (url->user.at == NULL)
        return none();
    if (url->user.len == 0)
        return fault("it has an empty user", "write amqp://user:password@host:port/vhost");
    if (url->password.at == NULL)
        return fault("it has a user and no password",
                     "write amqp://user:password@host:port/vhost");
    struct broker_url_fault found = check_part(url->user);
    return found.text != NULL ? found : check_part(url->password);
}

static struct broker_url_fault check_address(const struct broker_url *url)
{
    const char *host = (const char *)url->host.at;
    const char *port = (const char *)url->port.at;
    if (url->host.len == 0)
        return fault("it has no host", "write amqp://user:password@host:port/vhost");
    if (!authority_is_host(host, url->host.len))
        return fault("its host is no name and no address",
                     "an IPv6 address stands in brackets: amqp://[::1]:5672/");
    if (port == NULL)
        return none();
    if (url->port.len == 0)
        return fault("its port is missing", "write amqp://host:5672/, or leave the : out");
    if (!authority_is_port(port, url->port.len))
        return fault("its port is not from 1 to 65535", NULL);
    return none();
}

static struct broker_url_fault check_characters(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char value = (unsigned char)*c;
        if (value < 0x20 || value == 0x7f)
            return fault("it holds a control character", NULL);
        if (value == ' ' || value > 0x7f)
            return fault("it holds a blank or a character that no URL has",
                         "write it percent-encoded: a blank is %20");
    }
    return none();
}

static bool is_amqps(const struct broker_url *url)
{
    return bytes_equal(url->scheme, BYTES_LITERAL("amqps"));
}

struct broker_url_fault broker_url_check(const char *text)
{
    struct broker_url url = broker_url_parse(text);
    struct broker_url_fault found = check_characters(text);
    if (found.text != NULL)
        return found;
    if (!is_amqps(&url) && !bytes_equal(url.scheme, BYTES_LITERAL("amqp")))
        return fault("it begins with neither amqp:// nor amqps://",
                     "write amqp://user:password@host:port/vhost");
    if (url.rest.at != NULL)
        return fault("it has a query or a fragment",
                     "use heartbeat and the tls keys; in a part write %3F for ? and %23 for #");
    found = check_login(&url);
    if (found.text == NULL)
        found = check_address(&url);
    if (found.text == NULL)
        found = check_part(url.vhost);
    return found;
}

bool broker_url_is_tls(const char *text)
{
    struct broker_url url = broker_url_parse(text);
    return is_amqps(&url);
}

/* ---- comparing and showing ---- */

static struct bytes port_of(const struct broker_url *url)
{
    if (url->port.len > 0)
        return url->port;
    return is_amqps(url) ? BYTES_LITERAL("5671") : BYTES_LITERAL("5672");
}

static bool same_vhost(struct bytes a, struct bytes b)
{
    if (a.len == 0)
        a = BYTES_LITERAL("%2f");
    if (b.len == 0)
        b = BYTES_LITERAL("%2f");
    while (a.len > 0 && b.len > 0) {
        int left = decode(&a);
        if (left < 0 || left != decode(&b))
            return false;
    }
    return a.len == b.len;
}

bool broker_url_same(const char *a, const char *b)
{
    struct broker_url left = broker_url_parse(a);
    struct broker_url right = broker_url_parse(b);
    return left.host.len == right.host.len &&
           strncasecmp((const char *)left.host.at, (const char *)right.host.at,
                       left.host.len) == 0 &&
           bytes_equal(port_of(&left), port_of(&right)) && same_vhost(left.vhost, right.vhost);
}

bool broker_url_hides(const char *text, size_t from, size_t to)
{
    struct bytes password = broker_url_parse(text).password;
    if (password.at == NULL)
        return false;
    size_t begins = (size_t)((const char *)password.at - text);
    return from >= begins && to <= begins + password.len;
}

void broker_url_show(const char *text, struct text *out)
{
    struct bytes password = broker_url_parse(text).password;
    if (password.at == NULL) {
        text_append_text(out, text);
        return;
    }
    text_append(out, bytes_of(text, (size_t)((const char *)password.at - text)));
    text_append_text(out, "(redacted)");
    text_append_text(out, (const char *)password.at + password.len);
}
