#include "answer.h"

#include <stddef.h>
#include <string.h>

void answer_set_message(struct answer *answer, struct bytes text)
{
    size_t room = sizeof(answer->message) - 1;
    size_t len = text.len < room ? text.len : room;
    for (size_t i = 0; i < len; i++) {
        char c = (char)text.at[i];
        answer->message[i] = '?';
        if (c >= ' ' && c <= '~') /* whatever a char's sign is */
            answer->message[i] = c;
    }
    answer->message[len] = '\0';
}

bool answer_tells_size(const char *message)
{
    static const char *const signs[] = {
        "larger than max",      /* gRPC in Go, and its C core */
        "exceeds maximum size", /* gRPC in Java */
        "body too large",       /* net/http in Go, behind the Collector's OTLP/HTTP */
    };
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (strcasestr(message, signs[i]) != NULL)
            return true;
    }
    return false;
}
