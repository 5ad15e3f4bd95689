"""At least once, whatever is killed: the bridge, the broker, the backend.

The oracle is the set of span ids: every one that was produced arrives, and no committed offset
ever covers a record whose spans the backend has not acknowledged.
"""

import random
import signal
import unittest

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until

PARTITIONS = 3
MARKER_SPANS = 10
HOLD: bridge.Value = {"wait": "1h", "spans_per_trace": MARKER_SPANS}


class NothingLost(env.Case):
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

    def test_kill_9_in_mid_window(self) -> None:
        """All has been read and nothing is decided: it is read again."""
        for _ in range(2):
            run = self.configure(window=HOLD).start()
            self.produce(traces=200)
            self.mark()
            run.kill()
            self.assertEqual(self.markers, self.receiver.span_ids())
            self.assertEqual([0] * PARTITIONS, self.check_commits())
        self.finish()

    def test_kill_9_in_export(self) -> None:
        """Killed when it begins to read, at its first request, and with requests in flight."""
        for point in ("reading", "first request", "half", "in flight"):
            with self.subTest(point):
                self.produce(traces=300)
                before = len(self.receiver.span_ids())
                requests = self.receiver.requests
                if point == "in flight":
                    self.receiver.open_gate.clear()
                run = self.configure(instance="a", window={"wait": "500ms"}).start()
                if point == "reading":
                    run.wait_event("partition_opened")
                elif point == "half":
                    until("half of it", lambda: len(self.receiver.span_ids()) > before + 600)
                else:
                    until("a request", lambda: self.receiver.requests > requests)
                run.kill()
                self.receiver.open_gate.set()
                self.check_commits()
        self.finish(instance="a")

    def test_kill_9_at_random_points(self) -> None:
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for round_ in range(5):
            with self.subTest(seed=seed, round=round_):
                self.produce(traces=100)
                target = len(self.receiver.spans()) + chance.randrange(1, 400)
                # A static member: the next start takes its partitions over at once.
                run = self.configure(instance="a", window={"wait": "200ms"}).start()
                until("some spans", lambda: len(self.receiver.spans()) >= target)
                run.kill()
                self.check_commits()
        self.finish(instance="a")

    def test_sigterm_leaves_undecided_traces_to_the_next_start(self) -> None:
        run = self.configure(window=HOLD).start("--json")
        self.produce(traces=50)
        self.mark()
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((200, PARTITIONS * MARKER_SPANS), (report["held"], report["exported"]))
        self.assertEqual([0] * PARTITIONS, self.check_commits())
        self.finish()

    def test_backend_down_for_a_while(self) -> None:
        self.produce(traces=100)
        self.receiver.down()
        run = self.configure(window={"wait": "200ms"}).start("--json")
        run.wait_log(str(self.receiver.port))  # it says which backend it can not reach
        self.assertEqual([0] * PARTITIONS, self.check_commits())
        self.receiver.up()
        until("all spans arrive", lambda: not self.missing())
        self.receiver.down()
        self.produce(traces=100)
        self.receiver.up()
        until("all spans arrive again", lambda: not self.missing())
        run.signal(signal.SIGTERM)
        self.assertEqual(0, bridge.finish(run)["lost"])
        self.finish()

    def test_backend_refuses_for_a_while(self) -> None:
        """429, 502, 503 and 504 are tried again; nothing is lost, nothing rejected."""
        self.produce(traces=100)
        refusals = [503, 429, 502, 504]
        self.receiver.answer = lambda n: refusals[n - 1] if n <= len(refusals) else 200
        report = self.configure().drain()
        self.assertEqual((len(self.records), 0, 0),
                         (report["exported"], report["rejected"], report["lost"]))
        self.assertEqual(set(), self.missing())
        self.finish()

    def test_broker_restart(self) -> None:
        for stop in (self.kafka.stop, self.kafka.kill):
            with self.subTest(stop.__name__):
                self.produce(traces=100)
                run = self.configure(window={"wait": "300ms"}).start("--json")
                until("some spans", lambda: len(self.missing()) < len(self.expected()))
                self.receiver.open_gate.clear()
                stop()
                self.receiver.open_gate.set()
                self.kafka.start()
                self.produce(traces=100)
                until("all spans arrive", lambda: not self.missing())
                run.signal(signal.SIGTERM)
                bridge.finish(run)
                self.check_commits()
        self.finish()


if __name__ == "__main__":
    unittest.main()
