#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets otlp_scan, otlp_json and context beside this file.

Run it again after a change; the same files come out each time.  Inputs that once broke
something are added by hand under names that begin with "found-", and are left alone.
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def fixed64(field, value):
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def fixed32(field, value):
    return varint(field << 3 | 5) + struct.pack("<I", value)


def message(field, *parts):
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def pair(field, key, any_value):
    return message(field, message(1, key), message(2, any_value))


def deep(levels):
    any_value = message(1, b"leaf")
    for _ in range(levels):
        any_value = message(5, message(1, any_value))
    return any_value


def deep_map(levels):
    any_value = number(3, 7)
    for _ in range(levels):
        any_value = message(6, message(1, message(1, b"k"), message(2, any_value)))
    return any_value


IDS = message(1, bytes(range(1, 17))) + message(2, bytes(range(33, 41)))
PLAIN = [
    pair(9, b"messaging.system", message(1, b"kafka")),
    pair(9, b"messaging.message.id", message(1, b"m-1")),
    pair(9, b"messaging.kafka.offset", number(3, 1 << 40)),
    pair(9, b"negative", number(3, -5)),
    pair(9, b"express", number(2, 1)),
    pair(9, b"amount", varint(4 << 3 | 1) + struct.pack("<d", 19.9)),
    pair(9, b"blob", message(7, b"\x00\xff\xfe")),
    pair(9, b"empty", b""),
]
SCALARS = [
    message(3, b"ot=th:8"),
    message(4, bytes(range(65, 73))),
    message(5, b"orders process"),
    number(6, 5),
    fixed64(7, 1760000000000000000),
    fixed64(8, 1760000000012000000),
]
EVENT = message(11, fixed64(1, 5), message(2, b"exception"),
                pair(3, b"e", message(1, b"v")))
LINK = message(13, IDS, message(3, b"a=b"), pair(4, b"l", number(3, 1)), fixed32(6, 0x301))
STATUS = message(15, message(2, b"oops"), number(3, 2))
FLAGS = fixed32(16, 0x301)
RESOURCE = message(1, pair(1, b"service.name", message(1, b"cart")), number(2, 1),
                   message(3, message(2, b"service"), message(3, b"service.name")))
SCOPE = message(1, message(1, b"io.opentelemetry"), message(2, b"1.0"),
                pair(3, b"s", message(1, b"v")))
URL = message(3, b"https://opentelemetry.io/schemas/1.27.0")


def request(*spans, resource=RESOURCE, scope=SCOPE):
    scope_spans = message(2, scope, *[message(2, span) for span in spans], URL)
    return message(1, resource, scope_spans, URL)


FULL = IDS + b"".join(SCALARS + PLAIN) + EVENT + LINK + STATUS + FLAGS

SCAN = {
    "empty": b"",
    "full": request(FULL),
    "two-resources": request(FULL, IDS) + request(IDS),
    "resource-last": message(1, message(2, message(2, IDS), SCOPE), RESOURCE),
    "resource-split": message(1, RESOURCE, message(2, SCOPE, message(2, IDS), URL), URL,
                              message(2, message(2, IDS)), RESOURCE),
    "backwards": request(FLAGS + STATUS + LINK + EVENT
                         + b"".join(reversed(PLAIN + SCALARS)) + IDS),
    "patched": request(FULL + message(1, bytes(16 * [9])) + message(4, bytes(8 * [8]))
                       + fixed32(16, 1)),
    "deep-32": request(IDS + pair(9, b"d", deep(31))),
    "deep-33": request(IDS + pair(9, b"d", deep(32))),
    "deep-300": request(IDS + pair(9, b"d", deep(300))),
    "deep-map": request(IDS + pair(9, b"d", deep_map(31))
                        + message(11, pair(3, b"d", deep_map(3)))),
    "bad-ids": request(message(1, b"short") + message(2, bytes(8)),
                       message(1, bytes(16)) + message(2, b"12345678"),
                       IDS + message(4, b"1234567"), IDS + message(4, b"")),
    "bad-span": request(IDS, IDS + b"\x4a\x7f", FULL),
    "bad-resource": request(IDS, resource=message(1, b"\x0a\x05x")),
    "unknown-fields": number(90, 1) + request(IDS + number(17, 1) + message(500, b"?"),
                                              resource=fixed64(77, 1)),
    "long-tags": request(IDS + b"\xca\x00\x07\x0a\x01a\x12\x02\x18\x01"),
    "long-varints": request(IDS + b"\x30\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
    "groups": request(IDS + b"\x8b\x01\x8c\x01"),
    "huge-claim": b"\x0a\x80\x80\x80\x80\x04" + IDS,
    "empty-spans": message(1, message(2, b"\x12\x00" * 300)),
    "many-attributes": request(IDS + PLAIN[0] * 60),
    "library-spans": message(1, message(1000, message(2, IDS))),
    "not-utf-8": request(IDS + message(5, b"\xff\x00\xc0\x80")
                         + pair(9, b"\xed\xa0\x80", message(1, b"\xff"))),
}

SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "parentSpanId": "eee19b7ec3c1b173",
    "traceState": "ot=th:8",
    "name": "orders process",
    "kind": 5,
    "startTimeUnixNano": "1760000000000000000",
    "endTimeUnixNano": 1760000000012000000,
    "flags": 257,
    "droppedLinksCount": 1,
    "status": {"code": "STATUS_CODE_ERROR", "message": "oops"},
    "attributes": [
        {"key": "s", "value": {"stringValue": "text \"quoted\" \u00f6 \U0001f600"}},
        {"key": "i", "value": {"intValue": "-5"}},
        {"key": "d", "value": {"doubleValue": 1.5}},
        {"key": "n", "value": {"doubleValue": "NaN"}},
        {"key": "b", "value": {"boolValue": False}},
        {"key": "y", "value": {"bytesValue": "Zm9vYg=="}},
        {"key": "a", "value": {"arrayValue": {
            "values": [{"intValue": 1}, {}, {"arrayValue": {}}]}}},
        {"key": "m", "value": {"kvlistValue": {
            "values": [{"key": "k", "value": {"stringValue": ""}}]}}},
        {"key": "e"},
    ],
    "events": [{"timeUnixNano": "5", "name": "exception", "attributes": []}],
    "links": [{"traceId": "5b8efff798038103d269b633813fc60c",
               "spanId": "eee19b7ec3c1b174", "flags": 1}],
}


def json_request(*spans):
    name = {"key": "service.name", "value": {"stringValue": "cart"}}
    return {"resourceSpans": [{
        "resource": {"attributes": [name],
                     "entityRefs": [{"type": "service", "idKeys": ["service.name"]}]},
        "scopeSpans": [{"scope": {"name": "io", "version": "1"}, "spans": list(spans)}],
        "schemaUrl": "url"}]}


def json_deep(levels):
    value = {"intValue": 1}
    for _ in range(levels):
        value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    return json_request({"attributes": [{"key": "k", "value": value}]})


JSON = {
    "empty-object": b"{}",
    "empty": b"",
    "full": json.dumps(json_request(SPAN)).encode(),
    "spaced": json.dumps(json_request({"name": "x", "kind": "SPAN_KIND_CLIENT"}),
                         indent=1).encode(),
    "nulls": b'{"resourceSpans":[{"resource":null,"scopeSpans":[{"spans":[{"name":null}]}]}]}',
    "unknown": b'{"resourceSpans":[{"x":[1,{"y":2}]}],"resource_spans":5}',
    "wrong-types": b'{"resourceSpans":[{"scopeSpans":{}}]}',
    "bad-ids": json.dumps(json_request({"traceId": "01", "spanId": ""},
                                       {"traceId": "zz"})).encode(),
    "numbers": json.dumps(json_request({"startTimeUnixNano": "18446744073709551615",
                                        "flags": 4294967295})).encode(),
    "one-of-many": b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":'
                   b'{"stringValue":"a","intValue":1}}]}}]}',
    "escapes": b'{"resourceSpans":[{"schemaUrl":"\\u0000\\ud83d\\ude00\\n\\""}]}',
    "not-utf-8": b'{"resourceSpans":[{"schemaUrl":"\xff"}]}',
    "deep-20": json.dumps(json_deep(20)).encode(),
    "deep-70": json.dumps(json_deep(70), separators=(",", ":")).encode(),
    "brackets": b"[" * 1000,
    "cut-off": json.dumps(json_request(SPAN)).encode()[:700],
}

PARENT = b"traceparent=00-0123456789abcdef0123456789abcdef-fedcba9876543210-01"
CONTEXT = {
    "empty": b"",
    "plain": PARENT,
    "with-state": PARENT + b"\ntracestate=rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    "state-first": b"TraceState= a=1 , ,b=2\nx=y\nTRACEPARENT" + PARENT[11:],
    "duplicates": PARENT + b"\n" + PARENT.replace(b"fedc", b"0000")
                  + b"\ntracestate=a=1\ntracestate=b=2",
    "version-ff": PARENT.replace(b"00-0", b"ff-0"),
    "version-cc": PARENT.replace(b"00-0", b"cc-0") + b"-more",
    "upper-case": PARENT.replace(b"abcdef", b"ABCDEF"),
    "zero-trace": b"traceparent=00-" + b"0" * 32 + b"-fedcba9876543210-01",
    "short": PARENT[:-1],
    "long": PARENT + b"-",
    "blanks": PARENT.replace(b"=", b"= \t") + b" \t",
    "quoted": b'traceparent="' + PARENT[12:] + b'"',
    "no-value": b"traceparent\ntracestate",
    "many-members": PARENT + b"\ntracestate=" + b",".join(b"k%d=v" % i for i in range(33)),
    "long-members": PARENT + b"\ntracestate="
                    + b",".join(b"k%d=" % i + b"v" * (60 * i) for i in range(1, 5)),
    "tenant": b"tracestate=tenant@system=1,a@b@c=2",
    "bad-state": PARENT + b"\ntracestate=foo=1;bar=2",
}


def write_all(folder, seeds):
    target = HERE / folder
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        if not old.name.startswith("found-"):
            old.unlink()
    for name, content in seeds.items():
        assert len(content) < 4096, name
        (target / name).write_bytes(content)
    assert len(list(target.iterdir())) <= 25


write_all("otlp_scan", SCAN)
write_all("otlp_json", JSON)
write_all("context", CONTEXT)
