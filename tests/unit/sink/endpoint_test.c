#include "endpoint.h"

#include "core/memory.h"
#include "support/test.h"

#define GRPC "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

struct row {
    enum sink_otlp_protocol protocol;
    const char *endpoint;
    const char *url; /* NULL: SB_ERR_CONFIG */
};

static const struct row rows[] = {
    {SINK_OTLP_HTTP, "http://tempo:4318", "http://tempo:4318/v1/traces"},
    {SINK_OTLP_HTTP, "http://tempo:4318/", "http://tempo:4318/v1/traces"},
    {SINK_OTLP_HTTP, "http://tempo:4318/v1/traces", "http://tempo:4318/v1/traces"},
    {SINK_OTLP_HTTP, "http://tempo:4318/v1/traces/", "http://tempo:4318/v1/traces"},
    {SINK_OTLP_HTTP, "https://host/otlp", "https://host/otlp/v1/traces"},
    {SINK_OTLP_HTTP, "HTTPS://host", "HTTPS://host/v1/traces"},
    {SINK_OTLP_HTTP, "http://[::1]:4318", "http://[::1]:4318/v1/traces"},
    {SINK_OTLP_GRPC, "http://tempo:4317", "http://tempo:4317" GRPC},
    {SINK_OTLP_GRPC, "https://tempo:4317/", "https://tempo:4317" GRPC},
    {SINK_OTLP_GRPC, "https://tempo:4317/path", NULL},
    {SINK_OTLP_HTTP, "tempo:4318", NULL},
    {SINK_OTLP_HTTP, "", NULL},
    {SINK_OTLP_HTTP, "http://", NULL},
    {SINK_OTLP_HTTP, "http:///v1/traces", NULL},
    {SINK_OTLP_HTTP, "http://:4318", NULL},
    {SINK_OTLP_HTTP, "ftp://tempo", NULL},
    {SINK_OTLP_HTTP, "file:///etc/passwd", NULL},
    {SINK_OTLP_HTTP, "http://user:secret@tempo", NULL},
    {SINK_OTLP_HTTP, "http://tempo/?a=b", NULL},
    {SINK_OTLP_HTTP, "http://tempo/#a", NULL},
    {SINK_OTLP_HTTP, "http://tempo /", NULL},
    {SINK_OTLP_HTTP, "http://tempo\r\nX: y", NULL},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *url = NULL;
        enum sb_err err = endpoint_new_url(rows[i].endpoint, rows[i].protocol, &url);
        assert_int_equal(err, rows[i].url == NULL ? SB_ERR_CONFIG : SB_OK);
        if (rows[i].url != NULL)
            assert_string_equal(url, rows[i].url);
        memory_free(url);
    }
}

static void test_memory_is_short(void **state)
{
    (void)state;
    char *url = NULL;
    memory_fail_at(1);
    assert_int_equal(endpoint_new_url("http://tempo", SINK_OTLP_HTTP, &url), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_null(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
