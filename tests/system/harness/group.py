"""What tests of several instances share: a topic keyed by trace id, and members that come and go.

The oracle is the span ids: a trace of four spans is kept when one of them is an error.  Each span
of a kept trace arrives, and none of another: a trace that two owners had parts of would be seen.
"""

import collections
import os
import random
import signal

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
# Verdicts all the time, and each span arrives.
KEEPS_ALL: dict[str, bridge.Value] = {
    "window": {"wait": "400ms"},
    "sampling": {"policies": [{"name": "all", "type": "always_sample"}]}}


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

    def moves(self) -> list[int]:
        """How many partitions were given, and taken away, each time."""
        return [e["partitions"] * sign for name, sign in (("assigned", 1), ("revoked", -1))
                for e in self.run.events(name)]

    def lanes(self) -> int:
        return sum(self.moves())

    def stop(self) -> bridge.Report:
        self.run.signal(signal.SIGTERM)
        return bridge.finish(self.run)


class GroupCase(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka", BROKER).start()
        cls.addClassCleanup(cls.kafka.kill)

    def begin(self, protocol: str) -> None:
        """A topic, a group and a backend of their own."""
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.topic = f"{self._testMethodName}_{protocol}"
        self.kafka.create_topics(self.topic, partitions=PARTITIONS)
        self.properties = PROTOCOLS[protocol]
        self.members: list[Member] = []
        self.joined = 0
        self.kept: set[bytes] = set()
        self.produced = 0

    def join(self, **more: bridge.Value) -> Member:
        self.joined += 1
        folder = self.folder / f"{self.topic}-{self.joined}"
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
        until("all spans arrive", lambda: self.kept <= self.receiver.span_ids())
        until("all is committed", lambda: self.produced == sum(
            self.kafka.committed(self.topic, self.topic, PARTITIONS)))
        for member in list(self.members):
            report = self.leave(member)
            self.assertEqual((0, 0, 0), (report["held"], report["lost"], report["rejected"]))

    def arrived(self) -> collections.Counter[bytes]:
        return collections.Counter(span.span_id for span in self.receiver.spans())

    def check_once(self) -> None:
        arrived = self.arrived()
        self.assertEqual(self.kept, set(arrived))
        self.assertEqual([], [i for i, count in arrived.items() if count > 1])
