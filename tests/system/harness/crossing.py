"""A checkout that crosses Kafka and RabbitMQ and loses its trace's context at both.

Its spans reach the bridge through both brokers, too; `Crossing` says what a backend must show.
"""

import dataclasses

from harness import bridge, env, shop
from harness.kafka import Kafka
from harness.rabbitmq import QUORUM, RabbitMQ
from harness.wait import TimedOut, until

ORDERS = 5
ALL = "tracecontext,baggage"
# From the last service's work up to the root.
PATH = ["shipping: pack parcel", "shipping: parcels process", "rabbitmq: parcels queue",
        "billing: parcels send", "billing: parcels send", "billing: orders process",
        "billing: recv", "kafka: orders queue", "checkout: orders send",
        "checkout: POST /checkout"]
BESIDE = ["billing: charge card", "checkout: reserve stock"]
SPANS = (len(PATH) + len(BESIDE) - 2) * ORDERS  # that are read: the two of the queues are ours


@dataclasses.dataclass(frozen=True)
class Node:
    """A span as a backend shows it; `parent` is empty for a root."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    attributes: dict[str, object]

    def __str__(self) -> str:
        return f"{self.service}: {self.name}"


class Crossing(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.broker = RabbitMQ(cls.base / "rabbitmq").start()
        cls.addClassCleanup(cls.broker.kill)

    def setUp(self) -> None:
        super().setUp()
        self.kafka.delete_topics(*self.kafka.topics())
        self.kafka.create_topics("orders", "kafka_spans", partitions=2)
        for queue in ("parcels", "rabbitmq_spans"):
            self.broker.delete_queue(queue)
        self.broker.declare("parcels")
        self.broker.declare("rabbitmq_spans", QUORUM)

    def nodes(self, trace_id: str) -> list[Node]:
        """That trace as the backend has it now."""
        raise NotImplementedError

    def wait_nodes(self, trace_id: str, count: int) -> list[Node]:
        try:
            until(f"{count} spans of {trace_id}", lambda: len(self.nodes(trace_id)) >= count)
        except TimedOut as error:
            raise AssertionError(f"{error}, but {[*map(str, self.nodes(trace_id))]}") from None
        return self.nodes(trace_id)

    def play(self) -> list[dict[str, str]]:
        """All three services; the trace that each saw, by order number."""
        ends = ["--bootstrap", self.kafka.bootstrap, "--orders", str(ORDERS)]
        both = [*ends, "--url", self.broker.url]
        played = [
            shop.run("shop.py", "checkout", *ends, "--span-topic", "kafka_spans"),
            shop.run("crossing_shop.py", "billing", *both, "--span-queue", "rabbitmq_spans"),
            shop.run("crossing_shop.py", "shipping", *both, "--span-topic", "kafka_spans"),
        ]
        ids = [trace_id for seen in played for trace_id in seen.values()]
        self.assertEqual(3 * ORDERS, len(set(ids)), "there was nothing to repair")
        return played

    def configure(self, sink: bridge.Value, **more: bridge.Value) -> bridge.Bridge:
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, [sink], group=self.id(),
                             rabbitmq={"url": self.broker.url},
                             **{"repair": {"mode": "auto", "queue_span": True}, **more})
        self.addCleanup(made.kill)  # of a test that failed: it would read the next one's queue
        return made.spans("kafka_spans").messages("orders").queue("rabbitmq_spans")

    def check_report(self, report: bridge.Report) -> None:
        self.assertEqual({"header_at_coordinate": ORDERS, "link": ORDERS}, report.repairs())
        self.assertEqual(SPANS, report["read"]["spans"])
        self.assertEqual(report["read"]["spans"], report["exported"])
        self.assertEqual((2 * ORDERS, 0), (report["synthetic"], report["held"]))
        self.assertEqual({"kept": ORDERS, "dropped": 0}, report["traces"])
        until("all is acked", lambda: self.broker.counts("rabbitmq_spans") == (0, 0))

    def check_whole(self, played: list[dict[str, str]]) -> None:
        """Each order is one trace with one root, and nothing is left of the pieces."""
        checkout, billing, shipping = played
        for order, trace_id in checkout.items():
            nodes = self.wait_nodes(trace_id, len(PATH) + len(BESIDE))
            names = sorted(map(str, nodes))
            self.assertEqual(sorted(PATH + BESIDE), names)
            self.assertEqual({trace_id}, {node.trace_id for node in nodes})
            by_id = {node.span_id: node for node in nodes}
            self.assertEqual(len(nodes), len(by_id))

            [at] = [node for node in nodes if node.name == "pack parcel"]
            path = [str(at)]
            while at.parent:
                at = by_id[at.parent]
                path.append(str(at))
            self.assertEqual(PATH, path)
            self.check_attributes(nodes, {"billing": billing[order], "shipping": shipping[order]})
            for lost in (billing[order], shipping[order]):
                self.assertEqual([], self.nodes(lost), "the piece is still there by itself")

    def check_attributes(self, nodes: list[Node], lost: dict[str, str]) -> None:
        """Every repair can be understood, and undone."""
        rules = {str(node): node.attributes["spanbridge.repair.rule"] for node in nodes
                 if "spanbridge.repair.rule" in node.attributes}
        self.assertEqual({"billing: recv": "header_at_coordinate",
                          "shipping: parcels process": "link"}, rules)
        for node in nodes:
            self.assertEqual(node.service in ("kafka", "rabbitmq"),
                             "spanbridge.synthetic" in node.attributes)
            self.assertEqual(lost.get(node.service),
                             node.attributes.get("spanbridge.repair.original_trace_id"))
