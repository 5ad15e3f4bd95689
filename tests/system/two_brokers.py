"""A trace that broke at Kafka and again at RabbitMQ is whole in Jaeger."""

import signal
import unittest

from harness import bridge, crossing
from harness.crossing import Node
from harness.jaeger import Jaeger


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
        """Over gRPC, while the shop sells."""
        run = self.configure(bridge.otlp_grpc(self.jaeger.grpc_url)).start("--json")
        played = self.play()
        self.check_whole(played)
        run.signal(signal.SIGTERM)
        self.check_report(bridge.finish(run))


if __name__ == "__main__":
    unittest.main()
