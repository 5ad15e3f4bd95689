#include "version.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <jansson.h>
#include <libconfig.h>
#include <librdkafka/rdkafka.h>
#include <lz4.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { LIBRARIES_MAX = 16, VERSION_LEN = 64 };

struct library {
    const char *name;
    char version[VERSION_LEN];
};

struct libraries {
    struct library items[LIBRARIES_MAX];
    unsigned count;
};

static void add(struct libraries *libraries, const char *name, const char *version)
{
    if (version == NULL || libraries->count == LIBRARIES_MAX)
        return;
    struct library *library = &libraries->items[libraries->count++];
    library->name = name;
    snprintf(library->version, sizeof(library->version), "%s", version);
}

/* "10.42 2022-12-11": the date is not of the version. */
static void add_pcre2(struct libraries *libraries)
{
    char version[VERSION_LEN] = "";
    pcre2_config(PCRE2_CONFIG_VERSION, version);
    version[strcspn(version, " ")] = '\0';
    add(libraries, "pcre2", version);
}

static void collect(struct libraries *libraries)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    /* These two can not tell at run time: one has no function, the other is inlined, and
     * librdkafka brings an older one of the same name. */
    char libconfig[VERSION_LEN];
    char xxhash[VERSION_LEN];
    snprintf(libconfig, sizeof(libconfig), "%d.%d.%d", LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
             LIBCONFIG_VER_REVISION);
    snprintf(xxhash, sizeof(xxhash), "%d.%d.%d", XXH_VERSION_MAJOR, XXH_VERSION_MINOR,
             XXH_VERSION_RELEASE);
    add(libraries, "librdkafka", rd_kafka_version_str());
    add(libraries, "libevent", event_get_version());
    add(libraries, "libconfig", libconfig);
    add(libraries, "libcurl", curl->version);
    add(libraries, "nghttp2", curl->age >= CURLVERSION_SIXTH ? curl->nghttp2_version : NULL);
    add(libraries, "jansson", jansson_version_str());
    add(libraries, "zlib", zlibVersion());
    add(libraries, "zstd", ZSTD_versionString());
    add(libraries, "lz4", LZ4_versionString());
    add(libraries, "xxhash", xxhash);
    add_pcre2(libraries);
    add(libraries, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
}

void version_append(struct text *out, bool json)
{
    struct libraries libraries = {.count = 0};
    collect(&libraries);
    text_printf(out, json ? "{\"spanbridge\":\"%s\",\"libraries\":{" : "spanbridge %s\n",
                SPANBRIDGE_VERSION);
    for (unsigned i = 0; i < libraries.count; i++) {
        const struct library *library = &libraries.items[i];
        if (json)
            text_printf(out, "%s\"%s\":\"%s\"", i == 0 ? "" : ",", library->name,
                        library->version);
        else
            text_printf(out, "  %-11s %s\n", library->name, library->version);
    }
    text_append_text(out, json ? "}}\n" : "");
}
