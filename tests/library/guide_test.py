"""Follows docs/library.md: runs its commands as they stand there, in their order, in one shell.

A block that starts with ```sh library=NAME belongs to the step NAME.  Kafka is librdkafka's mock
cluster; the step of RabbitMQ runs where SPANBRIDGE_TEST_RABBITMQ holds the URL of one.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["SPANBRIDGE_ROOT"])
GUIDE = ROOT / "docs" / "library.md"
RABBITMQ = os.environ.get("SPANBRIDGE_TEST_RABBITMQ")
_FENCE = re.compile(r"^```sh(?: library=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = ["install", "first", "examples", "kafka", "rabbitmq", "spans"]


def steps() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in _FENCE.findall(GUIDE.read_text()):
        found[name or "unnamed"] = found.get(name or "unnamed", "") + text
    return found


def span_of(line: str) -> dict:
    return json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


class Guide(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spanbridge-guide-"))
        self.addCleanup(shutil.rmtree, self.folder)
        # A checkout, as far as building the library needs it, which may be written to.
        self.checkout = self.folder / "checkout"
        for name in ("cmake", "conf", "docs", "include", "src"):
            shutil.copytree(ROOT / name, self.checkout / name)
        shutil.copy2(ROOT / "CMakeLists.txt", self.checkout)
        shutil.copy2(ROOT / "README.md", self.checkout)
        if (ROOT / "build" / "deps").exists():
            (self.checkout / "build").mkdir()
            (self.checkout / "build" / "deps").symlink_to((ROOT / "build" / "deps").resolve())
        self.kafka = subprocess.Popen([os.environ["MOCK_KAFKA"]], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.kafka.communicate)  # closes its standard input, which ends it
        self.bootstrap = self.kafka.stdout.readline().strip()

    def shell(self, text: str) -> str:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        env = {**os.environ, "HOME": str(home), "KAFKA": self.bootstrap,
               "PKG_CONFIG_PATH": os.environ["SPANBRIDGE_PKGCONFIG"], "MAKEFLAGS": "-j2"}
        if RABBITMQ:
            env["RABBITMQ"] = RABBITMQ
        for name in ("CMAKE_PREFIX_PATH", "LD_LIBRARY_PATH"):
            env.pop(name, None)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.checkout, env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=250)
        self.assertEqual(0, done.returncode, f"{text}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("warning", done.stderr.lower())
        return done.stdout

    def expect_joined(self, out: str, system: str) -> None:
        lines = [line for line in out.splitlines() if line.startswith('{"resourceSpans"')]
        self.assertEqual(2, len(lines), out)
        sent, processed = map(span_of, lines)
        self.assertEqual(sent["traceId"], processed["traceId"])
        self.assertEqual(sent["spanId"], processed["parentSpanId"])
        self.assertNotEqual(sent["spanId"], processed["spanId"])
        self.assertNotIn("parentSpanId", sent)
        self.assertEqual((4, 5), (sent["kind"], processed["kind"]))
        self.assertIn(system, lines[0])

    def test_every_block_is_known(self) -> None:
        self.assertEqual(STEPS, list(steps()))

    def test_links(self) -> None:
        for target in re.findall(r"\]\(([^):]+)\)", GUIDE.read_text()):
            self.assertTrue((GUIDE.parent / target).exists(), target)

    def test_it_is_enough(self) -> None:
        texts = steps()
        marks = []
        for name in STEPS:
            if name == "rabbitmq" and not RABBITMQ:
                continue
            if name == "spans" and shutil.which("kcat") is None:
                continue
            marks.append(f"echo '== {name}'\n{texts[name]}")
        # The spans of Kafka are sent on; those of RabbitMQ go to a file of the same name.
        out = self.shell("".join(marks))
        parts = dict(part.split("\n", 1) for part in out.split("== ")[1:])
        self.assertRegex(parts["first"], r"traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-03\n")
        self.expect_joined(parts["kafka"], "kafka")
        if RABBITMQ:
            self.expect_joined(parts["rabbitmq"], "rabbitmq")


if __name__ == "__main__":
    unittest.main()
