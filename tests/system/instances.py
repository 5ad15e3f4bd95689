"""Several instances share a topic that is keyed by trace id; partitions move among them.

The oracle is the span ids: a trace of four spans has its verdict when the fourth arrives, and is
kept when one of them is an error.  Each span of a kept trace arrives, and none of another: so a
trace that two owners had parts of would be seen.  No trace is decided before its second half is
produced, so whatever moves before that must arrive once; only who is killed while he exports may
have exported what the next owner exports again.
"""

import collections
import os
import random
import signal
import unittest

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until
from harness.watcher import Watcher, total

PARTITIONS = 6
SPANS = 4
BROKER = {"group.consumer.min.session.timeout.ms": "3000",
          "group.consumer.session.timeout.ms": "6000",
          "group.consumer.min.heartbeat.interval.ms": "500",
          "group.consumer.heartbeat.interval.ms": "500"}
PROTOCOLS = {"range": {"partition.assignment.strategy": "range"},
             "cooperative": {"partition.assignment.strategy": "cooperative-sticky"},
             "consumer": {"group.protocol": "consumer"}}


class Member:
    """One instance: its configuration, and its run."""

    def __init__(self, made: bridge.Bridge) -> None:
        self.bridge = made
        self.start()

    def start(self) -> None:
        self.run = self.bridge.start("--json")
        self.watcher = Watcher(self.run)

    def in_window(self) -> int:
        return self.watcher.scrape()['spanbridge_spans_held{where="window"}']

    def returned(self) -> int:
        return total(self.watcher.scrape(), "spans_returned_total")

    def lanes(self) -> int:
        given, taken = (sum(e["partitions"] for e in self.run.events(name))
                        for name in ("assigned", "revoked"))
        return given - taken

    def stop(self) -> bridge.Report:
        self.run.signal(signal.SIGTERM)
        return bridge.finish(self.run)


class Instances(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka", BROKER).start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.topic = ""

    def begin(self, protocol: str) -> None:
        """A topic and a group of their own."""
        self.topic = f"{self._testMethodName}_{protocol}"
        self.kafka.create_topics(self.topic, partitions=PARTITIONS)
        self.properties = PROTOCOLS[protocol]
        self.members: list[Member] = []
        self.kept: set[bytes] = set()
        self.produced = 0

    def join(self, **more: bridge.Value) -> Member:
        folder = self.folder / f"{self.topic}-{len(self.members)}"
        folder.mkdir()
        settings: dict[str, bridge.Value] = {
            "window": {"wait": "1h", "spans_per_trace": SPANS},
            "sampling": {"policies": [
                {"name": "errors", "type": "status_code", "status_codes": ["ERROR"]}]},
            "admin": {"listen": "127.0.0.1:0"}, **more}
        sink = bridge.otlp_http(self.receiver.url, batch={"spans": 64, "linger": "20ms"})
        made = bridge.Bridge(folder, self.kafka.bootstrap, [sink], group=self.topic,
                             kafka=self.properties, **settings).spans(self.topic)
        member = Member(made)
        self.members.append(member)
        return member

    def leave(self, member: Member) -> bridge.Report:
        self.members.remove(member)
        return member.stop()

    def kill(self, member: Member) -> None:
        self.members.remove(member)
        member.run.kill()

    def halves(self, traces: int) -> tuple[list[list[bytes]], list[list[bytes]]]:
        """Traces cut in two: by partition, as a topic keyed by trace id has them."""
        first: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        second: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        for number in range(traces):
            trace_id = os.urandom(16)
            error = random.randrange(2 * SPANS)  # half of them have one, in one of the halves
            spans = [otlp.span(trace_id, error=error == i) for i in range(SPANS)]
            if error < SPANS:
                self.kept |= {span.span_id for span in spans}
            bodies = [otlp.request("shop", [span]).SerializeToString() for span in spans]
            first[number % PARTITIONS] += bodies[:SPANS // 2]
            second[number % PARTITIONS] += bodies[SPANS // 2:]
        return first, second

    def produce(self, bodies: list[list[bytes]]) -> None:
        for partition, mine in enumerate(bodies):
            random.shuffle(mine)
            self.kafka.produce(self.topic, mine, partition)
            self.produced += len(mine)

    def wait_shared(self) -> None:
        """Each member has its share, and all partitions have an owner."""
        share = PARTITIONS // len(self.members)
        until("the partitions are shared",
              lambda: all(m.lanes() == share for m in self.members))

    def wait_read(self, count: int) -> None:
        """So many spans wait for their verdict, with all members together."""
        until(f"{count} spans are held",
              lambda: sum(m.in_window() for m in self.members) == count)

    def finish(self) -> None:
        """All is decided, kept traces are whole, dropped ones are not there, all is committed."""
        self.wait_read(0)
        until("all spans arrive", lambda: self.kept <= self.receiver.span_ids())
        for member in list(self.members):
            report = self.leave(member)
            self.assertEqual((0, 0, 0), (report["held"], report["lost"], report["rejected"]))
        self.assertEqual(self.produced, sum(
            self.kafka.committed(self.topic, self.topic, PARTITIONS)))

    def check_once(self) -> None:
        arrived = collections.Counter(span.span_id for span in self.receiver.spans())
        self.assertEqual(self.kept, set(arrived))
        self.assertEqual([], [i for i, count in arrived.items() if count > 1])

    def moved(self, protocol: str) -> list[list[bytes]]:
        """Two members share the partitions, and have read the first half of every trace."""
        self.begin(protocol)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.join()
        self.join()
        self.wait_shared()
        first, second = self.halves(300)
        self.produce(first)
        self.wait_read(600)
        return second

    def test_a_third_joins(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.moved(protocol)
                self.join()
                self.wait_shared()
                self.wait_read(600)
                self.assertGreater(sum(m.returned() for m in self.members), 0)
                self.produce(second)
                self.finish()
                self.check_once()

    def test_one_leaves(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.moved(protocol)
                report = self.leave(self.members[0])
                self.assertEqual(300, report["held"] + report["returned"])
                self.assertEqual(0, report["exported"])
                self.wait_read(600)
                self.produce(second)
                self.finish()
                self.check_once()

    def test_one_is_killed(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.moved(protocol)
                self.kill(self.members[0])
                self.wait_read(600)
                self.produce(second)
                self.finish()
                self.check_once()


if __name__ == "__main__":
    unittest.main()
