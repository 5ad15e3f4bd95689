"""At least once out of queues, whatever is cut, killed, deleted or slow.

Each test ends with a last run to the end of the queue, and the oracle.
"""

import os
import signal
import unittest
from collections.abc import Callable

from harness import bridge, otlp, queues
from harness.proxy import Proxy
from harness.rabbitmq import CLASSIC, QUORUM
from harness.wait import until
from harness.watcher import Watcher

# A flood of 240 MB: less than half of it is under way when intake stops, as that is at most the
# budget and what fits in the buffers of both ends' sockets (84 MB were seen).  Besides its budget
# the bridge may have in memory: code, stacks, those buffers.
FLOOD, FLOOD_BYTES = 12_000, 20_000
MEMORY_MIB = 64
MEMORY_KB_MAX = (MEMORY_MIB + 64) * 1024
ADMIN: bridge.Value = {"listen": "127.0.0.1:0"}
SOON: bridge.Value = {"wait": "100ms"}


class RabbitMQFaults(queues.QueueCase):
    def proxied(self) -> tuple[Proxy, str]:
        proxy = Proxy(self.broker.port)
        self.addCleanup(proxy.close)
        return proxy, self.broker.url_for(port=proxy.port)

    def end(self, run: bridge.Run) -> bridge.Report:
        run.signal(signal.SIGTERM)
        return bridge.finish(run)

    def wait_under_way(self, run: bridge.Run, count: int, opened: int) -> None:
        """So many messages are unacked, on the channel that was opened for the nth time."""
        until("a channel is open", lambda: len(run.events("partition_opened")) == opened)
        until("all are under way", lambda: self.broker.counts(self.queue) == (0, count))

    def check_once(self) -> None:
        """What has been decided only once was exported only once."""
        self.assertEqual(len(self.expected()), len(self.receiver.spans()))

    # The bridge is killed.

    def test_kill_9_in_mid_window(self) -> None:
        """All has been read and nothing is decided: all of it is there again, and acked later."""
        for kind in (CLASSIC, QUORUM):
            with self.subTest(kind):
                self.queue = f"{self._testMethodName}.{kind}"
                self.messages.clear()
                self.markers.clear()
                self.declare(kind)
                self.publish(traces=100)
                for _ in range(2):
                    run = self.configure(window=queues.HOLD).start()
                    self.mark()
                    run.kill()
                    self.assertEqual(self.markers, self.expected() - self.missing())
                    self.wait_ready(len(self.messages))
                self.assertEqual(len(self.expected()), self.finish()["exported"])

    def test_what_came_back_often(self) -> None:
        """A quorum queue counts it, of every message that was out: that is no fault of theirs."""
        self.declare(QUORUM)
        self.publish(traces=25)
        for _ in range(12):
            self.broker.consume(self.queue, 100, ack=False)
            until("all are back", lambda: self.broker.depth(self.queue) == 100)
        [message, *_] = self.broker.consume(self.queue, 100, ack=False)
        self.assertGreaterEqual(message.headers["x-delivery-count"], 12)
        until("all are back", lambda: self.broker.depth(self.queue) == 100)
        report = self.finish(errors={"tolerance": "none"})
        self.assertEqual({"records": {}, "spans": {}}, report["dead_lettered"])
        self.assertEqual(100, report["exported"])

    def test_kill_9_in_export(self) -> None:
        """Killed at its first request, halfway, and with requests that hang."""
        self.declare()
        for point in ("first request", "half", "in flight"):
            with self.subTest(point):
                self.publish(traces=100)
                arrived, requests = len(self.receiver.span_ids()), self.receiver.requests
                if point == "in flight":
                    self.receiver.open_gate.clear()
                run = self.configure(window=SOON).start()
                if point == "half":
                    until("half of it", lambda: len(  # noqa: B023
                        self.receiver.span_ids()) > arrived + 200)  # noqa: B023
                else:
                    until("a request", lambda: self.receiver.requests > requests)  # noqa: B023
                run.kill()
                self.receiver.open_gate.set()
                self.check_acks()
        self.finish()

    # The connection, the channel, the broker.

    def lose(self, how: Callable[[bridge.Run], object], url: str = "",
             **more: bridge.Value) -> None:
        """Something is lost while half is delivered and half under way, and comes back."""
        run = self.configure(url=url, window=SOON, admin=ADMIN, **more).start("--json")
        self.publish(traces=50)
        self.wait_all()
        self.receiver.open_gate.clear()
        requests = self.receiver.requests
        self.publish(traces=50)
        until("a request hangs", lambda: self.receiver.requests > requests)
        how(run)
        self.receiver.open_gate.set()
        self.publish(traces=50)
        self.wait_all()
        self.wait_ready(0)
        watcher = Watcher(run)
        until("health", lambda: watcher.health() == (200, {}))
        self.assertEqual(0, self.end(run)["lost"])

    def test_the_broker_closes_the_connection(self) -> None:
        self.declare()
        self.lose(lambda _run: self.broker.close_connections())

    def test_the_connection_is_cut(self) -> None:
        proxy, url = self.proxied()
        self.declare()
        self.lose(lambda _run: proxy.cut(), url)

    def test_the_connection_hangs(self) -> None:
        """Nothing says so but the heartbeats that do not come."""
        proxy, url = self.proxied()
        self.declare()
        self.lose(lambda _run: proxy.hang(), rabbitmq={"url": url, "heartbeat": "1s"})

    def test_broker_restart(self) -> None:
        self.declare(QUORUM)

        def restart(_run: bridge.Run) -> None:
            self.broker.restart()
            until("the queue is up", lambda: self.broker.is_up(self.queue))
        self.lose(restart)

    def test_acks_of_a_channel_end_with_it(self) -> None:
        """What was finished before the cut says nothing of what is delivered behind it."""
        proxy, url = self.proxied()
        self.declare()
        run = self.configure(url=url, window=queues.HOLD).start()
        for _ in range(20):
            self.mark()
        self.wait_ready(0)
        self.publish(traces=100, spans=2)  # as often as they come, they are no marker
        for opened in (1, 2, 3):
            self.wait_under_way(run, 200, opened)
            if opened < 3:
                proxy.cut()
        run.kill()
        self.wait_ready(200)
        self.finish()

    def test_undecided_when_the_connection_is_cut(self) -> None:
        """It leaves the window with its channel, comes again, and is exported once."""
        proxy, url = self.proxied()
        self.declare()
        run = self.configure(url=url, window=queues.HOLD,
                             shutdown={"drain": "decide"}).start("--json")
        self.publish(traces=50)
        self.wait_under_way(run, 200, opened=1)
        proxy.cut()
        self.wait_under_way(run, 200, opened=2)
        report = self.end(run)
        self.assertEqual((400, 200, 200), (
            report["read"]["spans"], report["returned"], report["exported"]))
        self.assertEqual(set(), self.missing())
        self.check_once()
        self.wait_ready(0)

    def test_consumer_timeout(self) -> None:
        """The broker takes back what is under way for too long: a backend was away for longer."""
        self.broker.set_consumer_timeout(1000, look_ms=200)
        self.addCleanup(self.broker.set_consumer_timeout)
        self.declare()
        self.lose(lambda run: run.wait_log("PRECONDITION_FAILED - delivery acknowledgement"))

    # The queue.

    def test_the_queue_is_deleted_and_declared_again(self) -> None:
        """What was read of it is not lost with it; health says that it is gone, and the other
        queue flows on.
        """
        other = f"{self.queue}.other"
        self.declare()
        self.broker.declare(other)
        run = self.worker(window={"wait": "2s"}, admin=ADMIN).queue(self.queue).queue(
            other).start("--json")
        watcher = Watcher(run)
        until("health", lambda: watcher.health() == (200, {}))
        self.publish(traces=50)
        until("all have been delivered", lambda: self.broker.depth(self.queue) == 0)
        self.broker.delete_queue(self.queue)
        until("trouble", lambda: self.queue in watcher.health()[1])
        status, reasons = watcher.health()
        self.assertEqual((503, {self.queue}), (status, set(reasons)))
        self.publish(traces=5, key=other)
        self.wait_all()
        watcher.scrape()
        self.declare()
        until("health", lambda: watcher.health() == (200, {}))
        self.publish(traces=50)
        self.wait_all()
        self.wait_ready(0)
        self.wait_ready(0, other)
        self.assertEqual(0, self.end(run)["lost"])
        self.check_once()

    def test_the_queue_comes_later(self) -> None:
        run = self.configure(window=SOON, admin=ADMIN).start("--json")
        watcher = Watcher(run)
        until("trouble", lambda: self.queue in watcher.health()[1])
        self.declare()
        self.publish(traces=5)
        self.wait_all()
        until("health", lambda: watcher.health() == (200, {}))
        self.end(run)
        self.wait_ready(0)

    # Too much, too fast.

    def test_a_flood(self) -> None:
        """A publisher that does not stop and a backend that does: memory stays in its bounds."""
        self.declare()
        bodies = []
        for _ in range(FLOOD):
            span = otlp.span(os.urandom(16), padding="x" * FLOOD_BYTES)
            body = otlp.request("flood", [span]).SerializeToString()
            self.messages[body] = {span.span_id}
            bodies.append(body)
        self.receiver.open_gate.clear()
        self.sink_queue = "8MiB"
        run = self.configure(memory=f"{MEMORY_MIB}MiB", decided={"memory": "8MiB"},
                             window=SOON).start("--json")
        self.broker.publish(self.queue, bodies, confirm=False)
        until("all is in the queue, or under way",
              lambda: sum(self.broker.counts(self.queue)) == FLOOD)
        until("requests hang", lambda: self.receiver.requests > 0)
        ready, unacked = self.broker.counts(self.queue)
        self.assertGreater(ready, FLOOD / 2, "intake has not stopped")
        self.receiver.open_gate.set()
        self.wait_all()
        self.assertLess(run.peak_memory_kb(), MEMORY_KB_MAX)
        self.wait_ready(0)
        self.assertEqual((FLOOD, 0), ((report := self.end(run))["exported"], report["lost"]))
        self.check_once()

    def test_prefetch_too_small(self) -> None:
        """It is said at the start, and once more when messages wait for it: with the formula."""
        self.declare()
        self.publish(traces=10)
        run = self.worker(window=queues.HOLD).queue(self.queue, prefetch=4).start("--json")
        run.wait_log("4 prefetch * 1 consumers / 1h window.wait")
        event = run.wait_event("prefetch_too_small", level="warn", queue=self.queue)
        self.assertIn("prefetch x consumers / window.wait = 4 x 1 / 3600", event["text"])
        self.assertEqual((36, 4), self.broker.counts(self.queue))
        self.end(run)
        self.finish()


if __name__ == "__main__":
    unittest.main()
