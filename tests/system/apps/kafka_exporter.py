"""Exports spans of the OpenTelemetry SDK into a Kafka topic, as OTLP protobuf."""

from collections.abc import Sequence

import confluent_kafka
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

# Taken before any instrumentation replaces it: the exporter's own sends are not to be traced.
_Producer = confluent_kafka.Producer


class KafkaSpanExporter(SpanExporter):
    def __init__(self, bootstrap: str, topic: str, encode=None) -> None:
        self._producer = _Producer({"bootstrap.servers": bootstrap})
        self._topic = topic
        self._encode = encode or (lambda body: body)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._producer.produce(self._topic, self._encode(encode_spans(spans).SerializeToString()))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        if self._producer.flush(30):
            raise RuntimeError("spans were not delivered to Kafka")


def provider(service: str, bootstrap: str, topic: str, encode=None) -> TracerProvider:
    return provider_of(service, KafkaSpanExporter(bootstrap, topic, encode))


def provider_of(service: str, exporter: SpanExporter) -> TracerProvider:
    made = TracerProvider(resource=Resource.create({"service.name": service}))
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made
