"""Nothing that stands in a record stops the bridge or is lost in silence.

What can not be decoded goes to the dead-letter topic with its bytes and Kafka Connect's
headers; the good spans beside it pass.
"""

import os
import unittest
from collections.abc import Iterable

from harness import bridge, env, otlp
from harness.hostile import BAD_SPANS, GOOD, UNDECODABLE, around_span, field
from harness.kafka import Kafka
from harness.receiver import Receiver

MEMORY_BOUND_KB = 400_000  # far above what the bridge needs, far below a claim that is believed


class BadInput(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka", {"message.max.bytes": str(20 << 20)}).start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.dead = self.topic + ".dlq"
        self.kafka.create_topics(self.topic, self.dead, config={"max.message.bytes": str(20 << 20)})

    def produce(self, bodies: Iterable[bytes]) -> None:
        self.kafka.produce(self.topic, bodies, message_max_bytes=20 << 20)

    def configure(self, encoding: str = "otlp_proto",
               errors: bridge.Value | None = None) -> bridge.Bridge:
        made = bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic)
        return made.spans(self.topic, encoding, errors=errors or {
            "tolerance": "all", "deadletterqueue": self.dead})

    def good_around(self, bad: Iterable[bytes]) -> tuple[list[bytes], set[bytes]]:
        """A good record before, between and after the bad ones."""
        bodies, ids = [], set()
        for body in [*bad, b""]:
            made = otlp.small_trace()
            ids.update(made.span_ids)
            bodies += [made.body, body] if body else [made.body]
        return bodies, ids

    def check_dead_letters(self, bodies: list[bytes]) -> None:
        letters = self.kafka.read_all(self.dead)
        self.assertEqual(sorted(bodies), sorted(letter.value() for letter in letters))
        sources = {m.value(): m for m in self.kafka.read_all(self.topic)}
        for letter in letters:
            headers = dict(letter.headers())
            source = sources[letter.value()]
            self.assertEqual(self.topic, headers["__connect.errors.topic"].decode())
            place = [headers[f"__connect.errors.{n}"].decode() for n in ("partition", "offset")]
            self.assertEqual([str(source.partition()), str(source.offset())], place)
            for name in ("connector.name", "stage", "exception.class.name", "exception.message"):
                self.assertTrue(headers[f"__connect.errors.{name}"], name)
            self.assertEqual(source.key(), letter.key())

    def test_undecodable_records(self) -> None:
        bodies, good = self.good_around(UNDECODABLE.values())
        self.produce(bodies)
        report = self.configure().drain()
        self.assertEqual(set(), good - self.receiver.span_ids())
        self.assertEqual(len(UNDECODABLE), sum(report["dead_lettered"]["records"].values()))
        self.assertEqual(len(bodies), report["read"]["records"])
        self.check_dead_letters(list(UNDECODABLE.values()))
        self.assertEqual([len(bodies)], self.kafka.committed(self.topic, self.topic))

    def test_bad_spans_alone_in_their_records(self) -> None:
        bodies, good = self.good_around(BAD_SPANS.values())
        self.produce(bodies)
        report = self.configure().drain()
        self.assertEqual(set(), good - self.receiver.span_ids())
        dead = report["dead_lettered"]
        self.assertEqual(len(BAD_SPANS),
                         sum(dead["spans"].values()) + sum(dead["records"].values()))
        self.assertEqual(len(BAD_SPANS), len(self.kafka.read_all(self.dead)))
        self.assertEqual([len(bodies)], self.kafka.committed(self.topic, self.topic))

    def test_one_bad_span_among_good_ones(self) -> None:
        """Its record's good spans pass; it goes whole, with its resource and scope."""
        trace_id = os.urandom(16)
        good = [otlp.span(trace_id, name=f"good {n}") for n in range(3)]
        bad = otlp.Span(trace_id=b"short", span_id=b"s" * 8, name="bad")
        self.produce([otlp.request("checkout", [good[0], bad, *good[1:]]).SerializeToString()])
        report = self.configure().drain()
        self.assertEqual({s.span_id for s in good},
                         {s.span_id for s in self.receiver.spans() if s.trace_id == trace_id})
        self.assertEqual(1, sum(report["dead_lettered"]["spans"].values()))
        self.assertEqual({}, report["dead_lettered"]["records"])
        [letter] = self.kafka.read_all(self.dead)
        self.assertEqual(otlp.request("checkout", [bad]).SerializeToString(), letter.value())
        self.assertIn("__connect.errors.exception.message", dict(letter.headers()))

    def test_a_million_attributes_in_bounded_memory(self) -> None:
        """Two bytes of input must not become a hundred of memory."""
        span = otlp.span(os.urandom(16)).SerializeToString()
        body = around_span(span + field(9, b"") * 1_000_000)
        made = otlp.small_trace()
        self.produce([body, made.body])
        run = self.configure().start("--drain", "--json")
        peak = 0
        while run.running():
            peak = max(peak, run.peak_memory_kb())
        bridge.finish(run)
        self.assertLess(peak, MEMORY_BOUND_KB)
        self.assertEqual(set(), set(made.span_ids) - self.receiver.span_ids())

    def test_invalid_utf8(self) -> None:
        """It passes as it came; a backend that refuses it gets all but that span."""
        good = otlp.small_trace()
        odd = field(5, b"caf\xe9 \xff")
        for strict, passed in ((False, 1), (True, 0)):
            with self.subTest(strict=strict):
                self.receiver.strict = strict
                self.addCleanup(setattr, self.receiver, "strict", True)
                span = otlp.span(os.urandom(16)).SerializeToString() + odd
                self.produce([around_span(span), good.body])
                report = self.configure().drain()
                ends = report["rejected"] + sum(report["dead_lettered"]["spans"].values())
                self.assertEqual((3 + passed, 1 - passed), (report["exported"], ends))
                self.assertEqual(bool(passed), any(span in b for b in self.receiver.bodies))
                self.assertEqual(set(), set(good.span_ids) - self.receiver.span_ids() if strict
                                 else set())

    def test_bad_json(self) -> None:
        good = otlp.small_trace()
        bad = [b"{", b"[1,2", b'{"resourceSpans": 5}', b"\xff\xfe", b"[" * 100_000,
               otlp.as_json(GOOD)[:-20]]
        self.produce([*bad, otlp.as_json(good.body)])
        report = self.configure("otlp_json").drain()
        self.assertEqual(set(), set(good.span_ids) - self.receiver.span_ids())
        self.assertEqual(len(bad), sum(report["dead_lettered"]["records"].values()))
        self.check_dead_letters(bad)

    def test_tolerance_none_stops_the_topic(self) -> None:
        """The record stays uncommitted, and the message says where it lies."""
        first, after = otlp.small_trace(), otlp.small_trace()
        self.produce([first.body, UNDECODABLE["random"], after.body])
        run = self.configure(errors={"tolerance": "none"}).start()
        event = run.wait_event("topic_stopped", topic=self.topic, partition=0, offset=1)
        self.assertIn("errors.deadletterqueue", event["help"])
        run.stop()
        self.assertLessEqual(self.kafka.committed(self.topic, self.topic)[0], 1)

    def check_the_right_encoding_is_named(self, wrong: str, body: bytes, right: str) -> None:
        self.produce([body])
        run = self.configure(wrong, errors={"tolerance": "none"}).start()
        self.assertIn(right, run.wait_event("topic_stopped", topic=self.topic)["help"])
        run.stop()

    def test_json_read_as_protobuf(self) -> None:
        self.check_the_right_encoding_is_named(
            "otlp_proto", otlp.as_json(otlp.small_trace().body), "otlp_json")

    def test_protobuf_read_as_json(self) -> None:
        self.check_the_right_encoding_is_named(
            "otlp_json", otlp.small_trace().body, "otlp_proto")

    def test_tolerance_all_without_a_topic_counts(self) -> None:
        made = otlp.small_trace()
        self.produce([UNDECODABLE["text"], made.body])
        run = self.configure(errors={"tolerance": "all"}).start("--drain", "--json")
        report = bridge.finish(run)
        self.assertTrue(run.events("discarded", topic=self.topic, partition=0, offset=0))
        self.assertEqual(set(), set(made.span_ids) - self.receiver.span_ids())
        self.assertEqual(2, report["read"]["records"])
        self.assertEqual([2], self.kafka.committed(self.topic, self.topic))


if __name__ == "__main__":
    unittest.main()
