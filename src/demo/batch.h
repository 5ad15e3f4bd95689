/*
 * batch: collects spans as the exporters of real services do: one batch for each service and
 * language, spans of many traces mixed, about fifty spans a record.  One thread.
 */
#ifndef SB_DEMO_BATCH_H
#define SB_DEMO_BATCH_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "encode.h"
#include "shop.h"

enum { BATCH_SPANS = 50 };

/* Takes one ExportTraceServiceRequest of a service; the bytes hold until it returns. */
typedef enum sb_err (*batch_fn)(void *arg, enum shop_service service, struct bytes request,
                                uint32_t spans);

struct batch_set;

enum sb_err batch_set_new(batch_fn on_batch, void *arg, struct batch_set **ret) SB_MUST_USE;
void batch_set_free(struct batch_set *set); /* what it still holds is lost */

/* Adds all spans of a checkout; batches that are full go out.  SB_ERR_MEMORY, or of on_batch. */
enum sb_err batch_set_add(struct batch_set *set, const struct encode_world *world,
                          const struct shop_checkout *checkout) SB_MUST_USE;

/* Sends what is there, as an exporter does after its delay. */
enum sb_err batch_set_flush(struct batch_set *set) SB_MUST_USE;

#endif
