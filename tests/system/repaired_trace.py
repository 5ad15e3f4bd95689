"""The main job on real servers: two applications made with the OpenTelemetry SDK send their
spans through Kafka; the consumer lost the context; Jaeger shows one tree.
"""

import signal
import unittest

from harness import bridge, env, shop
from harness.jaeger import Jaeger
from harness.kafka import Kafka
from harness.wait import until

ORDERS = 5


class RepairedTrace(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.jaeger = Jaeger(cls.base / "jaeger").start()
        cls.addClassCleanup(cls.jaeger.stop)

    def setUp(self) -> None:
        super().setUp()
        # Both topics must be empty, and the applications' coordinates start at 0.
        self.kafka.delete_topics(*self.kafka.topics())
        self.kafka.create_topics("orders", "otlp_spans", "late", partitions=2)

    def shop(self, role: str, *options: str,
             propagators: str = "tracecontext,baggage") -> dict[str, str]:
        """Runs one of the applications to its end; the trace id it saw for each order."""
        return shop.run("shop.py", role, "--bootstrap", self.kafka.bootstrap,
                        "--orders", str(ORDERS), *options, propagators=propagators)

    def configure(self, *sinks: bridge.Value, encoding: str = "otlp_proto") -> bridge.Bridge:
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, list(sinks), group=self.id())
        return made.spans("otlp_spans", encoding).messages(
            "orders", repair={"mode": "auto", "queue_span": True})

    def assert_repaired(self, traces: dict[str, str], lost: dict[str, str], rule: str,
                        consumer_root: str) -> None:
        """Each trace is one tree in Jaeger, with the queue between the two services."""
        self.assertEqual(ORDERS, len(set(traces.values())))
        self.assertFalse(set(traces.values()) & set(lost.values()), "there was nothing to repair")
        for order, trace_id in traces.items():
            lost_id = lost[order]
            spans = self.jaeger.trace(trace_id)
            by_id = {span["spanID"]: span for span in spans}
            parents = {span["spanID"]: self.jaeger.parent_of(span) for span in spans}
            roots = [by_id[i] for i, parent in parents.items() if parent is None]
            names = sorted(f"{span['service']}: {span['operationName']}" for span in spans)
            self.assertEqual(["POST /checkout"], [root["operationName"] for root in roots], names)
            self.assertTrue(all(p is None or p in by_id for p in parents.values()), names)

            charge = self.only(spans, "charge card")
            above = [by_id[i]["operationName"] for i in self.ancestors(parents, charge["spanID"])]
            self.assertEqual(consumer_root, above[-4], above)
            self.assertEqual("orders queue", above[-3], above)
            self.assertIn(above[-2], ("orders send", "orders publish"))
            self.assertEqual("POST /checkout", above[-1])

            queue = self.only(spans, "orders queue")
            self.assertEqual("kafka", queue["service"])
            self.assertIs(True, queue["tags"]["spanbridge.synthetic"])

            repaired = [s for s in spans if "spanbridge.repair.rule" in s["tags"]]
            self.assertEqual(1, len(repaired), names)
            tags = repaired[0]["tags"]
            self.assertEqual(consumer_root, repaired[0]["operationName"])
            self.assertEqual(rule, tags["spanbridge.repair.rule"])
            self.assertEqual("A", tags["spanbridge.repair.class"])
            self.assertEqual("parent", tags["spanbridge.repair.action"])
            self.assertTrue(tags["spanbridge.repair.evidence"])
            for span in spans:
                if span["service"] == "billing":
                    self.assertEqual(lost_id, span["tags"]["spanbridge.repair.original_trace_id"])
                else:
                    self.assertNotIn("spanbridge.repair.original_trace_id", span["tags"])
            self.assertEqual([], self.jaeger.trace(lost_id), "the piece is still there by itself")

    @staticmethod
    def ancestors(parents: dict[str, str | None], span_id: str) -> list[str]:
        found, at = [], parents[span_id]
        while at is not None:
            found.append(at)
            at = parents[at]
        return found

    def only(self, spans: list[dict], name: str) -> dict:
        found = [span for span in spans if span["operationName"] == name]
        self.assertEqual(1, len(found), name)
        return found[0]

    def check_report(self, report: bridge.Report, rule: str) -> None:
        self.assertEqual({rule: ORDERS}, report.repairs())
        self.assertEqual(report["read"]["spans"], report["exported"])
        self.assertEqual(ORDERS, report["synthetic"])
        self.assertEqual({"kept": ORDERS, "dropped": 0}, report["traces"])

    def test_header_at_coordinate_over_http(self) -> None:
        """checkout injects; billing's propagation is off; its process span names the record."""
        traces = self.shop("checkout")
        lost = self.shop("billing", propagators="baggage")
        report = self.configure(bridge.otlp_http(self.jaeger.http_url)).drain()
        self.check_report(report, "header_at_coordinate")
        self.assert_repaired(traces, lost, "header_at_coordinate", consumer_root="recv")

    def test_header_at_coordinate_over_grpc(self) -> None:
        traces = self.shop("checkout")
        lost = self.shop("billing", propagators="baggage")
        report = self.configure(bridge.otlp_grpc(self.jaeger.grpc_url)).drain()
        self.check_report(report, "header_at_coordinate")
        self.assert_repaired(traces, lost, "header_at_coordinate", consumer_root="recv")

    def test_link_alone(self) -> None:
        """Propagation works on both sides, and still the instrumentation only links."""
        traces = self.shop("checkout")
        lost = self.shop("billing")
        report = self.configure(bridge.otlp_http(self.jaeger.http_url)).drain()
        self.check_report(report, "link")
        self.assert_repaired(traces, lost, "link", consumer_root="recv")

    def test_coordinate_on_both_sides(self) -> None:
        """Nothing in the headers: both spans name topic, partition and offset."""
        traces = self.shop("checkout", "--style", "coordinate")
        lost = self.shop("billing", "--style", "coordinate")
        report = self.configure(bridge.otlp_http(self.jaeger.http_url)).drain()
        self.check_report(report, "coordinate")
        self.assert_repaired(traces, lost, "coordinate", consumer_root="orders process")

    def test_spans_as_json(self) -> None:
        """The same from a topic of OTLP JSON."""
        traces = self.shop("checkout", "--json")
        lost = self.shop("billing", "--json", propagators="baggage")
        sink = bridge.otlp_http(self.jaeger.http_url)
        report = self.configure(sink, encoding="otlp_json").drain()
        self.check_report(report, "header_at_coordinate")
        self.assert_repaired(traces, lost, "header_at_coordinate", consumer_root="recv")

    def test_consumer_spans_come_first(self) -> None:
        """Which half is read first makes no difference: billing's spans lie before checkout's."""
        traces = self.shop("checkout", "--span-topic", "late")
        lost = self.shop("billing", propagators="baggage")
        self.kafka.produce("otlp_spans", [m.value() for m in self.kafka.read_all("late")])
        report = self.configure(bridge.otlp_http(self.jaeger.http_url, compression="gzip")).drain()
        self.check_report(report, "header_at_coordinate")
        self.assert_repaired(traces, lost, "header_at_coordinate", consumer_root="recv")

    def test_jaeger_comes_later(self) -> None:
        """Over gRPC, as a service: it waits for its backend, and nothing is lost meanwhile."""
        traces = self.shop("checkout")
        lost = self.shop("billing", propagators="baggage")
        late = Jaeger(self.folder / "jaeger")
        self.addCleanup(late.stop)
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, [bridge.otlp_grpc(late.grpc_url)],
                             group=self.id(), window={"wait": "500ms"})
        run = made.spans("otlp_spans").messages("orders").start("--json")
        run.wait_log(late.grpc_url.removeprefix("http://"))
        late.start()
        for order, trace_id in traces.items():
            until("a trace is there", lambda: len(late.trace(trace_id)) == 6)  # noqa: B023
            self.assertEqual([], late.trace(lost[order]))
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((6 * ORDERS, 0), (report["exported"], report["lost"]))

    def test_mode_off_leaves_all_as_it_was(self) -> None:
        traces = self.shop("checkout")
        lost = self.shop("billing", propagators="baggage")
        off = bridge.Bridge(self.folder, self.kafka.bootstrap,
                            [bridge.otlp_http(self.jaeger.http_url)], group=self.id(),
                            repair={"mode": "off"})
        report = off.spans("otlp_spans").messages("orders", repair={"mode": "off"}).drain()
        self.assertEqual({}, report.repairs())
        for trace_id in [*traces.values(), *lost.values()]:
            for span in self.jaeger.trace(trace_id):
                self.assertFalse([t for t in span["tags"] if t.startswith("spanbridge.repair")])
            self.assertTrue(self.jaeger.trace(trace_id))


if __name__ == "__main__":
    unittest.main()
