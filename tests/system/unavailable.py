"""What is not there is named: broker, topic, backend; and a wrong configuration, whole."""

import json
import unittest

from harness import bridge, env, otlp
from harness.kafka import Kafka
from harness.ports import free_port
from harness.receiver import Receiver
from harness.wait import until


class Unavailable(env.Case):
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

    def configure(self, bootstrap: str = "", url: str = "") -> bridge.Bridge:
        made = bridge.Bridge(self.folder, bootstrap or self.kafka.bootstrap,
                             [bridge.otlp_http(url or self.receiver.url)], group=self.topic,
                             window={"wait": "100ms"})
        return made.spans(self.topic)

    def check_fails_fast(self, made: bridge.Bridge, *named: str) -> None:
        run = made.start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        for text in named:
            self.assertIn(text, run.log())

    def test_no_broker(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.check_fails_fast(self.configure(bootstrap=address), address)

    def test_no_topic(self) -> None:
        self.check_fails_fast(self.configure(), f"topic {self.topic} does not exist")

    def test_no_backend(self) -> None:
        self.kafka.create_topics(self.topic)
        port = free_port()
        self.check_fails_fast(self.configure(url=f"http://127.0.0.1:{port}"), str(port),
                              "Connection refused")

    def test_all_there_fail_fast_runs(self) -> None:
        self.kafka.create_topics(self.topic)
        self.kafka.produce(self.topic, [otlp.small_trace().body])
        run = self.configure().start("--fail-fast")
        until("the spans arrive", lambda: len(self.receiver.spans()) == 3)
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_broker_comes_later(self) -> None:
        """Without --fail-fast it says what is missing, and waits."""
        late = Kafka(self.folder / "late")
        self.addCleanup(late.kill)
        run = self.configure(bootstrap=late.bootstrap).start()
        run.wait_log(late.bootstrap)
        late.start()
        late.create_topics(self.topic)
        made = otlp.small_trace()
        late.produce(self.topic, [made.body])
        until("the spans arrive", lambda: self.receiver.span_ids() >= set(made.span_ids))
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_topic_comes_later(self) -> None:
        run = self.configure().start()
        run.wait_log(f"topic {self.topic} does not exist")
        self.kafka.create_topics(self.topic)
        made = otlp.small_trace()
        self.kafka.produce(self.topic, [made.body])
        until("the spans arrive", lambda: self.receiver.span_ids() >= set(made.span_ids))
        self.assertEqual(bridge.EX_OK, run.stop())

    def test_wrong_configuration(self) -> None:
        """All of its errors at once, each with its place; nothing is started."""
        worker = self.folder / "wrong.conf"
        worker.write_text('group = "g";\n'
                          'kafka = { bootstap = "127.0.0.1:9092"; };\n'
                          'window = { wait = "30 parsecs"; };\n'
                          'sinks = ( { name = "b"; type = "otlp_htp"; '
                          'endpoint = "http://x"; } );\n')
        topic = self.folder / "topic.conf"
        topic.write_text('name = "t"; topic = "t";\nrole = "spam";\n')
        for command in ("run", "check"):
            with self.subTest(command):
                done = bridge.run_once(command, str(worker), str(topic))
                self.assertEqual(bridge.EX_CONFIG, done.returncode, done.stderr)
                for place in (f"{worker}:2:", f"{worker}:3:", f"{worker}:4:", f"{topic}:2:"):
                    self.assertIn(place, done.stdout + done.stderr)
                self.assertIn("bootstrap", done.stdout + done.stderr)  # did you mean
        done = bridge.run_once("check", "--json", str(worker), str(topic))
        self.assertEqual(bridge.EX_CONFIG, done.returncode)
        self.assertGreaterEqual(json.loads(done.stdout)["errors"], 4)

    def test_good_configuration(self) -> None:
        done = bridge.run_once("check", *self.configure().files())
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)

    def test_usage(self) -> None:
        for wrong in (["frobnicate"], ["run"], ["run", "--frobnicate", "x.conf"]):
            with self.subTest(wrong):
                self.assertEqual(bridge.EX_USAGE, bridge.run_once(*wrong).returncode)


if __name__ == "__main__":
    unittest.main()
