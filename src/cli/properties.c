#include "properties.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

bool properties_check(const char *name, const char *value, char why[CONFIG_WHY_LEN])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (conf == NULL) {
        snprintf(why, CONFIG_WHY_LEN, "out of memory");
        return false;
    }
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, why, CONFIG_WHY_LEN);
    rd_kafka_conf_destroy(conf);
    return result == RD_KAFKA_CONF_OK;
}
