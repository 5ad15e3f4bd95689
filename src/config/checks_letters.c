/* checks: where dead letters go. */
#include <stdio.h>
#include <string.h>

#include "checks.h"

void checks_letters(struct loader *loader, const struct settings_errors *errors,
                    struct place at)
{
    bool queue = origin_find(loader->private, &errors->deadletterqueue) != NULL;
    bool exchange = origin_find(loader->private, &errors->deadletterexchange) != NULL;
    bool key = origin_find(loader->private, &errors->deadletterkey) != NULL;
    struct place exchange_at = origin_place(loader, &errors->deadletterexchange, at);
    struct place key_at = origin_place(loader, &errors->deadletterkey, at);
    if (queue && errors->deadletterqueue != NULL)
        checks_topic_name(loader, errors->deadletterqueue, "a dead-letter topic",
                          origin_place(loader, &errors->deadletterqueue, at));
    if (queue && exchange) {
        report_error(loader->report, exchange_at,
                     "errors has a deadletterqueue and a deadletterexchange");
        report_help(loader->report, "a Kafka topic or a RabbitMQ exchange: keep one of them");
    }
    if (exchange)
        checks_amqp_name(loader, errors->deadletterexchange, "errors.deadletterexchange",
                         exchange_at);
    if (key)
        checks_amqp_name(loader, errors->deadletterkey, "errors.deadletterkey", key_at);
    if (key && !exchange && errors->deadletterexchange == NULL) {
        report_error(loader->report, key_at,
                     "errors.deadletterkey without errors.deadletterexchange");
        report_help(loader->report, "\"\" is the default exchange, where the key is the name "
                                    "of a queue");
    }
    bool nowhere = errors->deadletterexchange != NULL && errors->deadletterkey != NULL &&
                   errors->deadletterexchange[0] == '\0' && errors->deadletterkey[0] == '\0';
    if ((key || exchange) && nowhere) {
        report_error(loader->report, key ? key_at : exchange_at,
                     "errors.deadletterkey is empty, and no queue is called so");
        report_help(loader->report, "at the default exchange the key is the name of a queue");
    }
}
