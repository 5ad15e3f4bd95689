"""The middle and the end of a checkout that crosses both brokers; shop.py is its beginning.

    crossing_shop.py billing|shipping --bootstrap HOST:PORT --url AMQP_URL --orders N ...

`billing` reads orders from Kafka and sends each on to `shipping` through RabbitMQ, with the
current instrumentation of both clients.  The trace's context is lost twice on its way: billing
puts it into what it sends, and never reads it; shipping reads it, and begins a trace of its own
that only links there, as Java's receive telemetry and others do.

Spans go into a Kafka topic (--span-topic) or a queue (--span-queue).  Prints the trace id in
which each order was handled, as a JSON object by order number.
"""

import argparse
import json
import sys

import confluent_kafka
import pika
from kafka_exporter import KafkaSpanExporter, provider_of
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor
from opentelemetry.instrumentation.pika import PikaInstrumentor
from opentelemetry.propagators.textmap import CarrierT, Getter, default_getter
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pika.adapters.blocking_connection import BlockingChannel
from rabbitmq_exporter import RabbitMQSpanExporter
from shop import TOPIC, charge, current_trace_id

QUEUE = "parcels"


class InjectOnly(TraceContextTextMapPropagator):
    """As an application is whose consumer was left out when tracing was set up."""

    def extract(self, carrier: CarrierT, context: Context | None = None,
                getter: Getter[CarrierT] = default_getter) -> Context:
        return Context() if context is None else context


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["billing", "shipping"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    spans = parser.add_mutually_exclusive_group(required=True)
    spans.add_argument("--span-topic")
    spans.add_argument("--span-queue")
    options = parser.parse_args()

    tracers = provider_of(options.role, exporter(options))
    trace.set_tracer_provider(tracers)
    work = billing if options.role == "billing" else shipping
    if options.role == "billing":
        propagate.set_global_textmap(InjectOnly())
        ConfluentKafkaInstrumentor().instrument()
        PikaInstrumentor().instrument()
    with pika.BlockingConnection(pika.URLParameters(options.url)) as connection:
        trace_ids = work(options, connection.channel())
    tracers.shutdown()
    json.dump(trace_ids, sys.stdout)


def exporter(options: argparse.Namespace) -> SpanExporter:
    if options.span_queue:
        return RabbitMQSpanExporter(options.url, options.span_queue)
    return KafkaSpanExporter(options.bootstrap, options.span_topic)


def billing(options: argparse.Namespace, channel: BlockingChannel) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    channel.confirm_delivery()
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": options.bootstrap, "group.id": "billing",
        "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    trace_ids: dict[str, str] = {}
    while len(trace_ids) < options.orders:
        message = consumer.poll(1)
        if message is None or message.error():
            continue
        # The instrumentation holds its span open until the next poll.
        order = message.key().decode()
        trace_ids[order] = charge(tracer)
        channel.basic_publish("", QUEUE, json.dumps({"order": order}).encode(),
                              pika.BasicProperties(delivery_mode=2), mandatory=True)
    consumer.close()
    return trace_ids


def shipping(options: argparse.Namespace, channel: BlockingChannel) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    trace_ids: dict[str, str] = {}
    for method, properties, body in channel.consume(QUEUE):
        sent = trace.get_current_span(propagate.extract(properties.headers or {}))
        with tracer.start_as_current_span(
                f"{QUEUE} process", context=Context(), kind=SpanKind.CONSUMER,
                links=[Link(sent.get_span_context())], attributes={
                    "messaging.system": "rabbitmq", "messaging.operation.type": "process",
                    "messaging.destination.name": QUEUE}):
            with tracer.start_as_current_span("pack parcel"):
                trace_ids[json.loads(body)["order"]] = current_trace_id()
        channel.basic_ack(method.delivery_tag)
        if len(trace_ids) == options.orders:
            break
    return trace_ids


if __name__ == "__main__":
    main()
