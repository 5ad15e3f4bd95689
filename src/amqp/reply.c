#include "reply.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_LEN = 256 };

static void say(struct amqp_link *link, const char *format, va_list args) SB_PRINTF(2, 0);

static void say(struct amqp_link *link, const char *format, va_list args)
{
    (void)vsnprintf(link->why, sizeof(link->why), format, args);
}

enum sb_err reply_fail(struct amqp_link *link, enum sb_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(link, format, args);
    va_end(args);
    return err;
}

/* As reply_fail; the link is broken from here on. */
SB_PRINTF(3, 4)
static enum sb_err break_link(struct amqp_link *link, enum sb_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(link, format, args);
    va_end(args);
    link->broken = true;
    return err;
}

void reply_clean(amqp_bytes_t in, char *ret, size_t room)
{
    size_t len = in.len < room - 1 ? in.len : room - 1;
    for (size_t i = 0; i < len; i++) {
        char c = ((const char *)in.bytes)[i];
        ret[i] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    ret[len] = '\0';
}

/* The library's own texts are for programmers where these are not. */
static const char *text_of(int status)
{
    switch (status) {
    case AMQP_STATUS_TIMEOUT:
        return "no answer in time";
    case AMQP_STATUS_HEARTBEAT_TIMEOUT:
        return "the broker has fallen silent (no heartbeat)";
    case AMQP_STATUS_CONNECTION_CLOSED:
    case AMQP_STATUS_SOCKET_CLOSED:
        return "the connection was closed";
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_TCP_ERROR:
        return "the connection was cut";
    case AMQP_STATUS_BAD_AMQP_DATA:
    case AMQP_STATUS_UNKNOWN_CLASS:
    case AMQP_STATUS_UNKNOWN_METHOD:
    case AMQP_STATUS_WRONG_METHOD:
    case AMQP_STATUS_UNEXPECTED_STATE:
        return "what came is no AMQP 0-9-1";
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
        return "the other side does not speak AMQP 0-9-1";
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
        return "the broker does not offer the login method PLAIN";
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
        return "the host name is not known";
    default:
        return amqp_error_string2(status);
    }
}

static enum sb_err meaning_of(int status)
{
    switch (status) {
    case AMQP_STATUS_NO_MEMORY:
        return SB_ERR_MEMORY;
    case AMQP_STATUS_BAD_AMQP_DATA:
    case AMQP_STATUS_UNKNOWN_CLASS:
    case AMQP_STATUS_UNKNOWN_METHOD:
    case AMQP_STATUS_WRONG_METHOD:
    case AMQP_STATUS_UNEXPECTED_STATE:
        return SB_ERR_INPUT;
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
        return SB_ERR_CONFIG;
    default:
        return SB_ERR_UNAVAILABLE;
    }
}

enum sb_err reply_of_status(struct amqp_link *link, int status, const char *what)
{
    if (status >= 0)
        return SB_OK;
    return break_link(link, meaning_of(status), "%s: %s", what, text_of(status));
}

/* What a reply code asks for: a change somewhere, or another try. */
static enum sb_err meaning_of_code(uint16_t code)
{
    switch (code) {
    case AMQP_NOT_FOUND:
        return SB_ERR_NOT_FOUND;
    case AMQP_ACCESS_REFUSED:
    case AMQP_RESOURCE_LOCKED:
    case AMQP_PRECONDITION_FAILED:
    case AMQP_INVALID_PATH:
    case AMQP_FRAME_ERROR:
    case AMQP_SYNTAX_ERROR:
    case AMQP_COMMAND_INVALID:
    case AMQP_CHANNEL_ERROR:
    case AMQP_UNEXPECTED_FRAME:
    case AMQP_NOT_ALLOWED:
    case AMQP_NOT_IMPLEMENTED:
        return SB_ERR_CONFIG;
    default:
        return SB_ERR_UNAVAILABLE;
    }
}

enum sb_err reply_channel_closed(struct amqp_link *link, uint16_t channel,
                                 const amqp_channel_close_t *close, const char *what)
{
    char text[TEXT_LEN];
    reply_clean(close->reply_text, text, sizeof(text));
    enum sb_err err = reply_fail(link, meaning_of_code(close->reply_code), "%s: %s (%u)", what,
                                 text, close->reply_code);
    amqp_channel_close_ok_t ok = {.dummy = 0};
    int status = amqp_send_method(link->connection, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    if (status < 0)
        link->broken = true; /* and what the broker said is the better reason */
    return err;
}

enum sb_err reply_connection_closed(struct amqp_link *link,
                                    const amqp_connection_close_t *close, const char *what)
{
    char text[TEXT_LEN];
    reply_clean(close->reply_text, text, sizeof(text));
    enum sb_err err = break_link(link, meaning_of_code(close->reply_code), "%s: %s (%u)", what,
                                 text, close->reply_code);
    amqp_connection_close_ok_t ok = {.dummy = 0};
    (void)amqp_send_method(link->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    return err == SB_ERR_NOT_FOUND ? SB_ERR_CONFIG : err;
}

enum sb_err reply_of_rpc(struct amqp_link *link, uint16_t channel, amqp_rpc_reply_t reply,
                         const char *what)
{
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return SB_OK;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
            return reply_channel_closed(link, channel, reply.reply.decoded, what);
        if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
            return reply_connection_closed(link, reply.reply.decoded, what);
        return break_link(link, SB_ERR_INPUT, "%s: %s", what,
                          text_of(AMQP_STATUS_WRONG_METHOD));
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        if (reply.library_error < 0)
            return reply_of_status(link, reply.library_error, what);
        break;
    case AMQP_RESPONSE_NONE:
        break;
    }
    return break_link(link, SB_ERR_UNAVAILABLE, "%s: the connection was closed", what);
}
