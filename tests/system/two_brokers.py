"""A trace that broke at Kafka and again at RabbitMQ is whole in Jaeger."""

import signal
import unittest

from harness import bridge, crossing
from harness.crossing import Node
from harness.jaeger import Jaeger
from harness.wait import until
from harness.watcher import Watcher, total


class TwoBrokers(crossing.Crossing):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.jaeger = Jaeger(cls.base / "jaeger").start()
        cls.addClassCleanup(cls.jaeger.stop)

    def nodes(self, trace_id: str) -> list[Node]:
        return [Node(span["service"], span["operationName"], span["traceID"], span["spanID"],
                     self.jaeger.parent_of(span) or "", span["tags"])
                for span in self.jaeger.trace(trace_id)]

    def test_drained(self) -> None:
        played = self.play()
        made = self.configure(bridge.otlp_http(self.jaeger.http_url))
        self.check_report(made.drain())
        self.check_whole(played)

    def test_as_a_service(self) -> None:
        """Over gRPC, while the shop sells.

        In its first sale the bridge learns who consumes what.  From then on a trace waits for its
        consumers, however long these take to start; before, it can be decided without them.
        """
        run = self.configure(bridge.otlp_grpc(self.jaeger.grpc_url),
                             admin={"listen": "127.0.0.1:0"}).start("--json")
        watcher = Watcher(run)
        self.play()
        until("the first sale is read",
              lambda: total(watcher.scrape(), "spans_received_total") == crossing.SPANS)
        self.check_whole(self.play())
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((2 * crossing.SPANS, 2 * crossing.SPANS, 0), (
            report["read"]["spans"], report["exported"], report["held"]))


if __name__ == "__main__":
    unittest.main()
