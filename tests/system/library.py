"""The C examples of libspanbridge against real brokers, and their spans through spanbridge."""

import json
import pathlib
import subprocess
import unittest

from harness import amqp, bridge, env
from harness.kafka import Kafka
from harness.rabbitmq import RabbitMQ
from harness.receiver import Receiver

UPPER = b"00-0123456789ABCDEF0123456789ABCDEF-1111111111111111-01"
GOOD = b"00-0123456789abcdef0123456789abcdef-1111111111111111-01"


def span_of(line: bytes) -> dict:
    return json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


class Library(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.rabbitmq = RabbitMQ(cls.base / "rabbitmq").start()
        cls.addClassCleanup(cls.rabbitmq.kill)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName  # of RabbitMQ it is a queue

    def example(self, name: str, *arguments: str) -> tuple[list[bytes], str]:
        """The spans it prints, and what it says on stderr."""
        program = pathlib.Path(env.binary()).parent / "tests" / "library" / f"example_{name}"
        broker = self.rabbitmq.url if name.startswith("amqp") else self.kafka.bootstrap
        done = subprocess.run([str(program), broker, self.topic, *arguments],
                              capture_output=True, timeout=2 * env.PATIENCE_S)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.splitlines(), done.stderr.decode()

    def check_one_trace(self, sent: list[bytes], processed: list[bytes]) -> None:
        """The context has passed; spanbridge takes both spans, and sends them on as they are."""
        first, second = span_of(sent[0]), span_of(processed[0])
        self.assertEqual(first["traceId"], second["traceId"])
        self.assertEqual(first["spanId"], second["parentSpanId"])

        spans = f"{self.topic}.spans"
        self.kafka.create_topics(spans)
        self.kafka.produce(spans, sent + processed)
        made = bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [bridge.otlp_http(self.receiver.url)], group=spans)
        report = made.spans(spans, "otlp_json").drain()
        self.assertEqual((2, {}), (report["exported"], report.repairs()))
        self.assertLessEqual({bytes.fromhex(span["spanId"]) for span in (first, second)},
                             self.receiver.span_ids())

    def check_said(self, reasons: list[str], name: str) -> None:
        """Of as many messages and a last good one: each reason is said, the good one is taken."""
        spans, said = self.example(name, str(len(reasons) + 1))
        self.assertEqual(reasons, [line.split(": ")[-1] for line in said.splitlines()])
        self.assertEqual(len(reasons) + 1, len({span_of(span)["traceId"] for span in spans}))
        last = span_of(spans[-1])
        self.assertEqual("1111111111111111", last["parentSpanId"])
        self.assertEqual("0123456789abcdef" * 2, last["traceId"])

    def test_through_kafka(self) -> None:
        self.kafka.create_topics(self.topic)
        sent, _ = self.example("kafka_producer")
        processed, said = self.example("kafka_consumer")
        self.assertEqual("", said)
        self.check_one_trace(sent, processed)

    def test_through_rabbitmq(self) -> None:
        """Its own header stays beside the context; the message is acked."""
        sent, said = self.example("amqp_producer")
        [message] = self.rabbitmq.consume(self.topic, 1, ack=False)
        first = span_of(sent[0])
        self.assertEqual(7, message.headers.pop("order"))
        [(name, value)] = message.headers.items()
        self.assertEqual(("traceparent", ["00", first["traceId"], first["spanId"]]),
                         (name, value.split("-")[:3]))
        processed, also_said = self.example("amqp_consumer")
        self.assertEqual("", said + also_said)
        self.assertEqual((0, 0), self.rabbitmq.counts(self.topic))
        self.check_one_trace(sent, processed)

    def test_headers_of_others_in_kafka(self) -> None:
        """Missing, malformed and doubled: a reason is said, and the last valid one is taken."""
        self.kafka.create_topics(self.topic)
        for headers in ([], [("traceparent", None)], [("traceparent", UPPER)],
                        [("traceparent", b"\0\1\2")],
                        [("Traceparent", GOOD), ("traceparent", UPPER), ("other", b"\xff")]):
            self.send(headers)
        self.check_said(["no context", "header without a value", "upper-case digits",
                         "wrong length"], "kafka_consumer")

    def send(self, headers: list[tuple[str, bytes | None]]) -> None:
        producer = self.kafka.producer()
        producer.produce(self.topic, b"order", headers=headers)
        self.assertEqual(0, producer.flush(env.PATIENCE_S))

    def test_headers_of_others_in_rabbitmq(self) -> None:
        """The same, and values of every type; a byte array is text as well.

        An empty key is left out: librabbitmq 0.11 can not decode it, and its consumer ends.
        """
        self.rabbitmq.declare(self.topic)
        reasons = ["no context", "upper-case digits"]
        tables = [b"", self.traceparent(b"S", amqp.long_string(UPPER))]
        for kind, value in amqp.every_kind(b"\0\1\2").items():
            tables.append(self.traceparent(kind, value))
            reasons.append({b"S": "wrong length", b"x": "wrong length",
                            b"V": "header without a value"}.get(kind, "header value is not text"))
        tables.append(self.traceparent(b"x", amqp.long_string(GOOD)) + amqp.deep_table(18_000))
        for table in tables:
            self.rabbitmq.publish_table(self.topic, b"order", table)
        self.check_said(reasons, "amqp_consumer")
        self.assertEqual((0, 0), self.rabbitmq.counts(self.topic))

    @staticmethod
    def traceparent(kind: bytes, value: bytes) -> bytes:
        return amqp.field(b"traceparent", kind, value)


if __name__ == "__main__":
    unittest.main()
