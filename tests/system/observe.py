"""run --observe on a real Kafka, beside a service that has committed: it disturbs nothing, it tells
where the traces of instrumented applications break, and a run then mends what it said.
"""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import unittest

from harness import bridge, env, otlp, shop
from harness.kafka import Kafka
from harness.receiver import Receiver
from harness.wait import until

ORDERS = 5
SERVICE = "bridge"  # the group of the service itself
JAVA = "io.opentelemetry.kafka-clients-2.6"


class Observe(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)

    def setUp(self) -> None:
        super().setUp()
        self.kafka.delete_topics(*self.kafka.topics())
        self.kafka.create_topics("orders", "otlp_spans", partitions=2)
        # A sink that must not even be connected to.
        self.sink = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.sink.close)
        self.group = f"{SERVICE}-{self._testMethodName}"

    def shop(self, role: str, *options: str,
             propagators: str = "tracecontext,baggage") -> dict[str, str]:
        return shop.run("shop.py", role, "--bootstrap", self.kafka.bootstrap,
                        "--orders", str(ORDERS), *options, propagators=propagators)

    def configure(self, *, url: str | None = None, messages: bool = True,
                  **more: bridge.Value) -> bridge.Bridge:
        url = url or f"http://127.0.0.1:{self.sink.getsockname()[1]}"
        made = bridge.Bridge(self.folder, self.kafka.bootstrap, [bridge.otlp_http(url)],
                             group=self.group, instance="one", **more)
        made.spans("otlp_spans", errors={"deadletterqueue": "otlp_spans.dlq"})
        return made.messages("orders", start="earliest") if messages else made

    def look(self, made: bridge.Bridge, *options: str) -> bridge.Report:
        """A look at what is there."""
        groups = self.groups()
        offsets = self.committed()
        report = bridge.finish(made.start("--observe", "--drain", "--json", *options))
        self.assert_untouched(groups, offsets)
        self.assertEqual((0, 0), (report["exported"], report["held"]))
        self.assertEqual(report["read"]["spans"],
                         report["observed"] + sum(report["dead_lettered"]["spans"].values()))
        return report

    def groups(self) -> set[str]:
        admin = self.kafka.admin()
        return {g.group_id for g in admin.list_consumer_groups().result(env.PATIENCE_S).valid}

    def committed(self) -> list[int]:
        return self.kafka.committed(self.group, "otlp_spans", 2)

    def assert_untouched(self, groups: set[str], offsets: list[int]) -> None:
        self.assertEqual(offsets, self.committed())
        left = self.groups() - groups - {self.group}
        for name in left:  # it may take the broker a moment to forget an empty group
            self.assertTrue(name.startswith(f"{self.group}.observe."), name)
            self.assertEqual([0, 0], self.kafka.committed(name, "otlp_spans", 2))
        self.sink.settimeout(0)
        with self.assertRaises(BlockingIOError, msg="the sink was connected to"):
            self.sink.accept()
        self.assertEqual({"orders", "otlp_spans"}, self.kafka.topics())

    def assert_a_run_agrees(self, report: bridge.Report, made: bridge.Bridge) -> None:
        """A real run mends exactly what the look said."""
        would = report["observe"]["hops"]["would"]
        run = made.drain()
        self.assertEqual(report["repairs"], run["repairs"])
        self.assertEqual(would["parent"], sum(run.repairs().values()))
        self.assertEqual(would["link"], sum(run.repairs("link").values()))
        self.assertEqual(report["read"], run["read"])

    def real(self, **more: bridge.Value) -> bridge.Bridge:
        receiver = Receiver()
        self.addCleanup(receiver.close)
        return self.configure(url=receiver.url, **more)

    def kinds(self, report: bridge.Report) -> list[str]:
        return [step["kind"] for step in report["observe"]["next_steps"]]

    def test_consumer_lost_the_context(self) -> None:
        self.shop("checkout")
        self.shop("billing", propagators="baggage")
        report = self.look(self.configure())
        hops = report["observe"]["hops"]
        self.assertEqual((0, ORDERS), (hops["intact"], hops["broken"]))
        self.assertEqual(ORDERS, hops["rules"]["header_at_coordinate"])
        self.assertEqual(ORDERS, hops["would"]["parent"])
        self.assertEqual("run", self.kinds(report)[0])
        row, = [r for r in report["observe"]["rows"] if r["broken"]]
        self.assertEqual(("orders", "billing", "opentelemetry.instrumentation.confluent_kafka"),
                         (row["destination"], row["service"], row["library"]))
        traces = report["observe"]["traces"]
        self.assertEqual((ORDERS, ORDERS), (traces["broken"], traces["joined"]))
        self.assert_a_run_agrees(report, self.real())

    def test_links_and_coordinates(self) -> None:
        """Propagation works, and still the instrumentation only links."""
        self.shop("checkout")
        self.shop("billing")
        report = self.look(self.configure())
        self.assertEqual(ORDERS, report["observe"]["hops"]["rules"]["link"])
        self.assert_a_run_agrees(report, self.real())

    def test_coordinates_need_no_messages(self) -> None:
        self.shop("checkout", "--style", "coordinate")
        self.shop("billing", "--style", "coordinate")
        report = self.look(self.configure(messages=False))
        self.assertEqual(ORDERS, report["observe"]["hops"]["rules"]["coordinate"])
        self.assert_a_run_agrees(report, self.real(messages=False))

    def test_nothing_in_the_headers(self) -> None:
        """The producer's propagation is off: the report says where to switch it on."""
        self.shop("checkout", propagators="baggage")
        self.shop("billing")
        report = self.look(self.configure())
        hops = report["observe"]["hops"]
        self.assertEqual((ORDERS, ORDERS), (hops["broken"], hops["not_repaired"]["record_bare"]))
        step = report["observe"]["next_steps"][0]
        self.assertEqual(("propagate_context", ORDERS), (step["kind"], step["worth"]))
        self.assertIn("checkout", step["text"])
        self.assert_a_run_agrees(report, self.real())

    def test_follows_its_own_advice(self) -> None:
        """Without the topic file of orders the report asks for it; with it the hops are mended."""
        self.shop("checkout")
        self.shop("billing", propagators="baggage")
        report = self.look(self.configure(messages=False))
        self.assertEqual(ORDERS, report["observe"]["hops"]["not_repaired"]["topic_not_read"])
        step = report["observe"]["next_steps"][0]
        self.assertEqual(("add_message_topic", ORDERS), (step["kind"], step["worth"]))
        (self.folder / "advised.conf").write_text(step["file"] + ' start = "earliest";\n')
        made = self.configure(messages=False)
        advised = [*made.files(), str(self.folder / "advised.conf")]
        done = bridge.run_once("run", "--observe", "--drain", *advised)
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertIn(f"{ORDERS} of {ORDERS} broken hops would be mended", done.stdout)

    def test_beside_the_service(self) -> None:
        """What the service has committed and its membership stay; bad records stop nothing."""
        made = [otlp.small_trace() for _ in range(20)]
        self.kafka.produce("otlp_spans", [m.body for m in made], partition=0)
        self.real().drain()
        before = self.members()  # a static member stays for a while after its end
        service = self.real().start("--json")
        until("the service has joined",
              lambda: len(self.members()) == 1 and self.members() != before)
        member = self.members()
        until("it has committed", lambda: self.committed() == [20, 0])
        report = self.look_at_more(made)
        self.assertEqual(21, report["read"]["records"])
        self.assertEqual(1, report["dead_lettered"]["records"]["malformed"])
        self.assertEqual(member, self.members())
        service.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_OK, service.wait(), service.tail())
        self.assertEqual([20, 0], self.committed())

    def look_at_more(self, made: list) -> bridge.Report:
        # The service must not take the bad record: it reads the other partition alone then.
        self.kafka.create_topics("bad_spans")
        self.kafka.produce("bad_spans", [b"\xff\xfegarbage"])
        other = bridge.Bridge(self.folder / "..", self.kafka.bootstrap,
                              [bridge.otlp_http("http://127.0.0.1:1")], group=self.group,
                              instance="one")
        other.spans("otlp_spans").spans("bad_spans")
        groups, offsets = self.groups(), self.committed()
        report = bridge.finish(other.start("--observe", "--drain", "--json"))
        self.assertTrue(report["observe"]["next_steps"][0]["kind"] == "set_dead_letter_queue")
        self.kafka.delete_topics("bad_spans")
        self.assert_untouched(groups, offsets)
        return report

    def members(self) -> list[str]:
        return self.kafka.members(self.group)

    def test_follows_until_a_signal(self) -> None:
        """Only what is new is read; SIGINT ends it, and the report comes."""
        self.shop("checkout")
        groups, offsets = self.groups(), self.committed()
        made = self.configure(window={"wait": "300ms", "hold": "1s"}, log={"level": "off"})
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        run = subprocess.Popen([env.binary(), "run", "--observe", "--json", *made.files()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        self.addCleanup(run.kill)
        os.set_blocking(ours, False)
        shown = [""]

        def traces() -> int:
            """As of the last line of progress."""
            if select.select([ours], [], [], 0)[0]:
                shown[0] += os.read(ours, 4096).decode()
            found = re.findall(r"messages, (\d+) traces so far; Ctrl-C", shown[0])
            return int(found[-1]) if found else 0

        def follows() -> int:
            self.kafka.produce("otlp_spans", [otlp.small_trace().body])
            return traces()

        until("it follows", follows)
        self.shop("checkout")
        self.shop("billing", propagators="baggage")
        before = traces()
        until("it has seen the shop", lambda: traces() >= before + 2 * ORDERS)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=env.PATIENCE_S)
        self.assertEqual(bridge.EX_OK, run.returncode, shown[0])
        report = bridge.Report(json.loads(out))
        report.check_closed()
        self.assert_untouched(groups, offsets)
        row, = [r for r in report["observe"]["destinations"] if r["destination"] == "orders"]
        self.assertEqual(ORDERS, row["sent"], "what was there before was read, too")
        self.assertGreaterEqual(row["by_header"], ORDERS)

    def test_ends_by_itself(self) -> None:
        run = self.configure().start("--observe", "--for", "1s", "--json")
        report = bridge.finish(run)
        self.assertEqual(0, report["read"]["spans"])
        self.assertEqual(["read_spans"], self.kinds(report))

    def test_in_a_terminal(self) -> None:
        """80 columns, colour there and nowhere else, nothing else on stdout."""
        self.shop("checkout")
        self.shop("billing", propagators="baggage")
        made = self.configure(log={"level": "off"})
        plain = bridge.run_once("run", "--observe", "--drain", *made.files()).stdout
        coloured = self.on_terminal(made)
        self.assertNotIn("\x1b", plain)
        self.assertIn("\x1b[31m", coloured)
        self.assertNotIn("\x1b", self.on_terminal(made, NO_COLOR="1"))
        self.assertEqual(self.without_time(plain),
                         self.without_time(re.sub(r"\x1b\[\d+m", "", coloured)))
        self.assertLessEqual(max(map(len, plain.splitlines())), 80, plain)

    def test_the_page_shows_a_real_report(self) -> None:
        """docs/observe.md: the report in it is this one, but for how long the look took."""
        self.shop("checkout")
        self.shop("billing", propagators="baggage")
        self.shop("checkout", propagators="baggage")
        self.shop("billing")
        self.kafka.produce("otlp_spans", [
            *(self.parcel(offset) for offset in range(3)),
            *(self.email() for _ in range(2)),
            self.pushed(), b"\xff\xfegarbage"])
        made = self.configure(log={"level": "off"})
        shown = bridge.run_once("run", "--observe", "--drain", *made.files()).stdout
        page = (env.ROOT / "docs" / "observe.md").read_text()
        found = re.search(r"```text\n(A look of .*?)```\n", page, re.DOTALL)
        assert found is not None
        self.maxDiff = None
        self.assertEqual(self.without_time(found[1]), self.without_time(shown))

    @staticmethod
    def parcel(offset: int) -> bytes:
        """A consumer that lost the context, of a topic whose messages are not read here."""
        return otlp.request("shipping", [otlp.span(
            os.urandom(16), name="parcels process", kind=otlp.CONSUMER, messaging__system="kafka",
            messaging__operation__type="process", messaging__destination__name="parcels",
            messaging__destination__partition__id="0",
            messaging__kafka__offset=offset)], JAVA).SerializeToString()

    @staticmethod
    def email() -> bytes:
        """Sent, and nobody's."""
        return otlp.request("checkout", [otlp.span(
            os.urandom(16), name="emails send", kind=otlp.PRODUCER, messaging__system="kafka",
            messaging__operation__type="send",
            messaging__destination__name="emails")]).SerializeToString()

    @staticmethod
    def pushed() -> bytes:
        """A consumer under its producer, as it should be."""
        trace_id = os.urandom(16)
        sent = otlp.span(trace_id, name="push send", kind=otlp.PRODUCER,
                         messaging__system="kafka", messaging__operation__type="send",
                         messaging__destination__name="push")
        made = otlp.request("checkout", [sent])
        made.MergeFrom(otlp.request("mobile", [otlp.span(
            trace_id, sent.span_id, name="push process", kind=otlp.CONSUMER,
            messaging__system="kafka", messaging__operation__type="process",
            messaging__destination__name="push")], JAVA))
        return made.SerializeToString()

    @staticmethod
    def without_time(report: str) -> str:
        return re.sub(r"A look of \S+\.", "", report)

    def on_terminal(self, made: bridge.Bridge, **environment: str) -> str:
        ours, theirs = pty.openpty()
        clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        run = subprocess.Popen([env.binary(), "run", "--observe", "--drain", *made.files()],
                               stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env={**clean, "TERM": "xterm", **environment})
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], env.PATIENCE_S)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        self.assertEqual(bridge.EX_OK, run.wait(env.PATIENCE_S))
        return shown.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    unittest.main()
