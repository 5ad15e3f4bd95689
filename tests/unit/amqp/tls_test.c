#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"
#include "support/temp_dir.h"

/* A CA, a server's certificate for localhost and 127.0.0.1, another host's, an expired one. */
static const char make_certificates[] =
    "cd '%s' && exec >openssl.log 2>&1 && "
    "new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' && "
    "$new -x509 -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem && "
    "make() { $new -subj /CN=$1 -keyout $1.key -out $1.csr && "
    "  printf 'subjectAltName=%%s\\n' $2 >$1.ext && "
    "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $3 "
    "    -extfile $1.ext -out $1.pem; } && "
    "make here DNS:localhost,IP:127.0.0.1 2 && make elsewhere DNS:other.example 2 && "
    "make expired DNS:localhost,IP:127.0.0.1 0";

struct server {
    const char *name; /* of its certificate */
    SSL_CTX *context;
};

static struct temp_dir dir;

static int make_files(void **state)
{
    (void)state;
    char command[sizeof(make_certificates) + TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    (void)snprintf(command, sizeof(command), make_certificates, dir.path);
    return system(command);
}

static int remove_files(void **state)
{
    (void)state;
    temp_dir_remove(&dir);
    return 0;
}

/* Takes the handshake of TLS, and says no more: that is where these tests look at. */
static void shake_hands(struct fake_peer *peer)
{
    struct server *server = peer->arg;
    SSL *ssl = SSL_new(server->context);
    if (ssl == NULL || SSL_set_fd(ssl, peer->fd) != 1)
        (void)peer_fail(peer, "no TLS");
    else
        (void)SSL_accept(ssl);
    SSL_free(ssl);
}

static SSL_CTX *server_context(const char *name)
{
    char certificate[TEMP_DIR_PATH_LEN];
    char key[TEMP_DIR_PATH_LEN];
    char file[64];
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    temp_dir_path(&dir, file, certificate);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    temp_dir_path(&dir, file, key);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_non_null(context);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
    return context;
}

/* Opens a link to a server with that certificate; `host` is what the URL says. */
static enum sb_err open_link(const char *name, const char *host, struct amqp_link_options with,
                             char ret_why[AMQP_WHY_LEN])
{
    struct server server = {.name = name, .context = server_context(name)};
    struct fake_broker *broker = fake_broker_new(shake_hands, &server);
    char url[FAKE_URL_LEN];
    (void)snprintf(url, sizeof(url), "amqps://u:secret@%s:%u", host, fake_broker_port(broker));
    with.url = url;
    with.client_name = "test";
    with.clock = clock_system();
    struct amqp_link *link;
    assert_int_equal(amqp_link_new(&with, &link, ret_why), SB_OK);
    enum sb_err err = amqp_link_open(link);
    (void)snprintf(ret_why, AMQP_WHY_LEN, "%s", amqp_link_why(link));
    amqp_link_free(link);
    fake_broker_free(broker);
    SSL_CTX_free(server.context);
    return err;
}

static struct amqp_link_options trusting(char ca[TEMP_DIR_PATH_LEN])
{
    temp_dir_path(&dir, "ca.pem", ca);
    return (struct amqp_link_options){.ca_file = ca};
}

/* Behind the handshake the server hangs up, which is another reason. */
#define assert_trusted(err, why)                                                               \
    do {                                                                                       \
        assert_int_equal((err), SB_ERR_UNAVAILABLE);                                           \
        assert_non_null(strstr((why), "login at "));                                           \
    } while (0)

static void test_a_certificate_for_the_name_or_the_address(void **state)
{
    (void)state;
    char ca[TEMP_DIR_PATH_LEN];
    char why[AMQP_WHY_LEN];
    assert_trusted(open_link("here", "localhost", trusting(ca), why), why);
    assert_trusted(open_link("here", "127.0.0.1", trusting(ca), why), why);
}

static void test_certificates_that_are_not_trusted(void **state)
{
    (void)state;
    char ca[TEMP_DIR_PATH_LEN];
    char why[AMQP_WHY_LEN];
    const struct amqp_link_options system_ca = {.ca_file = NULL};
    assert_int_equal(open_link("elsewhere", "localhost", trusting(ca), why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "hostname mismatch"));
    assert_int_equal(open_link("elsewhere", "127.0.0.1", trusting(ca), why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "IP address mismatch"));
    assert_int_equal(open_link("expired", "localhost", trusting(ca), why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "expired"));
    assert_int_equal(open_link("here", "localhost", system_ca, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "the certificate of localhost:"));
    assert_null(strstr(why, "secret"));
}

static void test_insecure_takes_all(void **state)
{
    (void)state;
    char why[AMQP_WHY_LEN];
    const struct amqp_link_options insecure = {.insecure = true};
    assert_trusted(open_link("elsewhere", "localhost", insecure, why), why);
}

static void test_files_that_can_not_be_used(void **state)
{
    (void)state;
    char ca[TEMP_DIR_PATH_LEN];
    char why[AMQP_WHY_LEN];
    const struct amqp_link_options no_ca = {.ca_file = "/nowhere/ca.pem"};
    assert_int_equal(open_link("here", "localhost", no_ca, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "/nowhere/ca.pem"));
    struct amqp_link_options options = trusting(ca);
    options.certificate_file = "/nowhere/client.pem";
    assert_int_equal(open_link("here", "localhost", options, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "/nowhere/client.pem"));
    options.certificate_file = ca; /* a certificate, with another key than this */
    char key[TEMP_DIR_PATH_LEN];
    temp_dir_path(&dir, "here.key", key);
    options.key_file = key;
    assert_int_equal(open_link("here", "localhost", options, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "here.key"));
}

static void plain(struct fake_peer *peer)
{
    (void)peer_send_raw(peer, "AMQP\0\0\11\1", 8);
}

static void test_no_tls_there(void **state)
{
    (void)state;
    struct fake_broker *broker = fake_broker_new(plain, NULL);
    char url[FAKE_URL_LEN];
    char why[AMQP_WHY_LEN];
    (void)snprintf(url, sizeof(url), "amqps://localhost:%u", fake_broker_port(broker));
    const struct amqp_link_options options = {
        .url = url, .client_name = "test", .clock = clock_system()};
    struct amqp_link *link;
    assert_int_equal(amqp_link_new(&options, &link, why), SB_OK);
    assert_int_equal(amqp_link_open(link), SB_ERR_UNAVAILABLE);
    assert_non_null(strstr(amqp_link_why(link), "no TLS with localhost:"));
    amqp_link_free(link);
    fake_broker_free(broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_for_the_name_or_the_address),
        cmocka_unit_test(test_certificates_that_are_not_trusted),
        cmocka_unit_test(test_insecure_takes_all),
        cmocka_unit_test(test_files_that_can_not_be_used),
        cmocka_unit_test(test_no_tls_there),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
