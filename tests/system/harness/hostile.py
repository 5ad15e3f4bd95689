"""Records that no exporter writes: broken, deep, huge by their own word."""

import os

from harness import otlp


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, body: bytes, claim: int | None = None) -> bytes:
    """A length-delimited field; `claim` lies about its length."""
    return varint(number << 3 | 2) + varint(len(body) if claim is None else claim) + body


def deep_value(levels: int) -> bytes:
    """An AnyValue that holds an array that holds an AnyValue..."""
    value = field(1, b"leaf")
    for _ in range(levels):
        value = field(5, field(1, value))
    return value


def around_span(span: bytes) -> bytes:
    """A request with one encoded span."""
    return field(1, field(2, field(2, span)))


def with_attribute(value: bytes) -> bytes:
    good = otlp.span(os.urandom(16), name="hostile").SerializeToString()
    return around_span(good + field(9, field(1, b"k") + field(2, value)))


GOOD = otlp.small_trace(spans=1).body
UNDECODABLE: dict[str, bytes] = {
    "truncated": GOOD[:-7],
    "random": bytes(range(255, 0, -1)) * 4,
    "text": b"this is no protobuf at all",
    "a claim of 1 GiB": field(1, b"\x00" * 64, claim=1 << 30),
    "a claim of 2^63": field(1, b"\x00" * 64, claim=1 << 63),
    "a varint without end": b"\xff" * 32,
    "a group left open": b"\x0b" * 100,
}
BAD_SPANS: dict[str, bytes] = {
    "a trace id of 15 bytes": around_span(
        otlp.Span(trace_id=b"t" * 15, span_id=b"s" * 8).SerializeToString()),
    "a trace id of zeros": around_span(
        otlp.Span(trace_id=bytes(16), span_id=b"s" * 8).SerializeToString()),
    "no span id": around_span(otlp.Span(trace_id=b"t" * 16).SerializeToString()),
    "a span id of 9 bytes": around_span(
        otlp.Span(trace_id=b"t" * 16, span_id=b"s" * 9).SerializeToString()),
    "20,000 arrays deep": with_attribute(deep_value(20_000)),
    "too many attributes": around_span(
        otlp.span(os.urandom(16)).SerializeToString()
        + field(9, field(1, b"k") + field(2, b"")) * 100_000),
}
