"""The C examples of libspanbridge against real Kafka, and their spans through spanbridge."""

import json
import pathlib
import subprocess
import unittest

from harness import bridge, env
from harness.kafka import Kafka
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
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.kafka.create_topics(self.topic)

    def example(self, name: str, *arguments: str) -> tuple[list[bytes], str]:
        """The spans it prints, and what it says on stderr."""
        program = pathlib.Path(env.binary()).parent / "tests" / "library" / f"example_{name}"
        done = subprocess.run([str(program), self.kafka.bootstrap, self.topic, *arguments],
                              capture_output=True, timeout=2 * env.PATIENCE_S)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.splitlines(), done.stderr.decode()

    def test_one_trace_arrives(self) -> None:
        sent, _ = self.example("kafka_producer")
        processed, said = self.example("kafka_consumer")
        self.assertEqual("", said)
        first, second = span_of(sent[0]), span_of(processed[0])
        self.assertEqual(first["traceId"], second["traceId"])
        self.assertEqual(first["spanId"], second["parentSpanId"])

        self.kafka.create_topics("otlp_spans")
        self.kafka.produce("otlp_spans", sent + processed)
        made = bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic)
        report = made.spans("otlp_spans", "otlp_json").drain()
        report.check_closed()
        self.assertEqual(2, report["exported"])
        self.assertEqual({bytes.fromhex(span["spanId"]) for span in (first, second)},
                         self.receiver.span_ids())

    def test_headers_of_others(self) -> None:
        """Missing, malformed and doubled: a reason is said, and the last valid one is taken."""
        for headers in ([], [("traceparent", None)], [("traceparent", UPPER)],
                        [("traceparent", b"\0\1\2")],
                        [("Traceparent", GOOD), ("traceparent", UPPER), ("other", b"\xff")]):
            self.send(headers)
        spans, said = self.example("kafka_consumer", "5")
        self.assertEqual(5, len(spans))
        self.assertEqual(["no context", "header without a value", "upper-case digits",
                          "wrong length"],
                         [line.split(": ")[-1] for line in said.splitlines()])
        last = span_of(spans[-1])
        self.assertEqual("1111111111111111", last["parentSpanId"])
        self.assertEqual("0123456789abcdef" * 2, last["traceId"])

    def send(self, headers: list[tuple[str, bytes | None]]) -> None:
        producer = self.kafka.producer()
        producer.produce(self.topic, b"order", headers=headers)
        self.assertEqual(0, producer.flush(env.PATIENCE_S))


if __name__ == "__main__":
    unittest.main()
