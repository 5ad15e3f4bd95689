"""What the binary does besides `run`: versions, samples, the demo, the installed copy."""

import json
import pathlib
import re
import subprocess
import time
import unittest

from harness import bridge, env
from harness.kafka import Kafka

LIBRARIES = ("librdkafka", "libcurl", "libevent", "libconfig", "jansson", "zlib", "zstd", "lz4",
             "pcre2", "xxhash", "openssl")


class Commands(env.Case):
    def test_version_names_every_library(self) -> None:
        done = bridge.run_once("--version")
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], r"^spanbridge \d+\.\d+\.\d+")
        for library in LIBRARIES:
            self.assertRegex(done.stdout.lower(), re.escape(library) + r"\S*\s+\S*\d+\.\d+",
                             library)

    def test_sample_passes_its_own_check(self) -> None:
        made = bridge.run_once("config", "init", str(self.folder))
        self.assertEqual(bridge.EX_OK, made.returncode, made.stderr)
        checked = bridge.run_once("check", "worker.conf", "topics/otlp_spans.conf",
                                  cwd=self.folder)
        self.assertEqual(bridge.EX_OK, checked.returncode, checked.stderr)

    def test_reference(self) -> None:
        docs = bridge.run_once("config", "docs")
        self.assertEqual(bridge.EX_OK, docs.returncode, docs.stderr)
        self.assertIn("window.wait", docs.stdout)

    def test_secrets_are_not_shown(self) -> None:
        made = bridge.Bridge(self.folder, "127.0.0.1:1", [bridge.otlp_http(
            "http://127.0.0.1:1", headers=[{"name": "authorization", "value": "hush-hush"}])],
            kafka={"sasl.password": "hush-hush"})
        shown = bridge.run_once("config", "show", *made.spans("t").files())
        self.assertEqual(bridge.EX_OK, shown.returncode, shown.stderr)
        self.assertIn("127.0.0.1:1", shown.stdout)
        self.assertNotIn("hush-hush", shown.stdout + shown.stderr)

    def test_demo_by_itself(self) -> None:
        started = time.monotonic()
        done = bridge.run_once("demo", "--once", cwd=self.folder)
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertLess(time.monotonic() - started, 20)
        self.assertIn("queue", done.stdout)
        self.assertNotIn("\x1b", done.stdout, "colour though this is no terminal")
        self.assertEqual([], [p.name for p in self.folder.iterdir()], "the demo left something")

    def test_demo_for_machines(self) -> None:
        done = bridge.run_once("demo", "--once", "--json", cwd=self.folder)
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        json.loads(done.stdout)

    def test_demo_on_a_real_broker_cleans_up(self) -> None:
        kafka = Kafka(self.base / "kafka").start()
        self.addCleanup(kafka.kill)
        kafka.create_topics("mine")
        done = bridge.run_once("demo", "--once", "--kafka", kafka.bootstrap)
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertEqual({"mine"}, kafka.topics())

    def test_installed_copy_runs(self) -> None:
        build = pathlib.Path(env.binary()).parent
        prefix = self.folder / "prefix"
        subprocess.run(["cmake", "--install", str(build), "--prefix", str(prefix)], check=True,
                       capture_output=True)
        done = subprocess.run([str(prefix / "bin" / "spanbridge"), "--version"],
                              capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    unittest.main()
