"""Those who watch the service from outside: metrics, health, and the log by module."""

import json
import unittest

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until
from harness.watcher import Watcher, total


class Watched(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def configure(self, **more: bridge.Value) -> bridge.Bridge:
        settings: dict[str, bridge.Value] = {"window": {"wait": "200ms"},
                                             "admin": {"listen": "127.0.0.1:0"}, **more}
        return bridge.Bridge(self.folder, self.kafka.bootstrap,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic,
                             **settings).spans(self.topic)

    def test_a_topic_in_trouble(self) -> None:
        """One topic is not there: health says so, and the other one flows and is counted."""
        missing = f"{self.topic}_missing"
        self.kafka.create_topics(self.topic)
        run = self.configure().spans(missing).start()
        watcher = Watcher(run)
        until("a reason", lambda: missing in watcher.health()[1])
        status, reasons = watcher.health()
        self.assertEqual(503, status)
        self.assertIn("does not exist", reasons[missing])
        self.assertEqual(200, watcher.get("/health/live")[0])
        self.kafka.produce(self.topic, [otlp.small_trace().body for _ in range(20)])
        until("all is delivered",
              lambda: total(watcher.scrape(), "spans_delivered_total") == 60)
        self.assertEqual(503, watcher.health()[0])
        series = watcher.scrape()
        self.assertEqual(
            60, series[f'spanbridge_spans_received_total{{topic="{self.topic}"}}'])
        self.assertEqual(60, series['spanbridge_spans_exported_total{sink="backend"}'])
        until("nothing is behind", lambda: total(watcher.scrape(), "lag_records") == 0)
        self.kafka.create_topics(missing)
        until("health", lambda: watcher.health() == (200, {}))
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_a_cluster_that_goes_away(self) -> None:
        late = Kafka(self.folder / "late").start()
        self.addCleanup(late.kill)
        late.create_topics(self.topic)
        made = bridge.Bridge(self.folder, late.bootstrap,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic,
                             admin={"listen": "0"})
        run = made.spans(self.topic).start()
        watcher = Watcher(run)
        until("health", lambda: watcher.health()[0] == 200)
        late.stop()
        until("trouble", lambda: "kafka" in watcher.health()[1])
        self.assertEqual(503, watcher.health()[0])
        watcher.scrape()
        late.start()
        until("health", lambda: watcher.health() == (200, {}))
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_an_address_in_use(self) -> None:
        self.kafka.create_topics(self.topic)
        run = self.configure().start()
        address = Watcher(run).address
        folder = self.folder / "second"
        folder.mkdir()
        second = bridge.Bridge(folder, self.kafka.bootstrap,
                               [bridge.otlp_http(self.receiver.url)],
                               admin={"listen": address}).spans(self.topic).start()
        self.assertEqual(bridge.EX_UNAVAILABLE, second.wait(), second.tail())
        (event,) = second.events("can_not_listen", level="error")
        self.assertEqual(address, event["address"])
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_levels_by_module(self) -> None:
        """Each line is JSON; of the source only errors, of all others what log.level says."""
        self.kafka.create_topics(self.topic)
        run = self.configure(log={"format": "json", "level": "info",
                                  "levels": {"source": "error"}}).start()
        watcher = Watcher(run)
        until("health", lambda: watcher.health()[0] == 200)
        self.assertEqual(bridge.EX_OK, run.stop())
        lines = [json.loads(line) for line in run.log().splitlines()]
        levels = {(line["module"], line["level"]) for line in lines}
        self.assertIn(("app", "info"), levels)
        self.assertIn(("admin", "info"), levels)
        self.assertEqual(set(), {pair for pair in levels if pair[0] == "source"})


if __name__ == "__main__":
    unittest.main()
