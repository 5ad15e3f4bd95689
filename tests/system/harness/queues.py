"""What tests of queues share: traces in a queue of a real RabbitMQ, and the oracle.

The oracle is the set of span ids: every one that was published arrives, and a message that its
queue no longer holds has been acknowledged by the backend.
"""

import random

from harness import bridge, certs, env, otlp
from harness.rabbitmq import CLASSIC, RabbitMQ
from harness.receiver import Receiver
from harness.wait import until

MARKER_SPANS = 10
# Nothing but markers is decided: what has been read stays under way.
HOLD: bridge.Value = {"wait": "1h", "spans_per_trace": MARKER_SPANS}


class QueueCase(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.broker = RabbitMQ(cls.base / "rabbitmq", certs.make(cls.base)).start()
        cls.addClassCleanup(cls.broker.kill)

    def setUp(self) -> None:
        super().setUp()
        self.queue = self._testMethodName
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.messages: dict[bytes, set[bytes]] = {}  # the span ids of each body
        self.markers: set[bytes] = set()
        self.sink_queue = "64MiB"

    def sink(self) -> bridge.Value:
        # A gate that is closed for longer than a request may take would make it come twice.
        return bridge.otlp_http(self.receiver.url, batch={"spans": 64, "linger": "20ms"},
                                queue=self.sink_queue, timeout="5m")

    def worker(self, url: str = "", bootstrap: str = "", **more: bridge.Value) -> bridge.Bridge:
        """A configuration without topic files."""
        settings: dict[str, bridge.Value] = {
            "rabbitmq": {"url": url or self.broker.url}, **more}
        made = bridge.Bridge(self.folder, bootstrap, [self.sink()], group=self.queue, **settings)
        self.addCleanup(made.kill)  # of a test that failed
        return made

    def configure(self, **more: bridge.Value) -> bridge.Bridge:
        return self.worker(**more).queue(self.queue)

    def publish(self, traces: int, spans: int = 4, key: str = "", exchange: str = "",
                vhost: str = "/") -> None:
        """Traces whose spans lie in messages of their own, mixed."""
        made: list[bytes] = []
        for _ in range(traces):
            bodies, ids = otlp.split_trace(spans=spans)
            made += bodies
            self.messages |= {body: {i} for body, i in zip(bodies, ids, strict=True)}
        random.shuffle(made)
        self.broker.publish(key or self.queue, made, exchange, vhost=vhost)

    def mark(self) -> None:
        """Waits until the bridge, with HOLD for a window, has read all that was published.

        Behind the end comes a trace that has as many spans as a window takes: it alone is
        decided, and what lies before it has been read when it arrives.
        """
        marker = otlp.small_trace(spans=MARKER_SPANS)
        self.messages[marker.body] = set(marker.span_ids)
        self.markers |= set(marker.span_ids)
        self.broker.publish(self.queue, [marker.body])
        until("the marker arrives", lambda: self.markers <= self.receiver.span_ids())

    def expected(self) -> set[bytes]:
        return set().union(*self.messages.values())

    def missing(self) -> set[bytes]:
        return self.expected() - self.receiver.span_ids()

    def wait_all(self) -> None:
        until("all spans arrive", lambda: not self.missing())

    def wait_ready(self, count: int, queue: str = "") -> None:
        """So many messages are in the queue, and nobody has them under way."""
        name = queue or self.queue
        until(f"{name} has {count} ready", lambda: self.broker.depth(name) == count)
        until("nothing is unacked", lambda: self.broker.counts(name) == (count, 0))

    def check_acks(self) -> None:
        """While no bridge runs: what is not in the queue any more has arrived."""
        until("nothing is unacked", lambda: self.broker.unacked(self.queue) == 0)
        count = self.broker.depth(self.queue)
        left = {message.body for message in self.broker.consume(self.queue, count, ack=False)
                } if count else set()
        arrived = self.receiver.span_ids()
        for body, span_ids in self.messages.items():
            if body not in left and not span_ids <= arrived:
                self.fail(f"a message of {self.queue} was acked, its spans were not delivered")

    def drain(self, made: bridge.Bridge) -> bridge.Report:
        """A run to the end of the queue: everything has arrived, and nothing is left in it."""
        report = made.drain()
        self.assertEqual(set(), self.missing())
        self.wait_ready(0)
        return report

    def finish(self, **more: bridge.Value) -> bridge.Report:
        self.receiver.open_gate.set()
        return self.drain(self.configure(**more))

    def declare(self, kind: str = CLASSIC, **arguments: object) -> None:
        self.broker.declare(self.queue, kind, **arguments)
