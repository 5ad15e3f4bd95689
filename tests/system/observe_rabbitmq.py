"""run --observe where RabbitMQ is read: streams are looked at, queues are left to their consumers,
and the broker is left as it was.
"""

import unittest

from harness import bridge, env, otlp
from harness.rabbitmq import STREAM, RabbitMQ

MADE = 5


class ObserveRabbitMQ(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.broker = RabbitMQ(cls.base / "rabbitmq").start()
        cls.addClassCleanup(cls.broker.kill)

    def configure(self) -> bridge.Bridge:
        return bridge.Bridge(self.folder, "127.0.0.1:1", [bridge.otlp_http("http://127.0.0.1:1")],
                             rabbitmq={"url": self.broker.url})

    def test_a_queue_is_left_to_its_consumer(self) -> None:
        bodies = [otlp.small_trace().body for _ in range(MADE)]
        self.broker.declare("spans")
        self.broker.declare("stream", STREAM)
        self.broker.publish("spans", bodies)
        self.broker.publish("stream", bodies)
        queues = self.broker.ctl("list_queues", "name")
        offsets = self.folder / "stream.offsets"
        made = self.configure().queue("spans")
        made.queue("stream", queue_type="stream", start="earliest", offsets=str(offsets))
        run = made.start("--observe", "--drain", "--json")
        report = bridge.finish(run)
        self.assertEqual(3 * MADE, report["observed"])
        self.assertEqual(MADE, report["observe"]["traces"]["complete"])
        self.assertIn("left_out", [s["kind"] for s in report["observe"]["next_steps"]])
        self.assertEqual(1, len(run.events("left_out", topic="spans")))
        self.assertEqual((MADE, 0), self.broker.counts("spans"))
        self.assertEqual(queues, self.broker.ctl("list_queues", "name"))
        self.assertFalse(offsets.exists())

    def test_queues_alone_are_refused(self) -> None:
        made = self.configure().queue("alone")
        run = made.start("--observe", "--drain")
        self.assertEqual(bridge.EX_CONFIG, run.wait(), run.tail())


if __name__ == "__main__":
    unittest.main()
