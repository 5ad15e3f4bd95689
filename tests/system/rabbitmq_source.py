"""Spans out of queues of a real RabbitMQ, of every kind and by every way; and the end of a run."""

import pathlib
import signal
import unittest

from harness import bridge, otlp, queues, shop
from harness.rabbitmq import CLASSIC, KINDS, QUORUM, STREAM
from harness.wait import until
from harness.watcher import Watcher

ORDERS = 5


class RabbitMQSource(queues.QueueCase):
    def offsets(self, kind: str) -> dict[str, bridge.Value]:
        """What the topic file of a queue of that kind needs."""
        return {"queue_type": STREAM, "start": "earliest",
                "offsets": str(self.folder / "position")} if kind == STREAM else {}

    def fill(self, queue: str, kind: str) -> tuple[set[bytes], int]:
        """Orders through two services, whose spans go into that queue: span ids, messages."""
        self.broker.declare(f"{queue}.orders")
        for role in ("checkout", "billing"):
            shop.run("rabbitmq_shop.py", role, "--url", self.broker.url, "--orders", str(ORDERS),
                     "--queue", f"{queue}.orders", "--routing-key", f"{queue}.orders",
                     "--span-queue", queue)

        def look() -> tuple[set[bytes], int]:
            count = self.broker.depth(queue)
            messages = self.broker.consume(queue, count, ack=kind == STREAM,
                                           offset="first" if kind == STREAM else None)
            return {span.span_id for m in messages for span in otlp.spans_of(m.body)}, count
        # Two nested send spans for each order, and what lies around them.  A stream does not
        # say at once how long it is.
        return until("all spans are there", lambda: (found := look())[0] and len(
            found[0]) == (2 + 2 + 2) * ORDERS and found)

    def test_each_kind(self) -> None:
        """Spans of the OpenTelemetry SDK, out of an existing queue that is used as it is."""
        for kind in KINDS:
            with self.subTest(kind):
                queue = f"{self.queue}.{kind}"
                self.broker.declare(queue, kind)
                ids, messages = self.fill(queue, kind)
                made = self.worker().queue(queue, **self.offsets(kind))
                report = made.drain()
                self.assertEqual(ids, ids & self.receiver.span_ids())
                self.assertEqual((len(ids), len(ids), messages), (
                    report["read"]["spans"], report["exported"], report["read"]["records"]))
                self.assertEqual({}, report.repairs(), "their context was never lost")
                self.wait_ready(messages if kind == STREAM else 0, queue)

    def test_a_stream_goes_on_where_it_was(self) -> None:
        self.declare(STREAM)
        made = self.worker().queue(self.queue, **self.offsets(STREAM))
        for _ in range(2):
            before = len(self.expected())
            self.publish(traces=25)
            self.assertEqual(100, self.drain_stream(made))
            self.assertEqual(before + 100, len(self.receiver.spans()))
        self.assertEqual(0, self.drain_stream(made), "nothing is new")
        pathlib.Path(str(self.offsets(STREAM)["offsets"])).unlink()
        self.assertEqual(200, self.drain_stream(made), "it begins at the earliest")

    def drain_stream(self, made: bridge.Bridge) -> int:
        report = made.drain()
        self.assertEqual(set(), self.missing())
        self.assertEqual(len(self.messages), self.broker.depth(self.queue))
        return report["read"]["spans"]

    def test_a_stream_from_now_on(self) -> None:
        self.declare(STREAM)
        self.publish(traces=5)
        self.messages.clear()
        run = self.worker(window={"wait": "100ms"}, admin={"listen": "127.0.0.1:0"}).queue(
            self.queue, **{**self.offsets(STREAM), "start": "latest"}).start("--json")
        watcher = Watcher(run)
        until("health", lambda: watcher.health() == (200, {}))
        self.publish(traces=5)
        self.wait_all()
        run.signal(signal.SIGTERM)
        self.assertEqual(20, bridge.finish(run)["read"]["spans"])

    def consumers(self, queue: str) -> int:
        with self.broker.channel() as channel:
            return channel.queue_declare(queue, passive=True).method.consumer_count

    def wait_consumers(self, queue: str, count: int) -> None:
        until(f"{queue} is there", lambda: self.broker.is_up(queue))
        until(f"{queue} has {count} consumers", lambda: self.consumers(queue) == count)

    def declared(self, name: str, **more: bridge.Value) -> bridge.Bridge:
        """A queue that is made, and bound to the exchange of that name."""
        return self.worker(window={"wait": "100ms"}).queue(
            self.queue, exchange=name, declare=True, **more)

    def test_declares_what_is_missing(self) -> None:
        """Exchange, queue and bindings; a second start finds them there."""
        made = self.declared("otlp", exchange_type="topic", binding=["shop.*", "#.eu"])
        for _ in range(2):
            run = made.start("--json")
            self.wait_consumers(self.queue, 1)
            self.publish(traces=5, key="shop.checkout", exchange="otlp")
            self.publish(traces=5, key="any.thing.eu", exchange="otlp")
            self.broker.publish("any.thing.us", [otlp.small_trace().body], "otlp", confirm=False)
            self.wait_all()
            run.signal(signal.SIGTERM)
            self.assertEqual(40, bridge.finish(run)["read"]["spans"])
            self.wait_ready(0)
        found = self.broker.api("GET", f"queues/%2F/{self.queue}")
        self.assertEqual((QUORUM, True, False), (
            found["type"], found["durable"], found["auto_delete"]))

    def test_binds_to_an_exchange_that_is_there(self) -> None:
        self.broker.declare_exchange("fan", "fanout")
        run = self.declared("fan", queue_type=CLASSIC).start("--json")
        self.wait_consumers(self.queue, 1)
        self.publish(traces=5, key="whatever", exchange="fan")
        self.wait_all()
        run.signal(signal.SIGTERM)
        self.assertEqual(20, bridge.finish(run)["exported"])
        self.assertEqual(CLASSIC, self.broker.api("GET", f"queues/%2F/{self.queue}")["type"])

    def test_json(self) -> None:
        self.declare()
        made = [otlp.small_trace() for _ in range(20)]
        self.broker.publish(self.queue, [otlp.as_json(one.body) for one in made])
        self.messages = {one.body: set(one.span_ids) for one in made}
        report = self.drain(self.worker().queue(self.queue, encoding="otlp_json"))
        self.assertEqual(60, report["exported"])

    def test_several_consumers(self) -> None:
        """Channels of one queue share its messages, and the two workers the channels."""
        self.declare()
        self.publish(traces=200)
        made = self.worker(window={"wait": "100ms"}).queue(
            self.queue, consumers=3, prefetch=50)
        self.assertEqual(800, self.drain(made)["exported"])

    def test_queues_of_other_users_and_hosts(self) -> None:
        """A topic file's url stands for the worker's; what is odd in it is percent-encoded."""
        self.broker.add_vhost("other/place")
        self.broker.add_user("a reader", "p@ss:word/%", "other/place")
        self.broker.declare("there", vhost="other/place")
        self.declare()
        self.publish(traces=5)
        self.publish(traces=5, key="there", vhost="other/place")
        made = self.configure().queue("there", url=self.broker.url_for(
            "other/place", "a reader", "p@ss:word/%"))
        self.assertEqual(40, self.drain(made)["exported"])
        self.assertEqual((0, 0), self.broker.counts("there", "other/place"))

    def test_tls(self) -> None:
        """By the authority that signed, with a certificate of our own, and without a check."""
        certs = self.broker.certs
        assert certs is not None
        self.declare()
        for tls in ({"ca": str(certs.ca)}, {"insecure": True},
                    {"ca": str(certs.ca), "certificate": str(certs.certificate),
                     "key": str(certs.key)}):
            with self.subTest(tls):
                self.publish(traces=5)
                made = self.worker(rabbitmq={
                    "url": self.broker.url_for(tls=True), "tls": tls}).queue(self.queue)
                self.assertEqual(20, self.drain(made)["exported"])

    def test_tls_of_a_stranger_is_refused(self) -> None:
        self.declare()
        self.publish(traces=1)
        run = self.worker(url=self.broker.url_for(tls=True)).queue(self.queue).start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        self.assertIn("certificate", run.log())
        self.wait_ready(4)

    # The end of a run, and what it leaves in the queue.

    def test_sigterm_leaves_what_is_undecided(self) -> None:
        """What is undecided goes back to the queue, whole, and the next start has it."""
        self.declare()
        run = self.configure(window=queues.HOLD).start("--json")
        self.publish(traces=50)
        self.mark()
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((200, queues.MARKER_SPANS), (report["held"], report["exported"]))
        self.assertEqual(self.markers, self.receiver.span_ids())
        self.wait_ready(201)
        self.assertEqual(200 + queues.MARKER_SPANS, self.finish()["exported"])

    def test_sigterm_and_acks_that_are_due(self) -> None:
        """Acks that were due at the signal have reached the broker when it ends."""
        self.declare()
        run = self.configure(window={"wait": "50ms"}).start("--json")
        for _ in range(5):
            self.publish(traces=20)
        self.wait_all()
        run.signal(signal.SIGTERM)
        self.assertEqual((400, 0), (bridge.finish(run)["exported"], len(self.missing())))
        self.wait_ready(0)

    def test_sigterm_decides(self) -> None:
        """With shutdown.drain = decide the windows are emptied by verdicts."""
        self.declare()
        run = self.configure(window=queues.HOLD, shutdown={"drain": "decide"}).start("--json")
        self.publish(traces=50)
        self.mark()
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((0, 200 + queues.MARKER_SPANS), (report["held"], report["exported"]))
        self.assertEqual(set(), self.missing())
        self.wait_ready(0)

    def start_hanging(self, **more: bridge.Value) -> bridge.Run:
        """The bridge with a request under way that the backend does not answer."""
        self.publish(traces=20)
        requests = self.receiver.requests
        self.receiver.open_gate.clear()
        run = self.configure(window={"wait": "100ms"}, **more).start("--json")
        until("a request hangs", lambda: self.receiver.requests > requests)
        return run

    def test_sigterm_flushes_what_has_a_verdict(self) -> None:
        self.declare()
        run = self.start_hanging()
        run.signal(signal.SIGTERM)
        self.receiver.open_gate.set()
        report = bridge.finish(run)
        self.assertGreater(report["exported"], 0)
        self.check_acks()
        self.finish()

    def test_sigterm_deadline_and_second_signal(self) -> None:
        """Exit 75: something was under way; nothing of it was acked."""
        self.declare()
        for name, more in (("deadline", {"shutdown": {"timeout": "1s"}}), ("second signal", {})):
            with self.subTest(name):
                run = self.start_hanging(**more)
                run.signal(signal.SIGTERM)
                if name == "second signal":
                    run.wait_event("stopping")
                    run.signal(signal.SIGTERM)
                self.assertEqual(bridge.EX_TEMPFAIL, run.wait(), run.tail())
                self.check_acks()
                self.finish()

    def test_drain_of_an_empty_queue(self) -> None:
        self.declare()
        self.assertEqual(0, self.finish()["read"]["records"])

    def test_drain_while_more_comes(self) -> None:
        """It reads what was there; what came behind has arrived, or is there for the next run."""
        self.declare()
        self.publish(traces=50)
        self.receiver.open_gate.clear()
        run = self.configure(window={"wait": "100ms"}).start("--drain", "--json")
        until("a request hangs", lambda: self.receiver.requests > 0)
        self.publish(traces=50)
        self.receiver.open_gate.set()
        report = bridge.finish(run)
        self.assertGreaterEqual(report["read"]["records"], 200)
        self.check_acks()
        self.finish()


if __name__ == "__main__":
    unittest.main()
