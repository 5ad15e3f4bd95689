"""Kept spans to an exchange of a real RabbitMQ, read back, and fed through a second bridge."""

import signal
import unittest
from collections.abc import Callable

from harness import bridge, otlp, queues
from harness.rabbitmq import CLASSIC, QUORUM
from harness.wait import until


class RabbitMQSink(queues.QueueCase):
    def setUp(self) -> None:
        super().setUp()
        self.kept = f"{self.queue}.kept"
        self.declare()

    def bind(self, kind: str = QUORUM, **arguments: object) -> None:
        """An exchange whose every message lands in one queue of the same name."""
        self.broker.declare(self.kept, kind, **arguments)
        self.broker.declare_exchange(self.kept, "topic", bind={self.kept: "#"})

    def bridge(self, **sink: bridge.Value) -> bridge.Bridge:
        made = bridge.Bridge(self.folder, "", [{
            "name": "kept", "type": "rabbitmq", "exchange": self.kept,
            "retry": {"initial": "50ms", "max": "500ms"}, **sink}],
            group=self.queue, window={"wait": "100ms"}, rabbitmq={"url": self.broker.url})
        return made.queue(self.queue)

    def kept_ids(self) -> list[bytes]:
        """Of the spans in the queue of kept ones, which stay there."""
        count = self.broker.depth(self.kept)
        messages = self.broker.consume(self.kept, count, ack=False) if count else []
        return [span.span_id for message in messages for span in otlp.spans_of(message.body)]

    def check_all_kept(self, once: bool = True) -> None:
        found = self.kept_ids()
        self.assertEqual(self.expected(), set(found))
        if once:
            self.assertEqual(len(self.expected()), len(found))

    def test_read_back_and_through_a_second_bridge(self) -> None:
        """A message holds spans of one trace, whose id is its routing key."""
        self.bind()
        self.publish(traces=50)
        self.assertEqual(200, self.bridge().drain()["exported"])
        self.wait_ready(0)
        self.check_all_kept()
        messages = self.broker.consume(self.kept, self.broker.depth(self.kept), ack=False)
        for message in messages:
            self.assertEqual({message.method.routing_key},
                             {span.trace_id.hex() for span in otlp.spans_of(message.body)})
            self.assertEqual((2, "application/x-protobuf"), (
                message.properties.delivery_mode, message.properties.content_type))
        self.assertEqual(50, len({message.method.routing_key for message in messages}))
        self.assertEqual(200, self.worker().queue(self.kept).drain()["exported"])
        self.assertEqual(set(), self.missing())
        self.wait_ready(0, self.kept)

    def test_routing_keys(self) -> None:
        """Fixed, through the default exchange to a queue; or with the trace id within."""
        self.bind(CLASSIC)
        self.publish(traces=10)
        self.assertEqual(40, self.bridge(exchange="", routing_key=self.kept).drain()["exported"])
        self.publish(traces=10)
        self.assertEqual(40, self.bridge(routing_key="kept.{trace_id}.x").drain()["exported"])
        self.check_all_kept()
        keys = {message.method.routing_key for message in self.broker.consume(
            self.kept, self.broker.depth(self.kept))}
        traces = {otlp.spans_of(body)[0].trace_id.hex() for body in self.messages}
        self.assertEqual((11, 20), (len(keys), len(traces)))
        self.assertLess(keys - {self.kept}, {f"kept.{trace_id}.x" for trace_id in traces})

    def test_tls(self) -> None:
        certs = self.broker.certs
        assert certs is not None
        self.bind()
        self.publish(traces=5)
        made = self.bridge(url=self.broker.url_for(tls=True), tls={
            "ca": str(certs.ca), "certificate": str(certs.certificate), "key": str(certs.key)})
        self.assertEqual(20, made.drain()["exported"])
        self.check_all_kept()

    def test_a_long_trace(self) -> None:
        """Larger than a frame by far: several messages of one key, or one; every span once."""
        self.bind()
        made = otlp.small_trace(spans=20_000)
        self.messages[made.body] = set(made.span_ids)
        self.broker.publish(self.queue, [made.body])
        self.assertEqual(20_000, self.bridge().drain()["exported"])
        self.check_all_kept()

    # What is in the way, for a while.

    def check_waits(self, said: str, mend: Callable[[], None], traces: int = 25,
                    once: bool = True) -> None:
        """It is said once why nothing goes; nothing was lost or acked when it does."""
        self.publish(traces)
        run = self.bridge().start("--json")
        event = run.wait_event("sink_waits", sink="kept")
        self.assertIn(said, event["reason"])
        mend()
        run.wait_event("sink_recovered", sink="kept")
        self.wait_ready(0)
        self.check_all_kept(once)
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((100, 0, 0), (report["exported"], report["rejected"], report["lost"]))
        self.assertEqual(1, len(run.events("sink_waits")), run.tail())

    def test_no_exchange(self) -> None:
        self.check_waits("NOT_FOUND", self.bind)

    def test_no_queue(self) -> None:
        """A message that comes back was not delivered, though the broker confirms it."""
        self.broker.declare_exchange(self.kept, "topic")
        self.check_waits("NO_ROUTE", self.bind)

    def test_a_full_queue(self) -> None:
        """The broker refuses what does not fit; it goes when there is room."""
        self.bind(CLASSIC, max_length=1, overflow="reject-publish")
        self.broker.publish("x", [b""], self.kept)

        def make_room() -> None:
            self.broker.delete_queue(self.kept)
            self.bind(CLASSIC)
        self.check_waits("", make_room, once=False)

    def test_an_alarm_of_the_broker(self) -> None:
        """Publishers are blocked while its memory is short, and say so; readers are not."""
        self.bind()
        self.publish(traces=25)
        self.broker.set_memory_alarm(on=True)
        self.addCleanup(self.lift_alarm)
        self.check_waits("blocked", self.lift_alarm, traces=0)

    def lift_alarm(self) -> None:
        self.broker.set_memory_alarm(on=False)

    def test_the_broker_closes_the_connection(self) -> None:
        self.bind()
        run = self.bridge().start("--json")
        self.publish(traces=25)
        until("some are kept", lambda: self.broker.depth(self.kept) > 0)
        self.broker.close_connections()
        self.publish(traces=25)
        self.wait_ready(0)
        self.check_all_kept(once=False)
        run.signal(signal.SIGTERM)
        self.assertEqual(0, bridge.finish(run)["lost"])

    def test_kill_9(self) -> None:
        self.bind()
        for _ in range(3):
            self.publish(traces=100)
            before = self.broker.depth(self.kept)
            run = self.bridge().start()
            until("some are kept", lambda: self.broker.depth(self.kept) > before)  # noqa: B023
            run.kill()
        self.bridge().drain()
        self.wait_ready(0)
        self.check_all_kept(once=False)


if __name__ == "__main__":
    unittest.main()
