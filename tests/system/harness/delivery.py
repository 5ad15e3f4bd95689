"""What tests of delivery share: traces in a topic of three partitions, and the oracle.

The oracle is the set of span ids: every one that was produced arrives, and no committed offset
ever covers a record whose spans the backend has not acknowledged.
"""

import random

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until

PARTITIONS = 3
MARKER_SPANS = 10
HOLD: bridge.Value = {"wait": "1h", "spans_per_trace": MARKER_SPANS}


class DeliveryCase(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.kafka.create_topics(self.topic, partitions=PARTITIONS)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.records: dict[tuple[int, int], set[bytes]] = {}  # (partition, offset): span ids
        self.markers: set[bytes] = set()

    def configure(self, **more: bridge.Value) -> bridge.Bridge:
        made = bridge.Bridge(
            self.folder, self.kafka.bootstrap,
            [bridge.otlp_http(self.receiver.url, batch={"spans": 64, "linger": "20ms"})],
            group=self.topic, **more)
        return made.spans(self.topic)

    def produce(self, traces: int, spans: int = 4) -> None:
        """Traces whose spans lie in records of their own, mixed over all partitions."""
        bodies: list[tuple[bytes, bytes]] = []
        for _ in range(traces):
            made, ids = otlp.split_trace(spans=spans)
            bodies += zip(made, ids, strict=True)
        random.shuffle(bodies)
        for partition in range(PARTITIONS):
            mine = bodies[partition::PARTITIONS]
            places = self.kafka.produce(self.topic, [body for body, _ in mine], partition)
            for place, (_, span_id) in zip(places, mine, strict=True):
                self.records[place] = {span_id}

    def mark(self) -> None:
        """Waits until the bridge, with HOLD for a window, has read all that was produced.

        Behind the end of each partition comes a trace that has as many spans as a window takes:
        it alone is decided, and what lies before it has been read when it arrives.
        """
        for partition in range(PARTITIONS):
            marker = otlp.small_trace(spans=MARKER_SPANS)
            [place] = self.kafka.produce(self.topic, [marker.body], partition)
            self.records[place] = set(marker.span_ids)
            self.markers |= self.records[place]
            until("the marker arrives",
                  lambda: set(marker.span_ids) <= self.receiver.span_ids())  # noqa: B023

    def expected(self) -> set[bytes]:
        return set().union(*self.records.values())

    def missing(self) -> set[bytes]:
        return self.expected() - self.receiver.span_ids()

    def check_commits(self) -> list[int]:
        """No commit is ahead of what the backend has acknowledged."""
        # Received first, committed after: what arrives between the two can hide no fault.
        committed = self.kafka.committed(self.topic, self.topic, PARTITIONS)
        arrived = self.receiver.span_ids()
        for (partition, offset), span_ids in self.records.items():
            if offset < committed[partition] and not span_ids <= arrived:
                self.fail(f"{self.topic}[{partition}]@{offset} is committed and not delivered")
        return committed

    def finish(self, **more: bridge.Value) -> None:
        """A last run that reads to the end: everything is there, and committed."""
        self.receiver.open_gate.set()
        self.configure(**more).drain()
        self.assertEqual(set(), self.missing())
        ends = [max((o for p, o in self.records if p == partition), default=-1) + 1
                for partition in range(PARTITIONS)]
        self.assertEqual(ends, self.check_commits())
