"""A trace that broke at Kafka and again at RabbitMQ is whole in Grafana Tempo."""

import unittest

from harness import bridge, crossing
from harness.crossing import Node
from harness.tempo import Tempo


class TwoBrokersTempo(crossing.Crossing):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.tempo = Tempo(cls.base / "tempo").start()
        cls.addClassCleanup(cls.tempo.stop)

    def nodes(self, trace_id: str) -> list[Node]:
        return [Node(one.service, one.span.name, one.span.trace_id.hex(), one.span.span_id.hex(),
                     one.span.parent_span_id.hex(), one.attributes)
                for one in self.tempo.trace(trace_id)]

    def test_drained(self) -> None:
        played = self.play()
        self.check_report(self.configure(bridge.otlp_grpc(self.tempo.grpc_url)).drain())
        self.check_whole(played)


if __name__ == "__main__":
    unittest.main()
