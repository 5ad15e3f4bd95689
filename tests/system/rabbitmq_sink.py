"""Kept spans in queues of a real RabbitMQ, read back whole, whatever happens to the broker."""

import os
import unittest
from collections.abc import Iterable

from harness import bridge, certs, env, otlp
from harness.kafka import Kafka
from harness.rabbitmq import CLASSIC, QUORUM, Message, RabbitMQ
from harness.wait import until
from harness.watcher import Watcher

# Above any memory that the broker has, and below.
ALARM, NO_ALARM = "1", "1GB"


def rabbitmq_sink(exchange: str, url: str, **more: bridge.Value) -> dict[str, bridge.Value]:
    return {"name": "kept", "type": "rabbitmq", "exchange": exchange, "url": url,
            "retry": {"initial": "50ms", "max": "500ms"}, **more}


def span_ids_of(messages: Iterable[Message]) -> list[bytes]:
    return sorted(s.span_id for message in messages for s in otlp.spans_of(message.body))


def wait_events(run: bridge.Run, name: str, count: int) -> None:
    until(f"{count} times {name}", lambda: len(run.events(name, sink="kept")) >= count)


class RabbitMQSink(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.certs = certs.make(cls.base)
        cls.rabbitmq = RabbitMQ(cls.base / "rabbitmq", cls.certs).start()
        cls.addClassCleanup(cls.rabbitmq.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.exchange = f"{self.topic}.kept"
        self.kafka.create_topics(self.topic)

    def bridge(self, url: str = "", worker: dict[str, bridge.Value] | None = None,
               topic: dict[str, bridge.Value] | None = None,
               **sink: bridge.Value) -> bridge.Bridge:
        """`worker`, `topic`, `sink`: lines of the worker file, the topic file, and the sink."""
        made = bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [rabbitmq_sink(self.exchange, url or self.rabbitmq.url, **sink)],
                             group=self.topic, **(worker or {}))
        return made.spans(self.topic, **(topic or {}))

    def queue(self, exchange_kind: str = "topic", binding: str = "#", kind: str = QUORUM,
              broker: RabbitMQ | None = None) -> str:
        """The exchange, and a queue bound to it."""
        broker = broker or self.rabbitmq
        queue = f"{self.topic}.queue"
        broker.declare(queue, kind)
        broker.declare_exchange(self.exchange, exchange_kind, bind={queue: binding})
        return queue

    def fill(self, traces: int = 50) -> list[bytes]:
        """Each span is a record of its own: span ids, sorted."""
        bodies: list[bytes] = []
        span_ids: list[bytes] = []
        for _ in range(traces):
            more, ids = otlp.split_trace()
            bodies += more
            span_ids += ids
        self.kafka.produce(self.topic, bodies)
        return sorted(span_ids)

    def read(self, queue: str, broker: RabbitMQ | None = None) -> list[Message]:
        """All that is in the queue, each message of one trace."""
        broker = broker or self.rabbitmq
        messages = broker.consume(queue, broker.depth(queue)) if broker.depth(queue) else []
        for message in messages:
            self.assertEqual(1, len({s.trace_id for s in otlp.spans_of(message.body)}))
            self.assertEqual(("application/x-protobuf", 2),
                             (message.properties.content_type, message.properties.delivery_mode))
        ids = [message.properties.message_id for message in messages]
        self.assertEqual(len(ids), len(set(ids)))
        return messages

    def committed(self) -> list[int]:
        return self.kafka.committed(self.topic, self.topic)

    def test_read_back(self) -> None:
        """The key is the trace id; one message for each trace."""
        for kind in (QUORUM, CLASSIC):
            with self.subTest(kind):
                self.topic = f"{self._testMethodName}.{kind}"
                self.exchange = f"{self.topic}.kept"
                self.kafka.create_topics(self.topic)
                queue = self.queue(kind=kind)
                span_ids = self.fill()
                report = self.bridge().drain()
                self.assertEqual(len(span_ids), report["exported"])
                messages = self.read(queue)
                self.assertEqual(50, len(messages))
                self.assertEqual(span_ids, span_ids_of(messages))
                for message in messages:
                    [trace_id] = {s.trace_id.hex() for s in otlp.spans_of(message.body)}
                    self.assertEqual(trace_id, message.method.routing_key)

    def test_direct_binding_over_tls(self) -> None:
        queue = self.queue("direct", "spans.{kept}")
        span_ids = self.fill()
        made = self.bridge(self.rabbitmq.url_for(tls=True), routing_key="spans.{{kept}",
                           tls={"ca": str(self.certs.ca)})
        made.drain()
        self.assertEqual(span_ids, span_ids_of(self.read(queue)))

    def test_default_exchange(self) -> None:
        queue = f"{self.topic}.queue"
        self.rabbitmq.declare(queue)
        self.exchange = ""
        span_ids = self.fill()
        self.bridge(routing_key=queue).drain()
        self.assertEqual(span_ids, span_ids_of(self.read(queue)))

    def test_consistent_hash(self) -> None:
        """Every queue has some of the traces, and a trace is in one queue."""
        queues = [f"{self.topic}.{number}" for number in range(3)]
        for queue in queues:
            self.rabbitmq.declare(queue)
        self.rabbitmq.declare_exchange(self.exchange, "x-consistent-hash",
                                       bind=dict.fromkeys(queues, "1"))
        span_ids = self.fill(90)
        self.bridge().drain()
        by_queue = [self.read(queue) for queue in queues]
        self.assertEqual(span_ids, span_ids_of(m for messages in by_queue for m in messages))
        traces = [{m.method.routing_key for m in messages} for messages in by_queue]
        self.assertTrue(all(traces), traces)
        self.assertEqual(90, sum(map(len, traces)))

    def test_broker_restarts(self) -> None:
        """Killed, and stopped in the orderly way: what was kept is there; some may be twice."""
        queue = self.queue()
        run = self.bridge().start("--json")
        sent: set[bytes] = set()
        for number, end in enumerate((self.rabbitmq.kill, self.rabbitmq.stop), 1):
            first = self.fill(20)
            until("the first spans are kept", lambda: self.rabbitmq.depth(queue) > 0)
            end()
            second = self.fill(20)
            wait_events(run, "sink_waits", number)
            self.rabbitmq.start()
            until("the queue is up", lambda: self.rabbitmq.is_up(queue))
            wait_events(run, "sink_recovered", number)
            sent |= {*first, *second}
        until("all is committed", lambda: self.committed() == [len(sent)])
        self.assertEqual(bridge.EX_OK, run.stop())
        self.assertEqual(len(sent), bridge.Report.of(run)["exported"])
        self.assertEqual(sorted(sent), sorted(set(span_ids_of(self.read(queue)))))

    def test_key_that_no_queue_is_bound_to(self) -> None:
        """It waits, and says why; nothing is committed before somebody binds a queue."""
        queue = self.queue(binding="another.key")
        span_ids = self.fill(5)
        run = self.bridge(worker={"admin": {"listen": "127.0.0.1:0"}}).start("--json")
        watcher = Watcher(run)
        waits = run.wait_event("sink_waits", sink="kept", error="returned")
        self.assertIn("nowhere: NO_ROUTE (312)", waits["reason"])
        status, reasons = watcher.health()
        self.assertEqual(503, status)
        self.assertIn("nowhere: NO_ROUTE (312)", reasons["kept"])
        self.assertIn(self.committed(), ([0], [-1001]))
        self.assertEqual(0, self.rabbitmq.depth(queue))
        self.rabbitmq.declare_exchange(self.exchange, "topic", bind={queue: "#"})
        run.wait_event("sink_recovered", sink="kept")
        until("all is committed", lambda: self.committed() == [20])
        self.assertNotIn("kept", watcher.health()[1])
        self.assertEqual(bridge.EX_OK, run.stop())
        self.assertEqual(span_ids, span_ids_of(self.read(queue)))

    def test_not_mandatory(self) -> None:
        """Then what no queue takes is the broker's to drop."""
        self.queue(binding="another.key")
        self.fill(5)
        self.assertEqual(20, self.bridge(mandatory=False).drain()["exported"])

    def test_full_queue(self) -> None:
        """It nacks what it has no room for; that comes when somebody has made room."""
        queue = f"{self.topic}.queue"
        self.rabbitmq.declare(queue, max_length=10, overflow="reject-publish")
        self.rabbitmq.declare_exchange(self.exchange, "topic", bind={queue: "#"})
        span_ids = self.fill(25)
        run = self.bridge().start("--json")
        run.wait_event("sink_waits", sink="kept", error="nacked")
        found: set[bytes] = set()

        def take() -> bool:
            found.update(span_ids_of(self.read(queue)))
            return found == set(span_ids)
        until("all came", take)
        until("all is committed", lambda: self.committed() == [100])
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_blocked_connection(self) -> None:
        """Short of memory, the broker takes nothing; the sink waits without being cut."""
        queue = self.queue()
        self.addCleanup(self.rabbitmq.ctl, "set_vm_memory_high_watermark", "absolute", NO_ALARM)
        self.rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", ALARM)
        span_ids = self.fill(5)
        run = self.bridge(worker={"admin": {"listen": "127.0.0.1:0"}}).start("--json")
        watcher = Watcher(run)
        run.wait_event("sink_waits", sink="kept", error="blocked")
        self.assertIn("takes no messages now: low on memory", watcher.health()[1]["kept"])
        self.rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", NO_ALARM)
        run.wait_event("sink_recovered", sink="kept")
        until("all is committed", lambda: self.committed() == [20])
        self.assertEqual(bridge.EX_OK, run.stop())
        self.assertEqual(set(span_ids), set(span_ids_of(self.read(queue))))

    def test_stopped_while_blocked(self) -> None:
        """SIGTERM does not wait for the broker; the next run has everything."""
        queue = self.queue()
        self.addCleanup(self.rabbitmq.ctl, "set_vm_memory_high_watermark", "absolute", NO_ALARM)
        self.rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", ALARM)
        span_ids = self.fill(5)
        run = self.bridge(worker={"shutdown": {"timeout": "200ms"}}).start("--json")
        run.wait_event("sink_waits", sink="kept", error="blocked")
        self.assertEqual(bridge.EX_TEMPFAIL, run.stop(), run.tail())
        self.rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", NO_ALARM)
        self.bridge().drain()
        self.assertEqual(set(span_ids), set(span_ids_of(self.read(queue))))

    def test_wrong_password(self) -> None:
        queue = self.queue()
        self.rabbitmq.add_user("writer", "old-word")
        span_ids = self.fill(5)
        run = self.bridge(self.rabbitmq.url_for(user="writer", password="new-word")).start("--json")
        waits = run.wait_event("sink_waits", sink="kept", error="not_let_in")
        self.assertIn("ACCESS_REFUSED", waits["reason"])
        self.assertNotIn("word", waits["reason"])
        self.rabbitmq.ctl("change_password", "writer", "new-word")
        run.wait_event("sink_recovered", sink="kept")
        until("all is committed", lambda: self.committed() == [20])
        self.assertEqual(bridge.EX_OK, run.stop())
        self.assertEqual(span_ids, span_ids_of(self.read(queue)))

    def test_exchange_that_must_not_be_written_to(self) -> None:
        self.queue()
        self.rabbitmq.add_user("reader", "word", may="^nothing$")
        self.fill(1)
        run = self.bridge(self.rabbitmq.url_for(user="reader", password="word")).start("--json")
        waits = run.wait_event("sink_waits", sink="kept", error="not_let_in")
        self.assertIn("access to exchange", waits["reason"])

    def test_exchange_comes_later(self) -> None:
        span_ids = self.fill(5)
        run = self.bridge().start("--drain", "--json")
        waits = run.wait_event("sink_waits", sink="kept", error="closed")
        self.assertIn("no exchange", waits["reason"])
        queue = self.queue()
        bridge.finish(run)
        self.assertEqual(1, len(run.events("sink_waits", sink="kept", error="closed")))
        # Between exchange and binding a message may have been returned.
        self.assertEqual(span_ids, span_ids_of(self.read(queue)))

    def test_broker_that_takes_less(self) -> None:
        """Only by refusing does it say so; a span too large alone is a dead letter."""
        less = RabbitMQ(self.folder / "less", settings={"max_message_size": "100000"}).start()
        self.addCleanup(less.kill)
        queue = self.queue(broker=less)
        dead = f"{self.topic}.dead"
        self.kafka.create_topics(dead)
        trace_id = os.urandom(16)
        spans = [otlp.span(trace_id, note=f"{n}" + "x" * 2000) for n in range(200)]
        large = otlp.span(trace_id, note_1="y" * 60000, note_2="y" * 60000)
        self.kafka.produce(self.topic, [
            otlp.request("shop", [*spans, large]).SerializeToString()])
        made = self.bridge(less.url, topic={"errors": {"deadletterqueue": dead}})
        run = made.start("--drain", "--json")
        report = bridge.finish(run)
        self.assertEqual(len(spans), report["exported"], run.tail())
        self.assertTrue(run.events("records_made_smaller", sink="kept"))
        # What it had taken and not confirmed when it refused came a second time.
        self.assertEqual({s.span_id for s in spans}, set(span_ids_of(self.read(queue, less))))
        letters = [s.span_id for m in self.kafka.read_all(dead)
                   for s in otlp.spans_of(m.value())]
        self.assertEqual([large.span_id], letters)

    def test_fail_fast_names_the_exchange(self) -> None:
        run = self.bridge().start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        found = run.events("unreachable", sink="kept", exchange=self.exchange)
        self.assertEqual(1, len(found), run.tail())
        self.assertIn("no exchange", found[0]["reason"])


if __name__ == "__main__":
    unittest.main()
