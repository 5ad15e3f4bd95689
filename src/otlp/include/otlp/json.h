/*
 * json: OTLP in its JSON form, turned into the protobuf form that the rest of the bridge
 * reads.  Ids are hex, enums are integers (names are accepted too), 64-bit integers are
 * strings or numbers, field names are lowerCamelCase, unknown fields are ignored.
 *
 * Source: the OTLP specification, section JSON Protobuf Encoding.
 */
#ifndef SB_OTLP_JSON_H
#define SB_OTLP_JSON_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"
#include "otlp/scan.h"

/*
 * Appends the encoded ExportTraceServiceRequest to `ret`.  *ret_fault: NONE, JSON (no JSON, or
 * no request), TOO_DEEP (the text as a whole), RECORD_TOO_LARGE (bytes, or more objects than
 * honest requests have; or the cap of ret, whose error is then set).  Memory is bounded before
 * the text is parsed: 24 times its length and 32 MiB, whatever it is.
 * Limits of spans are the scan's business.  64-bit numbers above 2^63-1 must be strings.
 * SB_ERR_MEMORY leaves the record to be tried again.
 */
enum sb_err otlp_json_decode(struct bytes json, const struct otlp_limits *limits,
                             struct text *ret, enum otlp_fault *ret_fault) SB_MUST_USE;

/*
 * The other way, one request as one line of OTLP JSON without the line's end.  For tests and
 * fuzz targets: what was decoded must come back when it is encoded and decoded again.  Unknown
 * fields are left out, and what is no UTF-8 becomes U+FFFD.
 * SB_ERR_INPUT: malformed; SB_ERR_LIMIT: nested deeper than OTLP_DEPTH_MAX, or ret's cap;
 * SB_ERR_MEMORY.
 */
enum sb_err otlp_json_encode(struct bytes request, struct text *ret) SB_MUST_USE;

#endif
