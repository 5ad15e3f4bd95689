"""Runs the commands that README.md shows, as they stand there.

A block that starts with ```sh test=NAME belongs to the step NAME; the blocks of a step run in
one shell, in their order.  Every sh block of the README must name a step that is known here.
Blocks of docs/*.md that carry test=NAME run too, each document in a folder of its own.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

from harness import bridge, env, otlp
from harness.jaeger import Jaeger
from harness.kafka import Kafka
from harness.process import Process
from harness.rabbitmq import RabbitMQ
from harness.wait import until

_FENCE = re.compile(r"^```sh(?: test=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
README = env.ROOT / "README.md"


def steps(document: pathlib.Path) -> dict[str, str]:
    """The shell text of each step; blocks without a name are the step `unnamed`."""
    found: dict[str, str] = {}
    for name, text in _FENCE.findall(document.read_text()):
        found[name or "unnamed"] = found.get(name or "unnamed", "") + text
    return found


class Readme(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.jaeger = Jaeger(cls.base / "jaeger").start()
        cls.addClassCleanup(cls.jaeger.stop)
        cls.kafka.create_topics("orders", "otlp_spans")
        cls.rabbitmq = RabbitMQ(cls.base / "rabbitmq").start()
        cls.addClassCleanup(cls.rabbitmq.kill)
        cls.rabbitmq.declare("otlp_spans")

    def environment(self) -> dict[str, str]:
        binary = pathlib.Path(env.binary()).parent
        return {**os.environ, "KAFKA": self.kafka.bootstrap, "OTLP": self.jaeger.http_url,
                "RABBITMQ": self.rabbitmq.url,
                "PATH": f"{binary}:{os.environ['PATH']}"}

    def shell(self, text: str, folder: pathlib.Path) -> str:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder,
                              env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=2 * env.PATIENCE_S)
        self.assertEqual(0, done.returncode, f"{text}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def shop(self, role: str, propagators: str) -> list[str]:
        """The trace ids of three orders."""
        app = pathlib.Path(__file__).parent / "apps" / "shop.py"
        done = subprocess.run(
            [sys.executable, str(app), role, "--bootstrap", self.kafka.bootstrap, "--orders", "3"],
            env={**os.environ, "OTEL_PROPAGATORS": propagators}, capture_output=True, text=True,
            timeout=env.PATIENCE_S, check=True)
        return list(json.loads(done.stdout).values())

    def test_every_block_is_known(self) -> None:
        self.assertEqual({"quickstart", "own-topics", "service", "queue", "runner"},
                         set(steps(README)))
        # The runner is what runs this; from here it could only run itself again.
        self.assertEqual("bash tests/run.sh\n", steps(README)["runner"])

    def test_links(self) -> None:
        for target in re.findall(r"\]\(([^):]+)\)", README.read_text()):
            self.assertTrue((env.ROOT / target).exists(), target)

    def test_own_topics(self) -> None:
        traces = self.shop("checkout", "tracecontext")
        self.shop("billing", "baggage")
        out = self.shell(steps(README)["own-topics"], self.folder)
        report = bridge.Report(json.loads(out.strip().splitlines()[-1]))
        report.check_closed()
        self.assertEqual({"header_at_coordinate": 3}, report.repairs())
        for trace_id in traces:
            services = {span["service"] for span in self.jaeger.trace(trace_id)}
            self.assertEqual({"checkout", "kafka", "billing"}, services)

        # The same files as a service.
        traces = self.shop("checkout", "tracecontext")
        service = Process("service", ["bash", "-c", "exec " + steps(README)["service"]],
                          self.folder, self.environment())
        self.shop("billing", "baggage")
        until("new traces arrive", lambda: all(self.jaeger.trace(t) for t in traces), 90)
        service.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_OK, service.wait(), service.tail())

        # And besides, spans that come through RabbitMQ.
        made = otlp.small_trace("mailer")
        self.rabbitmq.publish("otlp_spans", [made.body])
        out = self.shell(steps(README)["queue"], self.folder)
        report = bridge.Report(json.loads(out.strip().splitlines()[-1]))
        report.check_closed()
        self.assertEqual((0, 0), self.rabbitmq.counts("otlp_spans"))
        self.assertEqual({"mailer"},
                         {span["service"] for span in self.jaeger.trace(made.trace_id.hex())})

    def test_documents(self) -> None:
        for document in sorted((env.ROOT / "docs").glob("**/*.md")):
            marked = {name: text for name, text in steps(document).items() if name != "unnamed"}
            if marked:
                with self.subTest(document.name):
                    folder = self.folder / document.stem
                    folder.mkdir()
                    self.shell("".join(marked.values()), folder)

    def test_quickstart(self) -> None:
        """From a copy of what git would give out, with librdkafka's build taken along."""
        copy = self.folder / "checkout"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=env.ROOT, capture_output=True, check=True).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (env.ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(env.ROOT / name, copy / name)
        if (env.ROOT / "build" / "deps").is_dir():
            shutil.copytree(env.ROOT / "build" / "deps", copy / "build" / "deps")
        done = subprocess.run(["bash", "-c", steps(README)["quickstart"]], cwd=copy,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=500)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("orders", done.stdout)
        self.assertTrue((copy / "build" / "release" / "spanbridge").exists())


if __name__ == "__main__":
    unittest.main()
