/*
 * amqp_input: what the AMQP room reads by itself.  After one byte that chooses there is a URL, or
 * a table as it stands on the wire, which librabbitmq decodes and we flatten.
 */
#include <string.h>

#include "amqp/headers.h"
#include "amqp/url.h"
#include "core/assert.h"

enum { COUNT_MAX = 16, BYTES_MAX = 256, PAGE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void read_url(struct bytes in)
{
    char text[AMQP_URL_LEN_MAX + 2];
    char why[AMQP_URL_WHY_LEN] = "";
    struct amqp_url url;
    size_t len = in.len < sizeof(text) ? in.len : sizeof(text) - 1;
    if (len > 0)
        memcpy(text, in.at, len);
    text[len] = '\0';
    if (amqp_url_parse(text, &url, why) != SB_OK) {
        SB_ASSERT(why[0] != '\0');
        return;
    }
    SB_ASSERT(url.host[0] != '\0' && url.vhost[0] != '\0' && url.port > 0);
    amqp_url_clear(&url);
}

static void check_flat(const amqp_table_t *table)
{
    struct amqp_header flat[COUNT_MAX];
    bool cut;
    size_t count = amqp_headers_flatten(table, flat, COUNT_MAX, BYTES_MAX, &cut);
    size_t bytes = 0;
    SB_ASSERT(count <= COUNT_MAX && (cut || count == (size_t)table->num_entries));
    for (size_t i = 0; i < count; i++)
        bytes += flat[i].name.len + flat[i].value.len;
    SB_ASSERT(bytes <= BYTES_MAX);
}

static void read_table(struct bytes in)
{
    amqp_pool_t pool;
    amqp_table_t table;
    size_t offset = 0;
    init_amqp_pool(&pool, PAGE);
    const amqp_bytes_t encoded = {.len = in.len, .bytes = (void *)in.at};
    if (amqp_decode_table(encoded, &pool, &table, &offset) == AMQP_STATUS_OK) {
        int64_t number;
        struct bytes text;
        check_flat(&table);
        (void)amqp_headers_integer(&table, "x-stream-offset", &number);
        (void)amqp_headers_text(&table, "", &text);
        const amqp_table_t *inner = amqp_headers_table(&table, "properties");
        if (inner != NULL)
            check_flat(inner);
    }
    empty_amqp_pool(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len == 0)
        return 0;
    const struct bytes in = bytes_of(at + 1, len - 1);
    if (at[0] == 'u')
        read_url(in);
    else
        read_table(in);
    return 0;
}
