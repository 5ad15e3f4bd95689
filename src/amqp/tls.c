#include "tls.h"

#include <amqp_ssl_socket.h>
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "reply.h"

/* Called for each certificate of the broker's chain, and again for each fault. */
static int on_certificate(int good, X509_STORE_CTX *store)
{
    if (good)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct amqp_link *link = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    (void)snprintf(link->certificate_why, sizeof(link->certificate_why), "%s",
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    return 0;
}

static bool expect_host(SSL_CTX *context, const char *host)
{
    X509_VERIFY_PARAM *expected = SSL_CTX_get0_param(context);
    struct in6_addr address;
    bool is_address =
        inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return (is_address ? X509_VERIFY_PARAM_set1_ip_asc(expected, host)
                       : X509_VERIFY_PARAM_set1_host(expected, host, 0)) == 1;
}

static enum sb_err use_files(struct amqp_link *link, SSL_CTX *context)
{
    const struct amqp_link_options *options = &link->options;
    bool good = options->ca_file != NULL
                    ? SSL_CTX_load_verify_locations(context, options->ca_file, NULL) == 1
                    : SSL_CTX_set_default_verify_paths(context) == 1;
    if (!good)
        return reply_fail(link, SB_ERR_CONFIG, "the file of authorities %s can not be used",
                          options->ca_file == NULL ? "of the system" : options->ca_file);
    const char *certificate = options->certificate_file;
    if (certificate == NULL)
        return SB_OK;
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return reply_fail(link, SB_ERR_CONFIG, "the certificate %s can not be used",
                          certificate);
    const char *key = options->key_file != NULL ? options->key_file : certificate;
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return reply_fail(link, SB_ERR_CONFIG, "the key %s can not be used with %s", key,
                          certificate);
    return SB_OK;
}

enum sb_err tls_prepare(struct amqp_link *link, amqp_socket_t *socket)
{
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    link->certificate_why[0] = '\0';
    amqp_ssl_socket_set_verify_peer(socket, 0);
    amqp_ssl_socket_set_verify_hostname(socket, 0);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, 0) != 1 || !SSL_CTX_set_app_data(context, link))
        return reply_fail(link, SB_ERR_INTERNAL, "OpenSSL does not take TLS 1.2");
    if (!link->options.insecure) {
        if (!expect_host(context, link->url.host))
            return reply_fail(link, SB_ERR_MEMORY, "no memory for TLS");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_certificate);
    }
    return use_files(link, context);
}
