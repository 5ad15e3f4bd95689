"""Taps of RabbitMQ read business messages and take them from nobody."""

import os
import signal
import unittest

from harness import bridge, otlp, queues, shop
from harness.rabbitmq import STREAM
from harness.wait import until
from harness.watcher import Watcher, total
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ORDERS = 5


class RabbitMQTaps(queues.QueueCase):
    def setUp(self) -> None:
        super().setUp()
        self.orders = f"{self.queue}.orders"  # where the real consumer reads
        self.exchange = f"{self.queue}.shop"
        self.tap = f"{self.queue}.tap"
        self.declare()  # of the spans
        self.broker.declare(self.orders)
        self.broker.declare_exchange(self.exchange, "topic", bind={self.orders: "order.*"})

    def tapping(self, tap: str = "", **more: bridge.Value) -> bridge.Bridge:
        made = self.configure(admin={"listen": "127.0.0.1:0"}, window={"wait": "300ms"},
                              instance="a")
        return made.queue(tap or self.tap, role="messages", **more)

    def start(self, made: bridge.Bridge, tap: str) -> tuple[bridge.Run, Watcher]:
        """Waits until the tap's queue is there and is read."""
        run = made.start("--json")
        watcher = Watcher(run)
        until("the tap's queue is there", lambda: self.broker.is_up(tap))
        until("health", lambda: watcher.health() == (200, {}))
        return run, watcher

    def shop(self, role: str, *options: str) -> dict[str, str]:
        return shop.run("rabbitmq_shop.py", role, "--url", self.broker.url,
                        "--orders", str(ORDERS), "--queue", self.orders,
                        "--exchange", self.exchange, "--routing-key", "order.new",
                        "--span-queue", self.queue, *options)

    def wait_messages(self, watcher: Watcher, count: int) -> None:
        until(f"{count} messages are read",
              lambda: total(watcher.scrape(), "messages_received_total") == count)

    def check_nobody_lost_any(self) -> None:
        """What the shop sent is all there for billing, as it was sent."""
        sent = self.shop("checkout", "--message-id")
        messages = self.broker.consume(self.orders, ORDERS, ack=False)
        self.assertEqual(set(sent.values()),
                         {m.headers["traceparent"].split("-")[1] for m in messages})
        self.assertEqual({("order.new", 2)}, {
            (m.method.routing_key, m.properties.delivery_mode) for m in messages})
        self.assertEqual(sent, self.shop("billing"))
        self.wait_ready(0, self.orders)

    def end(self, run: bridge.Run) -> bridge.Report:
        """Ends it once all of the shop's spans have come through."""
        until("all spans arrive", lambda: len(self.receiver.span_ids()) == (2 + 2 + 2) * ORDERS)
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual({}, report.repairs(), "their context was never lost")
        return report

    def test_an_exchange(self) -> None:
        """Through a queue of the instance's own, beside that of the real consumer."""
        own = f"{self.tap}.a"
        run, watcher = self.start(self.tapping(
            exchange=self.exchange, binding="order.#", declare=True), own)
        self.check_nobody_lost_any()
        self.wait_messages(watcher, ORDERS)
        self.wait_ready(0, own)
        self.end(run)

    def test_an_exchange_while_nobody_else_reads(self) -> None:
        run, watcher = self.start(self.tapping(exchange=self.exchange, declare=True),
                                  f"{self.tap}.a")
        self.broker.publish("order.new", [b"an order"] * 100, self.exchange)
        self.wait_messages(watcher, 100)
        self.assertEqual((100, 0), self.broker.counts(self.orders))
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_firehose(self) -> None:
        """Published and delivered copies, the context inside of what they wrap."""
        own = f"{self.tap}.a"
        run, watcher = self.start(self.tapping(
            format="firehose", declare=True,
            binding=[f"publish.{self.exchange}", f"deliver.{self.orders}"]), own)
        self.broker.firehose(on=True)
        self.addCleanup(self.broker.firehose, on=False)
        sent = self.shop("checkout")
        self.assertEqual(sent, self.shop("billing"))
        self.wait_messages(watcher, 2 * ORDERS)
        self.wait_ready(0, own)
        self.wait_ready(0, self.orders)
        self.end(run)

    def test_a_queue_that_is_not_ours(self) -> None:
        """Refused, unless it is said that its messages are meant for the bridge alone."""
        self.broker.publish("order.new", [b"an order"] * 10, self.exchange)
        made = self.tapping(self.orders)
        for command in ("run", "check"):
            done = bridge.run_once(command, *made.files())
            self.assertEqual(bridge.EX_CONFIG, done.returncode, done.stderr)
            self.assertIn("dedicated", done.stdout + done.stderr)
        self.wait_ready(10, self.orders)

        run, watcher = self.start(self.tapping(self.orders, dedicated=True), self.orders)
        self.wait_messages(watcher, 10)
        self.wait_ready(0, self.orders)
        self.assertEqual(bridge.EX_OK, run.stop())

    def publish_hops(self) -> list[tuple[Span, Span]]:
        """Orders through a stream, whose consumers lost the context and know the offset: what
        producer and consumer say of each.
        """
        hops = []
        about: dict[str, str | int] = {"messaging__system": "rabbitmq",
                                       "messaging__destination__name": self.tap}
        for number in range(ORDERS):
            sent = otlp.span(os.urandom(16), name="send", kind=otlp.PRODUCER,
                             messaging__operation="publish", **about)
            self.broker.publish(self.tap, [b"an order"], headers={
                "traceparent": f"00-{sent.trace_id.hex()}-{sent.span_id.hex()}-01"})
            received = otlp.span(os.urandom(16), name="process", kind=otlp.CONSUMER,
                                 messaging__operation="process",
                                 messaging__destination__partition__id="0",
                                 messaging__kafka__offset=number, **about)
            for span in (received, sent):
                body = otlp.request("shop", [span]).SerializeToString()
                self.messages[body] = {span.span_id}
                self.broker.publish(self.queue, [body])
            hops.append((sent, received))
        return hops

    def test_a_stream(self) -> None:
        """Every run reads it anew, whoever else does, and an offset in it is a coordinate."""
        self.broker.declare(self.tap, STREAM)
        hops = self.publish_hops()
        bodies = list(self.messages)
        for round_ in range(2):
            if round_ > 0:
                self.broker.publish(self.queue, bodies)
            before = len(self.receiver.spans())
            report = self.drain(self.tapping(queue_type=STREAM, start="earliest"))
            self.assertEqual({"header_at_coordinate": ORDERS}, report.repairs())
            found = {span.span_id: span for span in self.receiver.spans()[before:]}
            self.assertEqual(2 * ORDERS, len(found))
            for sent, received in hops:
                repaired = found[received.span_id]
                self.assertEqual((sent.trace_id, sent.span_id),
                                 (repaired.trace_id, repaired.parent_span_id))
            self.assertEqual(ORDERS, len(self.broker.consume(self.tap, ORDERS, offset="first")))


if __name__ == "__main__":
    unittest.main()
