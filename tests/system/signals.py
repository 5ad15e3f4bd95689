"""SIGTERM ends it in order, a second signal at once; what is left is for the next start."""

import signal
import unittest

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until

# A group that a member has not left is not empty before a test's patience ends.
LONG_SESSION = {"session.timeout.ms": "300000"}


class Signals(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.kafka.create_topics(self.topic)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.made = [otlp.small_trace() for _ in range(20)]
        self.kafka.produce(self.topic, [made.body for made in self.made])

    def configure(self, **more: bridge.Value) -> bridge.Bridge:
        settings: dict[str, bridge.Value] = {"window": {"wait": "100ms"}, **more}
        return bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [bridge.otlp_http(self.receiver.url, timeout="1h")],
                             group=self.topic, **settings).spans(self.topic)

    def start_hanging(self, **more: bridge.Value) -> bridge.Run:
        """The bridge with a request under way that the backend does not answer."""
        self.receiver.open_gate.clear()
        run = self.configure(**more).start("--json")
        until("a request hangs", lambda: self.receiver.requests > 0)
        return run

    def check_next_start_delivers(self) -> None:
        self.receiver.open_gate.set()
        self.configure().drain()
        self.assertEqual({i for made in self.made for i in made.span_ids}, self.receiver.span_ids())
        self.assertEqual([len(self.made)], self.kafka.committed(self.topic, self.topic))

    def test_first_signal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                run = self.configure(kafka=LONG_SESSION).start("--json")
                until("it has joined, and all is delivered", lambda: self.members() == 1
                      and len(self.receiver.span_ids()) == 3 * len(self.made))
                run.signal(number)
                self.assertEqual(bridge.EX_OK, run.wait(), run.tail())
                report = bridge.Report.of(run)
                ended = run.events("ended")[0]
                self.assertEqual((report["read"]["spans"], report["exported"], report["held"]),
                                 (ended["read"], ended["exported"], ended["held"]))
                self.assertEqual([len(self.made)], self.kafka.committed(self.topic, self.topic))
                until("the group is empty", lambda: self.members() == 0)

    def members(self) -> int:
        return len(self.kafka.members(self.topic))

    def test_what_has_a_verdict_is_flushed(self) -> None:
        run = self.start_hanging()
        run.signal(signal.SIGTERM)
        self.receiver.open_gate.set()
        self.assertEqual(bridge.EX_OK, run.wait(), run.tail())
        report = bridge.Report.of(run)
        self.assertGreater(report["exported"], 0)
        self.check_next_start_delivers()

    def test_second_signal_ends_at_once(self) -> None:
        run = self.start_hanging(shutdown={"timeout": "1h"})
        run.signal(signal.SIGTERM)
        run.wait_event("stopping")
        run.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_TEMPFAIL, run.wait(), run.tail())
        self.assertEqual([0], self.kafka.committed(self.topic, self.topic))
        self.check_next_start_delivers()

    def test_deadline_of_the_shutdown(self) -> None:
        run = self.start_hanging(shutdown={"timeout": "1s"})
        run.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_TEMPFAIL, run.wait(), run.tail())
        self.check_next_start_delivers()

    def test_drain_decide_at_shutdown(self) -> None:
        """With shutdown.drain = decide the windows are emptied by verdicts."""
        run = self.configure(window={"wait": "1h"}, shutdown={"drain": "decide"}).start("--json")
        until("the bridge has joined", lambda: self.members() == 1)
        run.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_OK, run.wait(), run.tail())
        report = bridge.Report.of(run)
        self.assertEqual(0, report["held"])
        self.assertEqual(report["read"]["spans"], report["exported"])
        self.check_next_start_delivers()


if __name__ == "__main__":
    unittest.main()
