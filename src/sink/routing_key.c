#include "routing_key.h"

#include <stdbool.h>
#include <string.h>

#include "core/assert.h"

static const char WORD[] = "{trace_id}";
enum { WORD_LEN = sizeof(WORD) - 1 };

/* Without `ret` only counts; SIZE_MAX: a word that there is not. */
static size_t expand(const char *template, const char hex[TRACE_ID_HEX_LEN], char *ret)
{
    size_t len = 0;
    while (*template != '\0') {
        const char *part = template;
        size_t part_len = 1;
        size_t taken = 1;
        if (strncmp(template, WORD, WORD_LEN) == 0) {
            part = hex;
            part_len = TRACE_ID_HEX_LEN;
            taken = WORD_LEN;
        } else if (template[0] == '{') {
            if (template[1] != '{')
                return SIZE_MAX;
            taken = 2;
        }
        if (ret != NULL)
            memcpy(ret + len, part, part_len);
        len += part_len;
        template += taken;
    }
    return len;
}

enum sb_err routing_key_check(const char *template)
{
    return expand(template, NULL, NULL) > ROUTING_KEY_LEN_MAX ? SB_ERR_CONFIG : SB_OK;
}

size_t routing_key_write(const char *template, struct trace_id trace,
                         char ret[ROUTING_KEY_LEN_MAX + 1])
{
    char hex[TRACE_ID_HEX_LEN + 1];
    trace_id_format(trace, hex);
    size_t len = expand(template, hex, ret);
    SB_ASSERT(len <= ROUTING_KEY_LEN_MAX);
    ret[len] = '\0';
    return len;
}
