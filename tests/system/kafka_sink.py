"""Kept spans in a topic of a real Kafka, read back, and fed through a second bridge."""

import os
import unittest

from harness import bridge, env, otlp
from harness.kafka import PASSWORD, USER, Kafka
from harness.receiver import Receiver
from harness.wait import until

PARTITIONS = 4


def kafka_sink(topic: str, **more: bridge.Value) -> dict[str, bridge.Value]:
    return {"name": "kept", "type": "kafka", "topic": topic,
            "retry": {"initial": "50ms", "max": "500ms"}, **more}


def murmur2_partition(key: bytes) -> int:
    """Where Kafka's Java clients put a key (of a length that 4 divides)."""
    m, bits = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(key)
    for at in range(0, len(key), 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & bits
        h = (h * m & bits) ^ ((k ^ k >> 24) * m & bits)
    h = (h ^ h >> 13) * m & bits
    return ((h ^ h >> 15) & 0x7FFFFFFF) % PARTITIONS


class KafkaSink(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.kept = f"{self.topic}.kept"
        self.kafka.create_topics(self.topic)

    def create_kept(self, **config: str) -> None:
        self.kafka.create_topics(self.kept, partitions=PARTITIONS, config={
            name.replace("_", "."): value for name, value in config.items()})

    def bridge(self, bootstrap: str = "", worker: dict[str, str] | None = None,
               **sink: bridge.Value) -> bridge.Bridge:
        """`worker`: librdkafka properties of the worker file; `sink`: lines of the sink."""
        made = bridge.Bridge(self.folder, bootstrap or self.kafka.bootstrap,
                             [kafka_sink(self.kept, **sink)], group=self.topic, kafka=worker)
        return made.spans(self.topic)

    def fill(self, traces: int = 50) -> tuple[set[bytes], set[bytes]]:
        """Each span is a record of its own: (span ids, trace ids)."""
        bodies: list[bytes] = []
        span_ids: set[bytes] = set()
        for _ in range(traces):
            more, ids = otlp.split_trace()
            bodies += more
            span_ids |= set(ids)
        self.kafka.produce(self.topic, bodies)
        return span_ids, {otlp.spans_of(body)[0].trace_id for body in bodies}

    def check_kept(self, span_ids: set[bytes], trace_ids: set[bytes]) -> None:
        """Every span once; one record for each trace, where its key belongs."""
        messages = self.kafka.read_all(self.kept)
        found: list[bytes] = []
        for message in messages:
            spans = otlp.spans_of(message.value())
            self.assertEqual({message.key().decode()}, {s.trace_id.hex() for s in spans})
            self.assertEqual(murmur2_partition(message.key()), message.partition())
            found += [s.span_id for s in spans]
        self.assertEqual(sorted(span_ids), sorted(found))
        self.assertEqual(sorted(t.hex() for t in trace_ids),
                         sorted(m.key().decode() for m in messages))

    def test_read_back_and_through_a_second_bridge(self) -> None:
        self.create_kept()
        span_ids, trace_ids = self.fill()
        report = self.bridge().drain()
        self.assertEqual(len(span_ids), report["exported"])
        self.check_kept(span_ids, trace_ids)
        receiver = Receiver()
        self.addCleanup(receiver.close)
        folder = self.folder / "second"
        folder.mkdir()
        second = bridge.Bridge(folder, self.kafka.bootstrap, [bridge.otlp_http(receiver.url)],
                               group="second").spans(self.kept)
        self.assertEqual(len(span_ids), second.drain()["exported"])
        self.assertEqual(span_ids, receiver.span_ids())

    def test_scram_and_compression(self) -> None:
        """The sink takes over what the worker's file says of the cluster."""
        self.create_kept()
        span_ids, trace_ids = self.fill()
        made = self.bridge(self.kafka.bootstrap_sasl, worker={
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": USER, "sasl.password": PASSWORD,
        }, kafka={"properties": bridge.properties({"compression.type": "zstd"})})
        made.drain()
        self.check_kept(span_ids, trace_ids)

    def test_tls_of_its_own(self) -> None:
        self.create_kept()
        span_ids, trace_ids = self.fill()
        made = self.bridge(kafka={
            "bootstrap": self.kafka.bootstrap_tls,
            "properties": bridge.properties({
                "security.protocol": "SSL", "ssl.ca.location": str(self.kafka.certs.ca)})})
        made.drain()
        self.check_kept(span_ids, trace_ids)

    def test_topic_that_takes_less(self) -> None:
        """Only by refusing does the broker say so; a span too large alone is a dead letter."""
        self.create_kept(max_message_bytes="100000")
        dead = f"{self.topic}.dead"
        self.kafka.create_topics(dead)
        trace_id = os.urandom(16)
        spans = [otlp.span(trace_id, note=f"{n}" + "x" * 2000) for n in range(200)]
        large = otlp.span(trace_id, note_1="y" * 60000, note_2="y" * 60000)
        self.kafka.produce(self.topic, [
            otlp.request("shop", [*spans, large]).SerializeToString()])
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, [kafka_sink(self.kept)],
                             group=self.topic)
        run = made.spans(self.topic, errors={"deadletterqueue": dead}).start(
            "--drain", "--json")
        report = bridge.finish(run)
        self.assertEqual(len(spans), report["exported"], run.tail())
        self.assertTrue(run.events("records_made_smaller", sink="kept"))
        found = [s.span_id for m in self.kafka.read_all(self.kept)
                 for s in otlp.spans_of(m.value())]
        self.assertEqual(sorted(s.span_id for s in spans), sorted(found))
        letters = [s.span_id for m in self.kafka.read_all(dead)
                   for s in otlp.spans_of(m.value())]
        self.assertEqual([large.span_id], letters)

    def test_topic_comes_later(self) -> None:
        """It waits and says so once; nothing is committed before."""
        span_ids, trace_ids = self.fill(5)
        run = self.bridge().start("--drain", "--json")
        run.wait_event("sink_waits", sink="kept", topic=self.kept)
        self.assertEqual([0], self.kafka.committed(self.topic, self.topic))
        self.create_kept()
        bridge.finish(run)
        self.assertEqual(1, len(run.events("sink_waits", sink="kept")))
        self.assertEqual(1, len(run.events("sink_recovered", sink="kept")))
        self.check_kept(span_ids, trace_ids)
        self.assertEqual([20], self.kafka.committed(self.topic, self.topic))

    def test_broker_restarts(self) -> None:
        """A cluster of the sink's own goes away in mid-run; what was kept arrives."""
        other = Kafka(self.folder / "other").start()
        self.addCleanup(other.kill)
        other.create_topics(self.kept, partitions=PARTITIONS)
        run = self.bridge(kafka={"bootstrap": other.bootstrap}).start("--json")

        def kept() -> set[bytes]:
            return {s.span_id for m in other.read_all(self.kept)
                    for s in otlp.spans_of(m.value())}

        first, _ = self.fill(5)
        until("the first spans are kept", lambda: kept() == first)
        other.kill()
        second, _ = self.fill(5)
        run.wait_event("sink_waits", sink="kept")
        other.start()
        until("all spans are kept", lambda: kept() == first | second)
        run.wait_event("sink_recovered", sink="kept")
        self.assertEqual(bridge.EX_OK, run.stop())
        self.assertEqual(len(first | second), bridge.Report.of(run)["exported"])

    def test_fail_fast_names_the_topic(self) -> None:
        run = self.bridge().start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        found = run.events("unreachable", sink="kept", topic=self.kept)
        self.assertEqual(1, len(found), run.tail())
        self.assertIn("nknown topic", found[0]["reason"])


if __name__ == "__main__":
    unittest.main()
