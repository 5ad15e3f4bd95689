#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* A worker file whose only sink has those lines must give exactly this report. */
static void expect(const char *type, const char *lines, const char *report)
{
    char worker[2048];
    snprintf(worker, sizeof(worker),
             "sinks = ( { name = \"s\"; type = \"%s\"; %s } );\n"
             "kafka = { bootstrap = \"a\"; };\n"
             "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n",
             type, lines);
    memory_expect_report(worker, TOPIC, report);
}

struct endpoint_example {
    const char *endpoint;
    const char *http; /* what is wrong with it, or NULL */
    const char *grpc;
};

static const struct endpoint_example endpoints[] = {
    {"http://localhost", NULL, NULL},
    {"https://localhost:1", NULL, NULL},
    {"http://127.0.0.1:65535/", NULL, NULL},
    {"http://[::1]:4000", NULL, NULL},
    {"http://a/v1/traces", NULL, "gRPC endpoints have no path"},
    {"http://a:1/x?y=z", NULL, "gRPC endpoints have no path"},
    {"http://", "it has no host", "it has no host"},
    {"http://:1", "it has no host", "it has no host"},
    {"http://a:", "its port is missing", "its port is missing"},
    {"http://a:x", "its port is no number", "its port is no number"},
    {"http://a:0", "its port is not from 1 to 65535", "its port is not from 1 to 65535"},
    {"http://a:65536", "its port is not from 1 to 65535", "its port is not from 1 to 65535"},
    {"http://a:9999999999", "its port is no number", "its port is no number"},
    {"http://a b", "it holds a blank or a character that no URL has",
     "it holds a blank or a character that no URL has"},
    {"http://caf\xc3\xa9", "it holds a blank or a character that no URL has",
     "it holds a blank or a character that no URL has"},
    {"http://a#b", "it has a fragment", "it has a fragment"},
};

static void test_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
        const struct endpoint_example *example = &endpoints[i];
        for (int grpc = 0; grpc < 2; grpc++) {
            char lines[256];
            char report[512] = "";
            const char *fault = grpc != 0 ? example->grpc : example->http;
            snprintf(lines, sizeof(lines), "endpoint = \"%s\";", example->endpoint);
            if (fault != NULL)
                snprintf(report, sizeof(report), "worker.conf:1: error: endpoint \"%s\": %s\n",
                         example->endpoint, fault);
            expect(grpc != 0 ? "otlp_grpc" : "otlp_http", lines, report);
        }
    }
}

static void test_schemes(void **state)
{
    (void)state;
    expect(
        "otlp_http", "endpoint = \"localhost:4318\";",
        "worker.conf:1: error: endpoint \"localhost:4318\": it does not begin with http:// or "
        "https://\n  help: write \"http://localhost:4318\"\n");
    expect("otlp_grpc", "endpoint = \"grpc://localhost:4317\";",
           "worker.conf:1: error: endpoint \"grpc://localhost:4317\": it begins with neither "
           "http:// nor https://\n  help: write \"http://localhost:4317\"\n");
    expect("otlp_http", "",
           "worker.conf:1: error: sink \"s\" has no endpoint\n"
           "  help: for example endpoint = \"http://localhost:4318\";\n");
}

/* A password in a URL is neither taken nor shown. */
static void test_user(void **state)
{
    (void)state;
    expect("otlp_http", "endpoint = \"https://me:hunter2@a\";",
           "worker.conf:1: error: endpoint \"(redacted)\": it holds a user or a password\n"
           "  help: use headers = ( { name = \"authorization\"; file = \"...\"; } );\n");
}

static void test_usual_ports(void **state)
{
    (void)state;
    expect("otlp_http", "endpoint = \"http://a:4317\";",
           "worker.conf:1: warning: port 4317 mostly speaks OTLP over gRPC\n"
           "  help: type = \"otlp_grpc\" or port 4318\n");
    expect("otlp_grpc", "endpoint = \"http://a:4318\";",
           "worker.conf:1: warning: port 4318 mostly speaks OTLP over HTTP\n"
           "  help: type = \"otlp_http\" or port 4317\n");
    expect("otlp_grpc", "endpoint = \"http://a:4317\";", "");
}

static void test_tls(void **state)
{
    (void)state;
    expect("otlp_http", "endpoint = \"https://a\"; tls = { certificate = \"c\"; };",
           "worker.conf:1: error: sink \"s\": tls.certificate without tls.key\n");
    expect("otlp_http", "endpoint = \"https://a\"; tls = { key = \"c\"; };",
           "worker.conf:1: error: sink \"s\": tls.key without tls.certificate\n");
    expect("otlp_http", "endpoint = \"http://a\"; tls = { insecure = true; };",
           "worker.conf:1: warning: tls has no effect on an http:// endpoint\n"
           "  help: write https://\n");
}

static void test_headers(void **state)
{
    (void)state;
    expect(
        "otlp_http",
        "endpoint = \"http://a\"; headers = ( { name = \"X-Scope-OrgID\"; value = \"\"; } );",
        "");
    expect("otlp_http",
           "endpoint = \"http://a\"; headers = ( { name = \"a:b\"; value = \"\"; } );",
           "worker.conf:1: error: \"a:b\" can not be the name of a header\n");
    expect("otlp_http",
           "endpoint = \"http://a\"; headers = ( { name = \"content-TYPE\"; value = \"\"; } );",
           "worker.conf:1: error: the header content-TYPE is set by the sink itself\n");
    expect("otlp_http", "endpoint = \"http://a\"; headers = ( { name = \"a\"; } );",
           "worker.conf:1: error: the header a has neither a value nor a file\n");
    expect("otlp_http",
           "endpoint = \"http://a\"; headers = ( { name = \"a\"; value = \"x\"; file = \"y\"; "
           "} );",
           "worker.conf:1: error: the header a has a value and a file\n"
           "  help: keep one of them\n");
    expect("otlp_http",
           "endpoint = \"http://a\"; headers = ( { name = \"a\"; value = \"x\\r\\nb: c\"; } );",
           "worker.conf:1: error: the value of the header a has more than one line\n");
    /* What failed otherwise is not missing besides. */
    expect("otlp_http", "endpoint = \"http://a\"; headers = ( { name = \"a\"; value = 5; } );",
           "worker.conf:1: error: sinks[0].headers[0].value takes text, not 5\n"
           "  help: write value = \"5\";\n");
}

static void test_sizes(void **state)
{
    (void)state;
    expect("otlp_http", "endpoint = \"http://a\"; queue = \"4MiB\";", "");
    expect("otlp_http", "endpoint = \"http://a\"; queue = \"4095KiB\";",
           "worker.conf:1: error: sink \"s\": a batch of 4MiB does not fit into its queue of "
           "4095KiB\n  help: raise queue, or lower batch.bytes\n");
    expect("otlp_http", "endpoint = \"http://a\"; retry = { max = \"500ms\"; };",
           "worker.conf:1: error: sink \"s\": retry.initial is above retry.max\n");
}

static void test_on_full(void **state)
{
    (void)state;
    expect("otlp_http", "endpoint = \"http://a\"; on_full = \"drop_oldest\";",
           "worker.conf:1: error: sinks[0].on_full = \"drop_oldest\" is not available in this "
           "version\n"
           "  help: known: block\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoints), cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_user),      cmocka_unit_test(test_usual_ports),
        cmocka_unit_test(test_tls),       cmocka_unit_test(test_headers),
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_on_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
