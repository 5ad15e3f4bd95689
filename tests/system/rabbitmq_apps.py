"""The applications on RabbitMQ trace, and lose their context, as the tests of the bridge expect."""

import unittest

from harness import env, otlp, shop
from harness.kafka import Kafka
from harness.rabbitmq import CLASSIC, QUORUM, STREAM, RabbitMQ
from harness.receiver import Receiver
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ORDERS = 3


class RabbitMQApps(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.broker = RabbitMQ(cls.base / "rabbitmq").start()
        cls.addClassCleanup(cls.broker.kill)

    def setUp(self) -> None:
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.queue = self._testMethodName

    def shop(self, role: str, *options: str) -> dict[str, str]:
        """Runs one of the applications to its end; the trace id it saw for each order."""
        if not {"--span-queue", "--span-topic"}.intersection(options):
            options += ("--otlp", self.receiver.url)
        traces = shop.run("rabbitmq_shop.py", role, "--url", self.broker.url,
                          "--orders", str(ORDERS), "--queue", self.queue,
                          "--routing-key", self.queue, *options)
        self.assertEqual(ORDERS, len(set(traces.values())))
        return traces

    def by_kind(self, kind: int) -> list[Span]:
        found = [span for span in self.receiver.spans() if span.kind == kind]
        # pika's channel sends through a channel within it, and the instrumentation sees both.
        self.assertEqual(2 * ORDERS if kind == otlp.PRODUCER else ORDERS, len(found))
        return found

    def message_ids(self, kind: int) -> set[object]:
        return {otlp.attributes_of(span).get("messaging.message.id")
                for span in self.by_kind(kind)}

    def test_context_passes(self) -> None:
        for kind, more in ((CLASSIC, []), (QUORUM, ["--style", "generator"]),
                           (STREAM, ["--stream-offset", "first"])):
            with self.subTest(kind):
                self.queue = f"{self._testMethodName}.{kind}"
                self.broker.declare(self.queue, kind)
                sent = self.shop("checkout")
                self.assertEqual(sent, self.shop("billing", *more))
        for span in self.receiver.spans():
            if span.kind == otlp.CONSUMER:
                self.assertTrue(span.parent_span_id)

    def test_lost_at_the_producer(self) -> None:
        self.broker.declare(self.queue)
        sent = self.shop("checkout", "--lose-context", "--message-id")
        [message] = self.broker.consume(self.queue, 1, ack=False)
        self.assertEqual({}, message.headers)
        seen = self.shop("billing")
        self.assertFalse(set(sent.values()) & set(seen.values()))
        self.assertEqual(self.message_ids(otlp.PRODUCER), self.message_ids(otlp.CONSUMER))
        self.assertEqual(ORDERS, len(self.message_ids(otlp.PRODUCER)))

    def test_lost_at_the_consumer(self) -> None:
        self.broker.declare(self.queue)
        self.broker.declare_exchange("shop", "topic", bind={self.queue: self.queue})
        sent = self.shop("checkout", "--exchange", "shop")
        messages = self.broker.consume(self.queue, ORDERS, ack=False)
        self.assertEqual(set(sent.values()),
                         {message.headers["traceparent"].split("-")[1] for message in messages})
        seen = self.shop("billing", "--lose-context")
        self.assertFalse(set(sent.values()) & set(seen.values()))
        self.assertFalse([span for span in self.by_kind(otlp.CONSUMER) if span.parent_span_id])
        self.assertEqual({None}, self.message_ids(otlp.CONSUMER))
        self.assertEqual({"shop"}, {otlp.attributes_of(span)["messaging.destination"]
                                    for span in self.by_kind(otlp.CONSUMER)})

    def test_spans_into_a_queue(self) -> None:
        self.broker.declare(self.queue)
        self.broker.declare("otlp_spans")
        self.shop("checkout", "--span-queue", "otlp_spans")
        spans = []
        for message in self.broker.consume("otlp_spans", self.broker.depth("otlp_spans")):
            self.assertEqual({}, message.headers, "the export itself is traced")
            spans += otlp.spans_of(message.body)
        self.assertEqual(4 * ORDERS, len(spans))

    def test_spans_into_kafka(self) -> None:
        kafka = Kafka(self.folder / "kafka").start()
        self.addCleanup(kafka.kill)
        kafka.create_topics("otlp_spans")
        self.broker.declare(self.queue)
        to_kafka = ["--span-topic", "otlp_spans", "--bootstrap", kafka.bootstrap]
        self.shop("checkout", *to_kafka)
        self.shop("billing", "--lose-context", *to_kafka)
        spans = [span for record in kafka.read_all("otlp_spans")
                 for span in otlp.spans_of(record.value())]
        self.assertEqual(4 * ORDERS + 2 * ORDERS, len(spans))
        self.assertEqual(2 * ORDERS, len({span.trace_id for span in spans}))


if __name__ == "__main__":
    unittest.main()
