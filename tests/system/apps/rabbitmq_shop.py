"""The shop of shop.py on RabbitMQ: `checkout` sends orders to `billing`, with pika.

    rabbitmq_shop.py checkout|billing --url AMQP_URL --orders N [--lose-context] ...

Both sides carry the current instrumentation of pika: one order is two `send` spans, one within
the other, of which the inner one is in the header, and one `receive` span.  With --lose-context
the trace's context does not pass this side of the queue: checkout writes no header, or billing
does not read it.

Spans go where one of these says: --span-topic with --bootstrap (Kafka), --otlp (OTLP over HTTP),
--span-queue (a queue of the same broker).  Queues and exchanges must be there.  Prints the trace
id in which each order was handled, as a JSON object by order number.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Iterator

import pika
from kafka_exporter import KafkaSpanExporter, provider_of
from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.pika import PikaInstrumentor
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import SpanKind
from pika.adapters.blocking_connection import BlockingChannel
from rabbitmq_exporter import RabbitMQSpanExporter


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["checkout", "billing"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--lose-context", action="store_true")
    parser.add_argument("--queue", default="orders", help="where billing reads")
    parser.add_argument("--exchange", default="", help="where checkout sends")
    parser.add_argument("--routing-key", default="orders")
    parser.add_argument("--message-id", action="store_true", help="give each message an id")
    parser.add_argument("--style", choices=["callback", "generator"], default="callback",
                        help="how billing reads: the instrumentation's spans differ")
    parser.add_argument("--stream-offset", help="the queue is a stream: where billing starts")
    spans = parser.add_mutually_exclusive_group(required=True)
    spans.add_argument("--span-topic")
    spans.add_argument("--span-queue")
    spans.add_argument("--otlp", help="base URL")
    parser.add_argument("--bootstrap", help="Kafka's, for --span-topic")
    options = parser.parse_args()

    tracers = provider_of(options.role, exporter(options))
    trace.set_tracer_provider(tracers)
    if options.lose_context:
        propagate.set_global_textmap(W3CBaggagePropagator())
    PikaInstrumentor().instrument()
    with pika.BlockingConnection(pika.URLParameters(options.url)) as connection:
        work = checkout if options.role == "checkout" else billing
        trace_ids = work(options, connection.channel())
    tracers.shutdown()
    json.dump(trace_ids, sys.stdout)


def exporter(options: argparse.Namespace) -> SpanExporter:
    if options.otlp:
        return OTLPSpanExporter(endpoint=f"{options.otlp}/v1/traces")
    if options.span_queue:
        return RabbitMQSpanExporter(options.url, options.span_queue)
    return KafkaSpanExporter(options.bootstrap, options.span_topic)


def current_trace_id() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


def checkout(options: argparse.Namespace, channel: BlockingChannel) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    channel.confirm_delivery()
    trace_ids = {}
    for number in range(options.orders):
        with tracer.start_as_current_span("POST /checkout", kind=SpanKind.SERVER):
            trace_ids[str(number)] = current_trace_id()
            with tracer.start_as_current_span("reserve stock"):
                pass
            properties = pika.BasicProperties(
                delivery_mode=2, message_id=str(uuid.uuid4()) if options.message_id else None)
            channel.basic_publish(options.exchange, options.routing_key,
                                  json.dumps({"order": number}).encode(), properties,
                                  mandatory=True)
    return trace_ids


def billing(options: argparse.Namespace, channel: BlockingChannel) -> dict[str, str]:
    tracer = trace.get_tracer("shop")
    trace_ids: dict[str, str] = {}

    def charge(body: bytes) -> bool:
        """Handles one order; whether it was the last."""
        with tracer.start_as_current_span("charge card"):
            trace_ids[str(json.loads(body)["order"])] = current_trace_id()
        return len(trace_ids) == options.orders

    channel.basic_qos(prefetch_count=10)
    arguments = {"x-stream-offset": options.stream_offset} if options.stream_offset else None
    if options.style == "callback":
        def handle(_channel: object, method: pika.spec.Basic.Deliver, _properties: object,
                   body: bytes) -> None:
            last = charge(body)
            channel.basic_ack(method.delivery_tag)
            if last:
                channel.stop_consuming()

        channel.basic_consume(options.queue, handle, arguments=arguments)
        channel.start_consuming()
    else:
        for tag, body in deliveries(channel, options.queue, arguments):
            # The instrumentation's span has ended by now, and is still the current one.
            last = charge(body)
            channel.basic_ack(tag)
            if last:
                break
    return trace_ids


def deliveries(channel: BlockingChannel, queue: str,
               arguments: dict[str, object] | None) -> Iterator[tuple[int, bytes]]:
    for method, _properties, body in channel.consume(queue, arguments=arguments):
        yield method.delivery_tag, body


if __name__ == "__main__":
    main()
