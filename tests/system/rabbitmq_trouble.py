"""What is wrong with one queue is said in clear words, and is the trouble of that queue alone."""

import signal
import unittest

from harness import bridge, otlp, queues
from harness.kafka import Kafka
from harness.ports import free_port
from harness.rabbitmq import STREAM
from harness.wait import until
from harness.watcher import Watcher


class RabbitMQTrouble(queues.QueueCase):
    """One good queue, one good topic of Kafka, and beside them what each test makes wrong."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = f"{self.queue}.kafka"
        self.kafka.create_topics(self.topic)
        self.declare()
        # With the default `hold`: no trace waits two minutes for a source that is in trouble.
        self.made = self.worker(bootstrap=self.kafka.bootstrap, window={"wait": "100ms"},
                                admin={"listen": "127.0.0.1:0"})
        self.made.queue(self.queue).spans(self.topic)

    def check_kafka_flows(self) -> None:
        made = otlp.small_trace()
        self.messages[made.body] = set(made.span_ids)
        self.kafka.produce(self.topic, [made.body])
        self.wait_all()

    def check_both_flow(self) -> None:
        self.publish(traces=5)
        self.check_kafka_flows()

    def end(self, run: bridge.Run) -> bridge.Report:
        run.signal(signal.SIGTERM)
        return bridge.finish(run)

    def test_each_trouble_has_its_words(self) -> None:
        """All at once, in one bridge."""
        words: dict[str, tuple[str, ...]] = {}

        def wrong(name: str, *said: str, **settings: bridge.Value) -> None:
            words[name] = said
            self.made.queue(name, **settings)

        self.broker.declare("a.classic.one")
        self.broker.declare("a.stream", STREAM)
        self.broker.declare("not.a.stream")
        self.broker.declare_exchange("a.topic.exchange", "topic")
        self.broker.declare("permission")
        self.broker.add_user("nobody", "a word", may="^$")
        port = free_port()
        wrong("password", "ACCESS_REFUSED",
              url=self.broker.url_for(password="not-the-word"))
        wrong("vhost", "nowhere", url=self.broker.url_for("nowhere"))
        wrong("permission", "ACCESS_REFUSED", "queue 'permission'",
              url=self.broker.url_for(user="nobody", password="a word"))
        wrong("address", str(port), url=self.broker.url_for(port=port))
        wrong("missing", "NOT_FOUND", "missing")
        wrong("a.classic.one", "PRECONDITION_FAILED", "x-queue-type", declare=True,
              queue_type="quorum", exchange="a.topic.exchange")
        wrong("exchange.type", "PRECONDITION_FAILED", "a.topic.exchange", declare=True,
              exchange="a.topic.exchange", exchange_type="fanout")
        wrong("exchange.missing", "NOT_FOUND", "a.missing.exchange", declare=True,
              exchange="a.missing.exchange")
        wrong("a.stream", 'queue_type = "stream"')
        wrong("not.a.stream", "stream", queue_type=STREAM, start="earliest",
              offsets=str(self.folder / "position"))
        run = self.made.start("--json")
        watcher = Watcher(run)
        until("all others are in trouble",
              lambda: set(watcher.health()[1]) == set(words) - {"a.stream"})

        def all_are_in_trouble() -> bool:
            # It is seen by what its messages carry, from when on it is read.
            self.broker.publish("a.stream", [b""])
            return set(watcher.health()[1]) == set(words)
        until("all are in trouble", all_are_in_trouble)
        for name, text in watcher.health()[1].items():
            for word in words[name]:
                self.assertIn(word, text, name)
        self.check_both_flow()
        watcher.scrape()
        self.end(run)
        self.assertNotIn("not-the-word", run.log() + run.out())
        self.wait_ready(0)

    def test_fail_fast(self) -> None:
        for name, url in (("password", self.broker.url_for(password="not-the-word")),
                          ("vhost", self.broker.url_for("nowhere")),
                          ("address", self.broker.url_for(port=free_port()))):
            with self.subTest(name):
                run = self.worker(url=url).queue(self.queue).start("--fail-fast")
                self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
                self.assertNotIn("not-the-word", run.log() + run.out())
        run = self.worker().queue("missing").start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        self.assertIn("missing", run.log())

    def test_the_brokers_are_away_for_a_while(self) -> None:
        """RabbitMQ from the start on, later Kafka: what comes from the other one flows."""
        self.broker.stop()  # killed it would not know of a queue that is so young
        self.addCleanup(self.start_broker)
        run = self.made.start("--json")
        watcher = Watcher(run)
        until("trouble", lambda: str(self.broker.port) in "".join(watcher.health()[1].values()))
        self.check_kafka_flows()
        self.broker.start()
        self.check_both_flow()
        until("health", lambda: watcher.health() == (200, {}))
        self.wait_ready(0)
        self.kafka.kill()
        until("trouble", lambda: "kafka" in watcher.health()[1])
        self.publish(traces=5)
        self.wait_all()
        self.wait_ready(0)
        watcher.scrape()
        self.kafka.start()
        self.check_both_flow()
        until("health", lambda: watcher.health() == (200, {}))
        self.broker.kill()
        until("trouble", lambda: watcher.health()[0] == 503)
        self.check_kafka_flows()
        self.end(run)

    def start_broker(self) -> None:
        if not self.broker.running():
            self.broker.start()


if __name__ == "__main__":
    unittest.main()
