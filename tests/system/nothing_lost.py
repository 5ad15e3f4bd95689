"""At least once, whatever is killed: the bridge, the broker, the backend."""

import random
import signal
import unittest

from harness import bridge, delivery
from harness.wait import until


class NothingLost(delivery.DeliveryCase):
    def test_kill_9_in_mid_window(self) -> None:
        """All has been read and nothing is decided: it is read again."""
        for _ in range(2):
            run = self.configure(window=delivery.HOLD).start()
            self.produce(traces=200)
            self.mark()
            run.kill()
            self.assertEqual(self.markers, self.receiver.span_ids())
            self.assertEqual([0] * delivery.PARTITIONS, self.check_commits())
        self.finish()

    def test_kill_9_in_export(self) -> None:
        """Killed when it begins to read, at its first request, and with requests in flight."""
        for point in ("reading", "first request", "half", "in flight"):
            with self.subTest(point):
                self.produce(traces=300)
                before = len(self.receiver.span_ids())
                requests = self.receiver.requests
                if point == "in flight":
                    self.receiver.open_gate.clear()
                run = self.configure(instance="a", window={"wait": "500ms"}).start()
                if point == "reading":
                    run.wait_event("partition_opened")
                elif point == "half":
                    until("half of it", lambda: len(self.receiver.span_ids()) > before + 600)
                else:
                    until("a request", lambda: self.receiver.requests > requests)
                run.kill()
                self.receiver.open_gate.set()
                self.check_commits()
        self.finish(instance="a")

    def test_kill_9_at_random_points(self) -> None:
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for round_ in range(5):
            with self.subTest(seed=seed, round=round_):
                self.produce(traces=100)
                target = len(self.receiver.spans()) + chance.randrange(1, 400)
                # A static member: the next start takes its partitions over at once.
                run = self.configure(instance="a", window={"wait": "200ms"}).start()
                until("some spans", lambda: len(self.receiver.spans()) >= target)
                run.kill()
                self.check_commits()
        self.finish(instance="a")

    def test_sigterm_leaves_undecided_traces_to_the_next_start(self) -> None:
        run = self.configure(window=delivery.HOLD).start("--json")
        self.produce(traces=50)
        self.mark()
        run.signal(signal.SIGTERM)
        report = bridge.finish(run)
        self.assertEqual((200, len(self.markers)), (report["held"], report["exported"]))
        self.assertFalse(report["shared"])  # with nobody
        self.assertEqual([0] * delivery.PARTITIONS, self.check_commits())
        self.finish()

    def test_backend_down_for_a_while(self) -> None:
        self.produce(traces=100)
        self.receiver.down()
        run = self.configure(window={"wait": "200ms"}).start("--json")
        run.wait_log(str(self.receiver.port))  # it says which backend it can not reach
        self.assertEqual([0] * delivery.PARTITIONS, self.check_commits())
        self.receiver.up()
        until("all spans arrive", lambda: not self.missing())
        self.receiver.down()
        self.produce(traces=100)
        self.receiver.up()
        until("all spans arrive again", lambda: not self.missing())
        run.signal(signal.SIGTERM)
        self.assertEqual(0, bridge.finish(run)["lost"])
        self.finish()

    def test_backend_refuses_for_a_while(self) -> None:
        """429, 502, 503 and 504 are tried again; nothing is lost, nothing rejected."""
        self.produce(traces=100)
        refusals = [503, 429, 502, 504]
        self.receiver.answer = lambda n: refusals[n - 1] if n <= len(refusals) else 200
        report = self.configure().drain()
        self.assertEqual((len(self.records), 0, 0),
                         (report["exported"], report["rejected"], report["lost"]))
        self.assertEqual(set(), self.missing())
        self.finish()

    def test_broker_restart(self) -> None:
        for stop in (self.kafka.stop, self.kafka.kill):
            with self.subTest(stop.__name__):
                self.produce(traces=100)
                run = self.configure(window={"wait": "300ms"}).start("--json")
                until("some spans", lambda: len(self.missing()) < len(self.expected()))
                self.receiver.open_gate.clear()
                stop()
                self.receiver.open_gate.set()
                self.kafka.start()
                self.produce(traces=100)
                until("all spans arrive", lambda: not self.missing())
                run.signal(signal.SIGTERM)
                bridge.finish(run)
                self.check_commits()
        self.finish()


if __name__ == "__main__":
    unittest.main()
