"""`spanbridge demo`, as a user starts it: demo_test.py BINARY [unittest arguments]."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE_S = 120
ONCE_S_MAX = 20.0  # what the command promises, on a machine with nothing else to do
RULES = ("header_at_coordinate", "link", "coordinate")


def demo(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "demo", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **env})


def tree_of(spans: list[dict]) -> tuple[list[dict], list[dict]]:
    """Roots, and spans whose parent is not there."""
    ids = {span["span_id"] for span in spans}
    roots = [span for span in spans if "parent_span_id" not in span]
    orphans = [span for span in spans if span.get("parent_span_id", "") not in ids | {""}]
    return roots, orphans


class Once(unittest.TestCase):
    report: dict
    elapsed_s: float

    @classmethod
    def setUpClass(cls) -> None:
        began_s = time.monotonic()
        run = demo("--once", "--json")
        cls.elapsed_s = time.monotonic() - began_s
        if run.returncode != 0:
            raise AssertionError(f"exit code {run.returncode}\n{run.stderr}\n{run.stdout[:4000]}")
        lines = run.stdout.splitlines()
        if len(lines) != 1:
            raise AssertionError(f"{len(lines)} lines on stdout")
        cls.report = json.loads(lines[0])

    def test_it_is_quick(self) -> None:
        self.assertLess(self.elapsed_s, ONCE_S_MAX)

    def test_it_finds_nothing_wrong(self) -> None:
        self.assertTrue(self.report["ok"])
        self.assertEqual(self.report["problems"], [])

    def test_before_is_in_pieces(self) -> None:
        spans = self.report["before"]
        self.assertEqual(len({span["trace_id"] for span in spans}), 3)
        roots, orphans = tree_of(spans)
        self.assertEqual(len(roots), 3)
        self.assertEqual(orphans, [])
        self.assertFalse(any("repair_rule" in span for span in spans))

    def test_after_is_one_tree_with_queues(self) -> None:
        before, after = self.report["before"], self.report["after"]
        self.assertEqual(len({span["trace_id"] for span in after}), 1)
        roots, orphans = tree_of(after)
        self.assertEqual([root["name"] for root in roots], ["POST /checkout"])
        self.assertEqual(orphans, [])
        self.assertLessEqual({s["span_id"] for s in before}, {s["span_id"] for s in after})
        queues = [span for span in after if span["synthetic"]]
        self.assertEqual(sorted(span["name"] for span in queues),
                         ["orders queue", "shipments queue"])
        self.assertEqual(len(after), len(before) + len(queues))

    def test_each_hop_goes_producer_queue_consumer(self) -> None:
        spans = {span["span_id"]: span for span in self.report["after"]}
        repaired = [span for span in spans.values() if "repair_rule" in span
                    and not span["synthetic"]]
        self.assertEqual(sorted(span["repair_rule"] for span in repaired),
                         sorted(hop["rule"] for hop in self.report["expected"]))
        for consumer in repaired:
            queue = spans[consumer["parent_span_id"]]
            producer = spans[queue["parent_span_id"]]
            self.assertEqual(consumer["kind"], "consumer")
            self.assertTrue(queue["synthetic"])
            self.assertEqual(producer["kind"], "producer")
            self.assertLessEqual(producer["start_ns"], queue["start_ns"])
            self.assertLess(queue["start_ns"], queue["end_ns"])
            self.assertEqual(queue["end_ns"], consumer["start_ns"])

    def test_every_hop_of_all_is_joined_by_its_rule(self) -> None:
        joined = {rule: self.report["totals"]["repairs"][rule]["parent"] for rule in RULES}
        self.assertEqual(joined, self.report["sent"]["hops"])
        for rule in RULES:
            self.assertGreater(joined[rule], 500)

    def test_the_accounting_closes(self) -> None:
        totals, sent = self.report["totals"], self.report["sent"]
        received = self.report["received"]
        self.assertEqual(totals["balance"], 0)
        self.assertEqual(totals["read"]["spans"], sent["spans"])
        self.assertEqual(totals["exported"] + sum(totals["dropped"].values()), sent["spans"])
        self.assertEqual(totals["exported"], received["spans"] - received["queue_spans"])

    def test_all_failures_are_kept(self) -> None:
        received, sent = self.report["received"], self.report["sent"]
        self.assertEqual(received["kept_by"]["errors"], sent["failed"])
        self.assertEqual(sum(received["kept_by"].values()), received["traces"])
        self.assertGreater(received["kept_by"]["slow"], 0)
        self.assertGreater(received["kept_by"]["vip"], 0)
        # 5 % of what the others left, give or take
        rest = sent["checkouts"] - received["traces"] + received["kept_by"]["rest"]
        self.assertAlmostEqual(received["kept_by"]["rest"] / rest, 0.05, delta=0.02)


class Pictures(unittest.TestCase):
    def test_a_pipe_gets_no_colour(self) -> None:
        run = demo("--once", "--traces", "100")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("\033", run.stdout)
        self.assertIn("█", run.stdout)
        self.assertIn("orders queue", run.stdout)
        self.assertIn("every span that came in is accounted for", run.stdout)
        self.assertEqual(run.stderr, "")
        self.assertLessEqual(max(map(len, run.stdout.splitlines())), 100)

    def test_ascii_where_the_locale_is(self) -> None:
        run = demo("--once", "--traces", "100", LC_ALL="C")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue(run.stdout.isascii())
        self.assertIn("====", run.stdout)

    def test_terminal_gets_colour_unless_told_otherwise(self) -> None:
        self.assertIn("\033[", self.on_terminal({}))
        self.assertNotIn("\033", self.on_terminal({"NO_COLOR": "1"}))

    def on_terminal(self, env: dict[str, str]) -> str:
        master, slave = pty.openpty()
        run = subprocess.Popen([BINARY, "demo", "--once", "--traces", "50"], stdout=slave,
                               stderr=slave, stdin=subprocess.DEVNULL,
                               env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **env})
        os.close(slave)
        shown = b""
        try:
            while True:
                shown += os.read(master, 65536)
        except OSError:
            pass  # the other side is closed
        finally:
            os.close(master)
        self.assertEqual(run.wait(PATIENCE_S), 0, shown.decode(errors="replace"))
        return shown.decode()


class Open(unittest.TestCase):
    """Without --once."""

    def test_ctrl_c_closes_the_shop(self) -> None:
        run = subprocess.Popen([BINARY, "demo", "--rate", "100"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            shown = self.read_until(run, rb"hops joined\n")
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=PATIENCE_S)
        finally:
            run.kill()
        shown += out
        self.assertEqual(run.returncode, 0, err.decode())
        self.assertEqual(err, b"")
        self.assertIn(b"1  One checkout", shown)
        self.assertIn(b"2  The same checkout", shown)
        self.assertIn(b"every span that came in is accounted for", shown)

    def test_second_signal_ends_it_at_once(self) -> None:
        code, out, err = self.signalled(signal.SIGINT, signal.SIGTERM)
        self.assertEqual(code, 75, err.decode())
        self.assertEqual(err, b"")
        self.assertNotIn(b"every span that came in is accounted for", out)

    def test_third_signal_waits_for_nothing(self) -> None:
        code, _, err = self.signalled(signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
        self.assertEqual(code, -signal.SIGTERM, err.decode())

    def signalled(self, *numbers: int) -> tuple[int, bytes, bytes]:
        """An open shop that finds all of these when it looks: the lowest is taken first."""
        run = subprocess.Popen([BINARY, "demo", "--rate", "100"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            self.read_until(run, rb"hops joined\n")
            for number in (signal.SIGSTOP, *numbers, signal.SIGCONT):
                run.send_signal(number)
            out, err = run.communicate(timeout=PATIENCE_S)
        finally:
            run.kill()
        return run.returncode, out, err

    def read_until(self, run: subprocess.Popen, pattern: bytes) -> bytes:
        shown = b""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, shown):
            ready, _, _ = select.select([run.stdout], [], [], deadline - time.monotonic())
            more = os.read(run.stdout.fileno(), 65536) if ready else b""
            if not more:
                self.fail(f"it ended, or said nothing more: {shown.decode()}")
            shown += more
        return shown


class Doors(unittest.TestCase):
    def test_kept_configuration_is_valid(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            keep = pathlib.Path(folder) / "kept"
            run = demo("--once", "--traces", "50", "--keep", str(keep))
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn(str(keep), run.stdout)
            check = subprocess.run([BINARY, "check", str(keep / "worker.conf")],
                                   capture_output=True, text=True, timeout=PATIENCE_S)
            self.assertEqual(check.returncode, 0, check.stderr)

    def test_missing_broker_is_named(self) -> None:
        run = demo("--once", "--kafka", "127.0.0.1:1")
        self.assertEqual(run.returncode, 69)
        self.assertIn("no Kafka answers at 127.0.0.1:1", run.stderr)
        self.assertEqual(run.stdout, "")

    def test_missing_rabbitmq_is_named(self) -> None:
        for url, why in (("amqp://me:hush@127.0.0.1:1/", "no RabbitMQ answers: no connection to"),
                         ("127.0.0.1", "--rabbitmq: no AMQP URL: ")):
            run = demo("--once", "--rabbitmq", url)
            self.assertEqual(run.returncode, 69)
            first, second = run.stderr.splitlines()
            self.assertIn(why, first)
            self.assertTrue(second.startswith("  help: "), second)
            self.assertNotIn("hush", run.stderr)
            self.assertEqual(run.stdout, "")

    def test_usage(self) -> None:
        run = demo("--nonsense")
        self.assertEqual(run.returncode, 64)
        self.assertIn("--nonsense", run.stderr)
        run = demo("--help")
        self.assertEqual(run.returncode, 0)
        self.assertIn("--once", run.stdout)


if __name__ == "__main__":
    unittest.main()
