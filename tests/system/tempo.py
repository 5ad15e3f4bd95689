"""Grafana Tempo as the backend: a trace that was broken at Kafka is one tree in it."""

import unittest

from harness import bridge, env, otlp, shop
from harness.kafka import Kafka
from harness.tempo import Found, Tempo
from harness.wait import until

ORDERS = 5
# From the work of the consumer up to the root; beside it lies `reserve stock`.
PATH = ["charge card", "orders process", "recv", "orders queue", "orders send", "POST /checkout"]


class TempoBackend(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.tempo = Tempo(cls.base / "tempo").start()
        cls.addClassCleanup(cls.tempo.stop)

    def setUp(self) -> None:
        super().setUp()
        self.kafka.delete_topics(*self.kafka.topics())
        self.kafka.create_topics("orders", "otlp_spans", partitions=2)

    def shop(self, role: str, propagators: str) -> dict[str, str]:
        return shop.run("shop.py", role, "--bootstrap", self.kafka.bootstrap,
                        "--orders", str(ORDERS), propagators=propagators)

    def trace(self, trace_id: str, spans: int) -> list[Found]:
        until(f"{spans} spans of a trace are in Tempo",
              lambda: len(self.tempo.trace(trace_id)) >= spans)
        return self.tempo.trace(trace_id)

    def check_one_tree(self, trace_id: str, lost_id: str) -> None:
        found = self.trace(trace_id, spans=len(PATH) + 1)
        by_id = {one.span.span_id: one for one in found}
        names = sorted(f"{one.service}: {one.span.name}" for one in found)
        self.assertEqual(len(PATH) + 1, len(by_id), names)
        self.assertEqual({trace_id}, {one.span.trace_id.hex() for one in found})
        self.assertEqual(["POST /checkout"],
                         [one.span.name for one in found if not one.span.parent_span_id], names)

        [at] = [one for one in found if one.span.name == "charge card"]
        path = [at.span.name]
        while at.span.parent_span_id:
            at = by_id[at.span.parent_span_id]
            path.append(at.span.name)
        self.assertEqual(PATH, path)

        [repaired] = [one for one in found if "spanbridge.repair.rule" in one.attributes]
        self.assertEqual(("billing", "recv", otlp.CONSUMER),
                         (repaired.service, repaired.span.name, repaired.span.kind))
        self.assertEqual("header_at_coordinate", repaired.attributes["spanbridge.repair.rule"])
        self.assertEqual({lost_id}, {one.attributes["spanbridge.repair.original_trace_id"]
                                     for one in found if one.service == "billing"})
        self.assertEqual([], self.tempo.trace(lost_id), "the piece is still there by itself")

    def check_repaired_through(self, sink: bridge.Value) -> None:
        traces = self.shop("checkout", "tracecontext,baggage")
        lost = self.shop("billing", "baggage")
        self.assertFalse(set(traces.values()) & set(lost.values()), "there was nothing to repair")
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, [sink], group=self.id())
        report = made.spans("otlp_spans").messages(
            "orders", repair={"mode": "auto", "queue_span": True}).drain()
        self.assertEqual({"header_at_coordinate": ORDERS}, report.repairs())
        self.assertEqual(report["read"]["spans"], report["exported"])
        for order, trace_id in traces.items():
            self.check_one_tree(trace_id, lost[order])

    def test_over_grpc(self) -> None:
        self.check_repaired_through(bridge.otlp_grpc(self.tempo.grpc_url))

    def test_over_http(self) -> None:
        self.check_repaired_through(bridge.otlp_http(self.tempo.http_url, compression="gzip"))

    def test_unknown_trace(self) -> None:
        """What the other tests take for `not there` is an answer, not a failure to ask."""
        self.assertEqual([], self.tempo.trace("0123456789abcdef0123456789abcdef"))


if __name__ == "__main__":
    unittest.main()
