"""Spans as OTLP: made for a test, and read back."""

import base64
import dataclasses
import json
import os
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

INTERNAL, SERVER, CLIENT = Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
PRODUCER, CONSUMER = Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER


@dataclasses.dataclass(frozen=True)
class Made:
    """A request and the ids of the spans in it."""

    body: bytes
    trace_id: bytes
    span_ids: list[bytes]


def request(service: str, spans: list[Span],
            library: str = "spanbridge.test") -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    attribute = group.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", service
    scope = group.scope_spans.add()
    scope.scope.name = library
    scope.spans.extend(spans)
    return made


def span(trace_id: bytes, parent: bytes = b"", name: str = "work", kind: int = INTERNAL,
         error: bool = False, **attributes: str | int) -> Span:
    """A span of 5 ms that ended just now, with an id of its own."""
    now = time.time_ns()
    made = Span(trace_id=trace_id, span_id=os.urandom(8), parent_span_id=parent, name=name,
                kind=kind, start_time_unix_nano=now - 5_000_000, end_time_unix_nano=now)
    if error:
        made.status.code = Status.STATUS_CODE_ERROR
    for key, value in attributes.items():
        attribute = made.attributes.add()
        attribute.key = key.replace("__", ".")
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value
    return made


def small_trace(service: str = "checkout", spans: int = 3) -> Made:
    """A root and its children, in one request."""
    trace_id = os.urandom(16)
    root = span(trace_id, name="root", kind=SERVER)
    all_spans = [root] + [span(trace_id, root.span_id) for _ in range(spans - 1)]
    return Made(request(service, all_spans).SerializeToString(), trace_id,
                [s.span_id for s in all_spans])


def split_trace(service: str = "checkout", spans: int = 4) -> tuple[list[bytes], list[bytes]]:
    """A trace whose every span is a request of its own: (bodies, span ids)."""
    trace_id = os.urandom(16)
    root = span(trace_id, name="root", kind=SERVER)
    all_spans = [root] + [span(trace_id, root.span_id) for _ in range(spans - 1)]
    return ([request(service, [s]).SerializeToString() for s in all_spans],
            [s.span_id for s in all_spans])


def as_json(body: bytes) -> bytes:
    """The request in OTLP's JSON encoding: ids in hex, enums as numbers."""
    parsed = ExportTraceServiceRequest.FromString(body)
    tree = json_format.MessageToDict(parsed, use_integers_for_enums=True)
    for group in tree["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for one in scope["spans"]:
                for holder in (one, *one.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = base64.b64decode(holder[key]).hex()
    return json.dumps(tree).encode()


def spans_of(body: bytes) -> list[Span]:
    parsed = ExportTraceServiceRequest.FromString(body)
    return [one for group in parsed.resource_spans for scope in group.scope_spans
            for one in scope.spans]


def attributes_of(one: Span) -> dict[str, str | int | bool | float]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value")
            for a in one.attributes}
