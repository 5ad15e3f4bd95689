#include <stdio.h>
#include <stdlib.h>

#include "otlp_rig.h"
#include "support/temp_dir.h"
#include "support/test.h"

enum { SPANS = 20 };

/* A CA, a server's certificate for localhost, one for another host, and a client's. */
static const char make_certificates[] =
    "cd '%s' && exec >openssl.log 2>&1 && "
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    "  -subj /CN=test-ca -keyout ca.key -out ca.pem && "
    "for name in localhost other.example client; do "
    "  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name "
    "    -keyout $name.key -out $name.csr && "
    "  printf 'subjectAltName=DNS:%%s\\n' $name >$name.ext && "
    "  openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
    "    -extfile $name.ext -out $name.pem || exit 1; "
    "done";

struct files {
    struct temp_dir dir;
    char ca[TEMP_DIR_PATH_LEN];
    char certificate[TEMP_DIR_PATH_LEN]; /* for localhost */
    char key[TEMP_DIR_PATH_LEN];
    char other_certificate[TEMP_DIR_PATH_LEN];
    char other_key[TEMP_DIR_PATH_LEN];
    char client_certificate[TEMP_DIR_PATH_LEN];
    char client_key[TEMP_DIR_PATH_LEN];
};

static struct files files;

static int make_files(void **state)
{
    (void)state;
    char command[sizeof(make_certificates) + TEMP_DIR_PATH_LEN];
    temp_dir_make(&files.dir);
    (void)snprintf(command, sizeof(command), make_certificates, files.dir.path);
    temp_dir_path(&files.dir, "ca.pem", files.ca);
    temp_dir_path(&files.dir, "localhost.pem", files.certificate);
    temp_dir_path(&files.dir, "localhost.key", files.key);
    temp_dir_path(&files.dir, "other.example.pem", files.other_certificate);
    temp_dir_path(&files.dir, "other.example.key", files.other_key);
    temp_dir_path(&files.dir, "client.pem", files.client_certificate);
    temp_dir_path(&files.dir, "client.key", files.client_key);
    return system(command);
}

static int remove_files(void **state)
{
    (void)state;
    temp_dir_remove(&files.dir);
    return 0;
}

struct fixture {
    struct otlp_receiver *receiver;
    struct otlp_rig rig;
};

static void open_fixture(struct fixture *fixture, struct receiver_options options)
{
    fixture->receiver = receiver_new(&options);
    otlp_rig_init(&fixture->rig, receiver_url(fixture->receiver));
    fixture->rig.options.tls_ca = files.ca;
    if (options.protocol == RECEIVER_GRPC)
        fixture->rig.options.protocol = SINK_OTLP_GRPC;
}

static void close_fixture(struct fixture *fixture)
{
    otlp_rig_clear(&fixture->rig);
    receiver_free(fixture->receiver);
}

static void expect_exported(struct fixture *fixture)
{
    otlp_rig_start(&fixture->rig);
    for (int i = 0; i < 3; i++) {
        struct sink_batch *batch = otlp_rig_send(&fixture->rig, SPANS);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), SPANS);
        sink_batch_free(batch);
    }
    assert_int_equal(receiver_connections(fixture->receiver), 1);
}

/* It tries again and again, and nothing is sent; the reason is told. */
static void expect_refused(struct fixture *fixture, const char *reason)
{
    otlp_rig_start(&fixture->rig);
    otlp_rig_submit(&fixture->rig, SPANS);
    otlp_rig_wait_waits(&fixture->rig, 3);
    fixture->rig.base.sink->ops->stop(fixture->rig.base.sink);
    struct sink_batch *batch = rig_take(&fixture->rig.base);
    assert_int_equal(rig_count(batch, SINK_PENDING), SPANS);
    sink_batch_free(batch);
    assert_int_equal(receiver_requests(fixture->receiver), 0);
    assert_true(rig_logged(&fixture->rig.base, "export_failed") >= 3);
    assert_true(rig_logged(&fixture->rig.base, reason) >= 3);
}

static void test_the_right_host(void **state)
{
    (void)state;
    for (int protocol = RECEIVER_HTTP; protocol <= RECEIVER_GRPC; protocol++) {
        struct fixture fixture;
        open_fixture(&fixture,
                     (struct receiver_options){.protocol = (enum receiver_protocol)protocol,
                                               .tls_certificate = files.certificate,
                                               .tls_key = files.key});
        expect_exported(&fixture);
        assert_int_equal(rig_logged(&fixture.rig.base, "tls_insecure"), 0);
        close_fixture(&fixture);
    }
}

static void test_another_host(void **state)
{
    (void)state;
    struct fixture fixture;
    struct receiver_options options = {.tls_certificate = files.other_certificate,
                                       .tls_key = files.other_key};
    open_fixture(&fixture, options);
    expect_refused(&fixture, "alternative certificate subject name");
    close_fixture(&fixture);
}

static void test_an_unknown_ca(void **state)
{
    (void)state;
    struct fixture fixture;
    struct receiver_options options = {.tls_certificate = files.certificate,
                                       .tls_key = files.key};
    open_fixture(&fixture, options);
    fixture.rig.options.tls_ca = NULL; /* the system's */
    expect_refused(&fixture, "certificate");
    close_fixture(&fixture);
}

static void test_no_check_is_told_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct receiver_options options = {.tls_certificate = files.other_certificate,
                                       .tls_key = files.other_key};
    open_fixture(&fixture, options);
    fixture.rig.options.tls_ca = NULL;
    fixture.rig.options.tls_insecure = true;
    expect_exported(&fixture);
    assert_int_equal(rig_logged(&fixture.rig.base, "tls_insecure"), 1);
    close_fixture(&fixture);
}

static void test_client_certificates(void **state)
{
    (void)state;
    struct receiver_options options = {
        .tls_certificate = files.certificate, .tls_key = files.key, .tls_client_ca = files.ca};
    struct fixture fixture;
    open_fixture(&fixture, options);
    expect_refused(&fixture, "reason=");
    close_fixture(&fixture);
    open_fixture(&fixture, options);
    fixture.rig.options.tls_certificate = files.client_certificate;
    fixture.rig.options.tls_key = files.client_key;
    expect_exported(&fixture);
    close_fixture(&fixture);
}

static void test_a_clear_text_server(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, (struct receiver_options){.protocol = RECEIVER_HTTP});
    char url[64];
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d", receiver_port(fixture.receiver));
    fixture.rig.endpoints[0] = url;
    expect_refused(&fixture, "reason=");
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_right_host),
        cmocka_unit_test(test_another_host),
        cmocka_unit_test(test_an_unknown_ca),
        cmocka_unit_test(test_no_check_is_told_once),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_a_clear_text_server),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
