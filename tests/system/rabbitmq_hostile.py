"""Nothing that stands in a message stops the bridge or is lost in silence, at either broker.

What can not be decoded goes where dead letters go, be that a Kafka topic or a RabbitMQ exchange,
with its bytes and Kafka Connect's headers; the good spans beside it pass.
"""

import json
import re
import signal
import unittest
from collections.abc import Iterable

from harness import amqp, bridge, env, otlp, queues
from harness.hostile import BAD_SPANS, GOOD, UNDECODABLE
from harness.kafka import Kafka
from harness.proxy import Proxy
from harness.rabbitmq import CLASSIC, KINDS, QUORUM, STREAM
from harness.wait import until
from harness.watcher import Watcher, total

CONTEXT = b"00-0123456789abcdef0123456789abcdef-1111111111111111-01"
HOSTILE = [*UNDECODABLE.values(), *BAD_SPANS.values()]


class RabbitMQHostile(queues.QueueCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.dead = f"{self.queue}.dlq"

    def good(self) -> bytes:
        made = otlp.small_trace()
        self.messages[made.body] = set(made.span_ids)
        return made.body

    def good_around(self, bad: Iterable[bytes]) -> list[bytes]:
        """A good one before, between and after the bad ones."""
        return [self.good(), *(body for one in bad for body in (one, self.good()))]

    # Dead letters, from each broker to each.

    def check_headers(self, headers: dict[str, object]) -> None:
        said = {str(name).removeprefix("__connect.errors."): value  # not UTF-8: bytes
                for name, value in headers.items()}
        self.assertEqual((self.queue, self.queue), (said["topic"], said["connector.name"]))
        for name in ("partition", "offset"):
            self.assertRegex(str(said[name]), "^[0-9]+$")
        for name in ("stage", "exception.class.name", "exception.message"):
            self.assertTrue(said[name], name)

    def letters_in_kafka(self) -> list[bytes]:
        letters = self.kafka.read_all(self.dead)
        for letter in letters:
            self.check_headers({name: value.decode() for name, value in letter.headers()})
        return sorted(letter.value() for letter in letters)

    def letters_in_rabbitmq(self, count: int) -> list[bytes]:
        letters = self.broker.consume(self.dead, count)
        self.wait_ready(0, self.dead)
        for letter in letters:
            self.check_headers(letter.headers)
            self.assertEqual(2, letter.properties.delivery_mode)
        return sorted(letter.body for letter in letters)

    def check_report(self, report: bridge.Report) -> None:
        """Good spans arrived; each bad message was a dead letter, whole or for its one span."""
        self.assertEqual(set(), self.missing())
        dead = report["dead_lettered"]
        self.assertEqual(len(UNDECODABLE), sum(dead["records"].values()) + sum(
            dead["spans"].values()) - len(BAD_SPANS))
        self.assertEqual(len(self.messages) + len(HOSTILE), report["read"]["records"])

    def from_rabbitmq(self, **errors: bridge.Value) -> bridge.Report:
        self.declare()
        self.broker.publish(self.queue, self.good_around(HOSTILE))
        report = self.drain(self.worker(bootstrap=self.kafka.bootstrap).queue(
            self.queue, errors=errors))
        self.check_report(report)
        return report

    def from_kafka(self, **errors: bridge.Value) -> bridge.Report:
        self.kafka.create_topics(self.queue)
        bodies = self.good_around(HOSTILE)
        self.kafka.produce(self.queue, bodies)
        report = self.worker(bootstrap=self.kafka.bootstrap).spans(
            self.queue, errors=errors).drain()
        self.check_report(report)
        self.assertEqual([len(bodies)], self.kafka.committed(self.queue, self.queue))
        return report

    def test_from_rabbitmq_to_kafka(self) -> None:
        self.kafka.create_topics(self.dead)
        self.from_rabbitmq(deadletterqueue=self.dead)
        self.assertEqual(sorted(HOSTILE), self.letters_in_kafka())

    def test_from_rabbitmq_to_an_exchange(self) -> None:
        """By a routing key of its own, or else by the topic file's name."""
        self.broker.declare(self.dead, QUORUM)
        self.broker.declare_exchange(f"{self.queue}.dlx", bind={self.dead: "bad.spans"})
        self.from_rabbitmq(deadletterexchange=f"{self.queue}.dlx", deadletterkey="bad.spans")
        self.assertEqual(sorted(HOSTILE), self.letters_in_rabbitmq(len(HOSTILE)))

    def test_from_kafka_to_an_exchange(self) -> None:
        self.broker.declare(self.dead, QUORUM)
        self.broker.declare_exchange(f"{self.queue}.dlx", "topic", bind={self.dead: self.queue})
        self.from_kafka(deadletterexchange=f"{self.queue}.dlx")
        self.assertEqual(sorted(HOSTILE), self.letters_in_rabbitmq(len(HOSTILE)))

    def test_from_kafka_to_the_default_exchange(self) -> None:
        self.broker.declare(self.dead)
        self.from_kafka(deadletterexchange="", deadletterkey=self.dead)
        self.assertEqual(sorted(HOSTILE), self.letters_in_rabbitmq(len(HOSTILE)))

    def test_a_dead_letter_that_no_queue_takes(self) -> None:
        """It is not finished: it stays in its queue, and goes when it can be routed."""
        self.declare()
        self.broker.declare(self.dead)
        self.broker.declare_exchange(f"{self.queue}.dlx")
        self.broker.publish(self.queue, [self.good(), UNDECODABLE["text"], self.good()])
        run = self.worker(window={"wait": "100ms"}).queue(self.queue, errors={
            "deadletterexchange": f"{self.queue}.dlx", "deadletterkey": "bad"}).start("--json")
        self.wait_all()
        event = run.wait_event("trouble", what="rabbitmq")
        self.assertIn(f'exchange "{self.queue}.dlx"', event["text"])
        self.broker.declare_exchange(f"{self.queue}.dlx", bind={self.dead: "bad"})
        until("it arrives", lambda: self.broker.depth(self.dead) == 1)
        self.wait_ready(0)
        run.signal(signal.SIGTERM)
        bridge.finish(run)

    # What stands in headers.

    def tables(self) -> dict[str, bytes]:
        """Headers that are no text, or that no client library would write."""
        found = {f"a traceparent of type {kind.decode()}": amqp.field(b"traceparent", kind, value)
                 for kind, value in amqp.every_kind(CONTEXT).items()}
        inner = amqp.field(b"traceparent", b"S", amqp.long_string(CONTEXT))
        array = b"A" + amqp.long_string(b"F" + amqp.long_string(inner))
        for _ in range(100):
            array = b"A" + amqp.long_string(array)
        found |= {
            "no headers": b"",
            "an empty key": amqp.field(b"", b"S", amqp.long_string(CONTEXT)),
            "only empty keys": amqp.field(b"", b"V", b"") * 1000,
            "a key of 255 bytes": amqp.field(b"k" * 255, b"V", b""),
            "no UTF-8": amqp.field(b"\xff\xfe", b"S", amqp.long_string(b"\xff\x00\xfe")),
            "an array in an array in an array": amqp.field(b"traceparent", array[:1], array[1:]),
            "a table as deep as a frame takes": amqp.deep_table(18_700),
            "as many headers as a frame takes": amqp.field(b"k", b"V", b"") * 40_000,
            "a header of 128 KiB": amqp.field(b"k", b"S", amqp.long_string(b"x" * 130_000)),
            "the same key twice": inner + amqp.field(b"traceparent", b"I", b"\0\0\0\1"),
        }
        return found

    def test_headers_of_spans(self) -> None:
        """Whatever stands there, it is not the spans' fault: they pass."""
        for kind in (CLASSIC, STREAM):
            with self.subTest(kind):
                self.queue = f"{self._testMethodName}.{kind}"
                self.declare(kind)
                self.messages.clear()
                tables = self.tables()
                if kind == STREAM:  # on a decimal the broker itself fails, with 541
                    del tables["a traceparent of type D"]
                for table in tables.values():
                    self.broker.publish_table(self.queue, self.good(), table)
                report = self.worker().queue(self.queue, **self.of_kind(kind)).drain()
                self.assertEqual(set(), self.missing())
                self.assertEqual(len(self.expected()), report["exported"])

    def of_kind(self, kind: str) -> dict[str, bridge.Value]:
        """What the topic file of a queue of that kind needs."""
        return {"queue_type": STREAM, "start": "earliest",
                "offsets": str(self.folder / "position")} if kind == STREAM else {}

    def test_headers_that_only_the_broker_gives(self) -> None:
        """A publisher may write them, too; that makes no poison, no stream, and no gap in one."""
        self.broker.declare(self.dead)
        for kind in KINDS:
            with self.subTest(kind):
                self.queue = f"{self._testMethodName}.{kind}"
                self.declare(kind)
                self.messages.clear()
                for name in ("x-delivery-count", "x-stream-offset", "x-death"):
                    for value in (1_000, -1, "1000", [{"count": 1_000}]):
                        self.broker.publish(self.queue, [self.good()], headers={name: value})
                report = self.worker(window={"wait": "100ms"}).queue(
                    self.queue, **self.of_kind(kind),
                    errors={"deadletterexchange": "", "deadletterkey": self.dead}).drain()
                self.assertEqual((set(), 12), (self.missing(), report["read"]["records"]))
                self.assertEqual((0, 0), self.broker.counts(self.dead))

    def test_headers_of_messages(self) -> None:
        """A tap reads them all, and goes on."""
        self.declare()
        tap = f"{self.queue}.tap"
        self.broker.declare(tap)
        tables = self.tables()
        for table in tables.values():
            self.broker.publish_table(tap, b"an order", table)
        run = self.configure(window={"wait": "100ms"}, admin={"listen": "127.0.0.1:0"}).queue(
            tap, role="messages", dedicated=True).start("--json")
        watcher = Watcher(run)
        until("all are read", lambda: total(
            watcher.scrape(), "messages_received_total") == len(tables))
        self.wait_ready(0, tap)
        self.publish(traces=5)
        self.wait_all()
        self.assertEqual((200, {}), watcher.health())
        run.signal(signal.SIGTERM)
        bridge.finish(run)

    def test_headers_of_dead_letters(self) -> None:
        """What can not be carried on is left out, and never in the way of the letter."""
        self.declare()
        self.broker.declare(self.dead)
        tables = self.tables()
        for number, table in enumerate(tables.values()):
            self.broker.publish_table(self.queue, b"%d is no protobuf" % number, table)
        self.drain(self.worker().queue(self.queue, errors={
            "deadletterexchange": "", "deadletterkey": self.dead}))
        self.assertEqual(sorted(b"%d is no protobuf" % number for number in range(len(tables))),
                         self.letters_in_rabbitmq(len(tables)))

    def test_headers_that_can_not_be_decoded(self) -> None:
        """What RabbitMQ takes librabbitmq can decode: somebody in between must have had a hand in
        it.  The message goes to the queue's own dead letters, whole; all others come twice at most.
        """
        bad = b"garbled"
        said = bytes([len(bad)]) + bad + b"S"
        proxy = Proxy(self.broker.port, garbled=(said, said[:-1] + b"?"))
        self.addCleanup(proxy.close)
        self.broker.declare(self.dead)
        for kind in (CLASSIC, QUORUM):
            with self.subTest(kind):
                self.queue = f"{self._testMethodName}.{kind}"
                self.messages.clear()
                self.declare(kind)
                self.dead_letters_of(self.queue, self.dead)
                self.publish(traces=10)
                self.broker.publish(self.queue, [b"can not be had"], headers={"garbled": "x"})
                self.publish(traces=10)
                run = self.configure(url=self.broker.url_for(port=proxy.port),
                                     window={"wait": "100ms"},
                                     admin={"listen": "127.0.0.1:0"}).start("--json")
                event = run.wait_event("unreadable_rejected", queue=self.queue)
                self.assertEqual(41, event["delivery_tag"])
                self.wait_all()
                self.wait_ready(0)
                watcher = Watcher(run)
                until("health", lambda: watcher.health() == (200, {}))  # noqa: B023
                series = watcher.scrape()
                labels = f'{{topic="{self.queue}",reason="headers"}}'
                self.assertEqual(1, series[f"spanbridge_records_rejected_total{labels}"])
                self.assertLessEqual(total(series, "records_received_total"), 40 + 80)
                run.signal(signal.SIGTERM)
                bridge.finish(run)
                self.assertEqual(1, len(run.events("unreadable_rejected")))
                self.assertLessEqual(len(run.events("partition_opened")), 2)
                [letter] = self.broker.consume(self.dead, 1)
                self.assertEqual(b"can not be had", letter.body)
                self.assertEqual("rejected", letter.headers["x-death"][0]["reason"])

    def dead_letters_of(self, queue: str, dead: str) -> None:
        """By a policy, as an operator sets it for a queue that exists."""
        self.broker.ctl("set_policy", queue, f"^{re.escape(queue)}$", json.dumps(
            {"dead-letter-exchange": "", "dead-letter-routing-key": dead}),
            "--apply-to", "queues")
        self.addCleanup(self.broker.ctl, "clear_policy", queue)

    # What stands in bodies.

    def test_bodies_of_odd_sizes(self) -> None:
        """An empty request has no spans; one that is too large goes on with its bytes."""
        self.declare()
        self.broker.declare(self.dead)
        for body in (b"", self.good(), b"x" * (2 << 20), self.good()):
            self.broker.publish(self.queue, [body])
        report = self.drain(self.worker(limits={"record_bytes": "1MiB"}).queue(
            self.queue, errors={"deadletterexchange": "", "deadletterkey": self.dead}))
        self.assertEqual((4, 1), (report["read"]["records"],
                                  sum(report["dead_lettered"]["records"].values())))
        self.assertEqual([b"x" * (2 << 20)], self.letters_in_rabbitmq(1))

    def test_json_bodies(self) -> None:
        self.declare()
        self.broker.declare(self.dead)
        bad = [b"{", b"[1,2", b'{"resourceSpans": 5}', b"\xff\xfe", b"[" * 100_000,
               otlp.as_json(GOOD)[:-20]]
        self.broker.publish(self.queue, [*bad, b"", otlp.as_json(self.good())])
        self.drain(self.worker().queue(self.queue, encoding="otlp_json", errors={
            "deadletterexchange": "", "deadletterkey": self.dead}))
        self.assertEqual(sorted(bad), self.letters_in_rabbitmq(len(bad)))

    def test_tolerance_none_stops_that_topic_only(self) -> None:
        """The message stays where it is, and the log says which; the others go on."""
        self.declare()
        other, topic = f"{self.queue}.other", f"{self.queue}.kafka"
        self.broker.declare(other)
        self.kafka.create_topics(topic)
        self.broker.publish(self.queue, [UNDECODABLE["text"]])
        run = self.worker(bootstrap=self.kafka.bootstrap, window={"wait": "100ms"},
                          admin={"listen": "127.0.0.1:0"}).queue(
            self.queue, errors={"tolerance": "none"}).queue(other).spans(topic).start("--json")
        run.wait_event("topic_stopped", topic=self.queue)
        watcher = Watcher(run)
        until("it is the only trouble", lambda: set(watcher.health()[1]) == {self.queue})
        self.publish(traces=5, key=other)
        self.kafka.produce(topic, [self.good()])
        self.wait_all()
        self.assertEqual(1, watcher.scrape()[f'spanbridge_topic_stopped{{topic="{self.queue}"}}'])
        run.signal(signal.SIGTERM)
        bridge.finish(run)
        self.wait_ready(1)
        self.wait_ready(0, other)

    def test_tolerance_all_without_a_place_counts(self) -> None:
        self.declare()
        self.broker.publish(self.queue, [UNDECODABLE["text"], self.good()])
        run = self.worker().queue(self.queue, errors={"tolerance": "all"}).start(
            "--drain", "--json")
        report = bridge.finish(run)
        self.assertTrue(run.events("discarded", topic=self.queue))
        self.assertEqual((set(), 2), (self.missing(), report["read"]["records"]))
        self.wait_ready(0)


if __name__ == "__main__":
    unittest.main()
