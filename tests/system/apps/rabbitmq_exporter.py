"""Exports spans of the OpenTelemetry SDK into a RabbitMQ queue, as OTLP protobuf."""

from collections.abc import Sequence

import pika
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class RabbitMQSpanExporter(SpanExporter):
    """Each batch is one persistent message, confirmed before it counts as exported."""

    def __init__(self, url: str, queue: str) -> None:
        self._url = url
        self._queue = queue

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        body = encode_spans(spans).SerializeToString()
        properties = pika.BasicProperties(
            content_type="application/x-protobuf", delivery_mode=2, headers={})
        # A connection for each batch: exports come from more than one thread.
        with suppress_instrumentation(), pika.BlockingConnection(
                pika.URLParameters(self._url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", self._queue, body, properties, mandatory=True)
        return SpanExportResult.SUCCESS
