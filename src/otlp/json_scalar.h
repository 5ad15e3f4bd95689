/*
 * json_scalar: single JSON values into protobuf fields.
 */
#ifndef SB_OTLP_JSON_SCALAR_H
#define SB_OTLP_JSON_SCALAR_H

#include <jansson.h>
#include <stdbool.h>

#include "backward.h"
#include "json_schema.h"

/* Writes `value` as `field`, which is no message.  False: the value does not fit the field. */
bool json_scalar_put(struct backward *out, const struct schema_field *field,
                     const json_t *value);

#endif
