"""A small shop on the OpenTelemetry SDK: `checkout` sends orders through Kafka to `billing`.

    shop.py checkout|billing --bootstrap HOST:PORT --orders N [--style STYLE] [--json]

Both sides must be given the same style.  What reaches the other side of the queue:

- instrumented: the current instrumentation of confluent-kafka on both sides.  Set
  OTEL_PROPAGATORS=baggage on one of them and that side's propagation is lost.
- coordinate: spans as a Java agent writes them, with topic, partition and offset on both
  sides, and nothing in the record's headers.

Spans go to Kafka too, into the topic otlp_spans.  Prints the trace id in which each order was
handled, as a JSON object by order number.
"""

import argparse
import json
import sys
import threading

import confluent_kafka
from kafka_exporter import provider
from opentelemetry import trace
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor
from opentelemetry.trace import SpanKind

TOPIC = "orders"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["checkout", "billing"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--style", choices=["instrumented", "coordinate"], default="instrumented")
    parser.add_argument("--span-topic", default="otlp_spans")
    parser.add_argument("--json", action="store_true", help="export spans as OTLP JSON")
    options = parser.parse_args()

    encode = None
    if options.json:
        from harness.otlp import as_json as encode
    tracers = provider(options.role, options.bootstrap, options.span_topic, encode)
    trace.set_tracer_provider(tracers)
    if options.style == "instrumented":
        ConfluentKafkaInstrumentor().instrument()
    trace_ids = checkout(options) if options.role == "checkout" else billing(options)
    tracers.shutdown()
    json.dump(trace_ids, sys.stdout)


def current_trace_id() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


def checkout(options: argparse.Namespace) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    producer = confluent_kafka.Producer({"bootstrap.servers": options.bootstrap})
    trace_ids = {}
    for number in range(options.orders):
        with tracer.start_as_current_span("POST /checkout", kind=SpanKind.SERVER):
            trace_ids[str(number)] = current_trace_id()
            with tracer.start_as_current_span("reserve stock"):
                pass
            if options.style == "coordinate":
                send_with_coordinate(tracer, producer, number)
            else:
                producer.produce(TOPIC, key=str(number), value=b"{}")
                producer.flush(30)
    return trace_ids


def send_with_coordinate(tracer: trace.Tracer, producer: confluent_kafka.Producer,
                         number: int) -> None:
    placed: list[confluent_kafka.Message] = []
    with tracer.start_as_current_span(f"{TOPIC} publish", kind=SpanKind.PRODUCER) as span:
        done = threading.Event()

        def delivered(error: object, message: confluent_kafka.Message) -> None:
            assert error is None, error
            placed.append(message)
            done.set()

        producer.produce(TOPIC, key=str(number), value=b"{}", on_delivery=delivered)
        while not done.is_set():
            producer.poll(1)
        set_coordinate(span, "publish", placed[0])


def billing(options: argparse.Namespace) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": options.bootstrap, "group.id": "billing",
        "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    trace_ids: dict[str, str] = {}
    while len(trace_ids) < options.orders:
        message = consumer.poll(1)
        if message is None or message.error():
            continue
        if options.style == "coordinate":
            with tracer.start_as_current_span(f"{TOPIC} process", kind=SpanKind.CONSUMER) as span:
                set_coordinate(span, "process", message)
                span.set_attribute("messaging.kafka.consumer.group", "billing")
                trace_ids[message.key().decode()] = charge(tracer)
        else:
            # The instrumentation holds its span open until the next poll.
            trace_ids[message.key().decode()] = charge(tracer)
    consumer.close()
    return trace_ids


def charge(tracer: trace.Tracer) -> str:
    with tracer.start_as_current_span("charge card"):
        return current_trace_id()


def set_coordinate(span: trace.Span, operation: str, message: confluent_kafka.Message) -> None:
    span.set_attributes({
        "messaging.system": "kafka",
        "messaging.operation": operation,
        "messaging.destination.name": message.topic(),
        "messaging.destination.partition.id": str(message.partition()),
        "messaging.kafka.message.offset": message.offset(),
    })


if __name__ == "__main__":
    main()
