/*
 * mock_kafka: librdkafka's mock cluster of one broker, for programs beside this one.  Prints its
 * bootstrap address, and ends when its standard input does.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

int main(void)
{
    enum { BROKERS = 1, PARTITIONS = 2 };
    char why[512];
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    rd_kafka_mock_cluster_t *cluster =
        kafka == NULL ? NULL : rd_kafka_mock_cluster_new(kafka, BROKERS);
    if (cluster == NULL) {
        fprintf(stderr, "mock_kafka: no cluster\n");
        return 1;
    }
    rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
    rd_kafka_mock_topic_create(cluster, "orders", PARTITIONS, BROKERS);
    rd_kafka_mock_topic_create(cluster, "otlp_spans", PARTITIONS, BROKERS);
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(kafka);
    return 0;
}
