"""`spanbridge demo --rabbitmq` on a real RabbitMQ, with the Kafka in the process and a real one."""

import json
import pathlib
import shutil
import signal
import tempfile
import unittest
from typing import Any

from harness import bridge, env
from harness.kafka import Kafka
from harness.process import Process
from harness.rabbitmq import PASSWORD, RabbitMQ
from harness.wait import until

TRACES = 300
NOBODY = "amqp://me:hush-hush@127.0.0.1:1/"


def setUpModule() -> None:
    """One broker for all: a demo must not mind what others do on it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="spanbridge-rabbitmq-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    OnRabbitMQ.rabbitmq = RabbitMQ(folder).start()
    unittest.addModuleCleanup(OnRabbitMQ.rabbitmq.kill)


class OnRabbitMQ(env.Case):
    rabbitmq: RabbitMQ

    def demo(self, *arguments: str, url: str | None = None) -> Any:
        return bridge.run_once("demo", "--once", "--rabbitmq", url or self.rabbitmq.url,
                               *arguments, cwd=self.folder)

    def setUp(self) -> None:
        super().setUp()
        self.others = self.named()

    def named(self) -> set[str]:
        """Queues and exchanges of all demos that are there now."""
        things = self.rabbitmq.api("GET", "queues") + self.rabbitmq.api("GET", "exchanges")
        return {thing["name"] for thing in things if "spanbridge-demo" in thing["name"]}

    def left(self) -> set[str]:
        """Those of this test."""
        return self.named() - self.others

    def open(self, *arguments: str) -> Process:
        """A shop that has shown its pictures, and stays open."""
        run = Process("demo", [env.binary(), "demo", "--rate", "50", "--rabbitmq",
                               self.rabbitmq.url, *arguments], self.folder)
        self.addCleanup(run.kill)

        def shown() -> bool:
            if not run.running():
                raise AssertionError(f"it ended\n{run.tail()}")
            return "hops joined\n" in run.out()
        until("the shop is open", shown)
        return run

    def assert_nothing_left(self) -> None:
        until("everything of the demo has gone", lambda: not self.left())


class OneTrace(OnRabbitMQ):
    """One trace out of two brokers, as --json tells of it."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        done = bridge.run_once("demo", "--json", "--traces", str(TRACES),
                               "--rabbitmq", cls.rabbitmq.url)
        if done.returncode != bridge.EX_OK:
            raise AssertionError(f"exit code {done.returncode}\n{done.stderr}\n{done.stdout}")
        cls.report = json.loads(done.stdout)
        cls.after = {span["span_id"]: span for span in cls.report["after"]}

    def root_of(self, span: dict[str, Any]) -> dict[str, Any]:
        while "parent_span_id" in span:
            span = self.after[span["parent_span_id"]]
        return span

    def process_of(self, service: str) -> dict[str, Any]:
        found = [span for span in self.after.values()
                 if span["service"] == service and span["kind"] == "consumer"]
        self.assertEqual(1, len(found))
        return found[0]

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual([], self.report["problems"])
        self.assertTrue(self.report["ok"])
        self.assert_nothing_left()

    def test_it_came_in_five_pieces(self) -> None:
        before = self.report["before"]
        self.assertEqual(5, len({span["trace_id"] for span in before}))
        self.assertFalse(any("repair_rule" in span for span in before))
        self.assertEqual({"web", "checkout", "payment", "warehouse", "mailer", "loyalty"},
                         {span["service"] for span in before})

    def test_mailer_is_joined_by_its_link(self) -> None:
        mails = self.process_of("mailer")
        self.assertEqual("link", mails["repair_rule"])
        self.assertEqual("parent", mails["repair_action"])
        queue = self.after[mails["parent_span_id"]]
        self.assertTrue(queue["synthetic"])
        self.assertEqual("rabbitmq", queue["service"])
        self.assertRegex(queue["name"], r"^notify-spanbridge-demo-[0-9a-f]{8} queue$")
        publish = self.after[queue["parent_span_id"]]
        self.assertEqual(("warehouse", "producer"), (publish["service"], publish["kind"]))
        self.assertIn("notify", publish["name"])
        self.assertEqual("POST /checkout", self.root_of(mails)["name"])

    def test_the_error_behind_rabbitmq_keeps_the_whole_trace(self) -> None:
        self.assertTrue(self.process_of("mailer")["error"])
        root = self.root_of(self.process_of("mailer"))
        self.assertFalse(root["error"])
        self.assertEqual("errors", root["policy"])

    def test_loyalty_stays_apart(self) -> None:
        points = self.process_of("loyalty")
        self.assertNotIn("repair_rule", points)
        self.assertNotIn("parent_span_id", points)
        self.assertEqual("vip", points["policy"])
        self.assertEqual(2, len({span["trace_id"] for span in self.after.values()}))

    def test_every_hop_of_all_is_joined_by_its_rule(self) -> None:
        sent, repairs = self.report["sent"], self.report["totals"]["repairs"]
        self.assertEqual(sent["hops"], {rule: repairs[rule]["parent"] for rule in sent["hops"]})
        # A link for every mail, besides those of Kafka.
        self.assertGreater(sent["apart"], TRACES * 9 // 10)
        self.assertGreater(sent["hops"]["link"], sent["apart"])
        self.assertEqual(0, repairs["link"].get("link", 0))

    def test_the_accounting_closes_over_both_brokers(self) -> None:
        totals, sent = self.report["totals"], self.report["sent"]
        self.assertEqual(0, totals["balance"])
        self.assertEqual(sent["spans"], totals["read"]["spans"])
        self.assertEqual(sent["records"], totals["read"]["records"])
        # The mailer's spans, two for each mail and fifty in a record.
        self.assertGreaterEqual(sent["rabbitmq_records"], sent["apart"] * 2 // 50)


class Pictures(OnRabbitMQ):
    def test_they_tell_the_story(self) -> None:
        done = self.demo("--traces", "100")
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertEqual("", done.stderr)
        before, after = done.stdout.split("\n2  ")
        after, totals = after.split("\n3  ")
        self.assertEqual(5, before.count("\n  trace "))
        self.assertEqual(2, before.count("cut off at notify"))
        self.assertIn("its spans come through RabbitMQ, all others through Kafka", before)
        self.assertEqual(2, after.count("\n  trace "))
        self.assertRegex(after, r"\n  rabbitmq +\S notify queue ")
        self.assertRegex(after, r"\n  notify +joined by link, after .* in the queue:\n"
                                r" +the consumer's span had kept a link to the producer's\n")
        self.assertRegex(after, r"\n  notify +not joined to loyalty:\n")
        self.assertRegex(totals, r" records, \d+ of them through RabbitMQ:\n")
        self.assertRegex(totals, r"\n  apart +\d+ traces whose spans tell of no message\n")
        self.assertIn("every span that came in is accounted for", totals)
        self.assertNotIn(PASSWORD + "@", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
        self.assert_nothing_left()

    def test_kept_configuration_is_valid(self) -> None:
        keep = self.folder / "kept"
        done = self.demo("--traces", "50", "--keep", str(keep))
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        checked = bridge.run_once("check", str(keep / "worker.conf"))
        self.assertEqual(bridge.EX_OK, checked.returncode, checked.stderr)
        for file in keep.rglob("*.conf"):
            self.assertEqual(0o600, file.stat().st_mode & 0o777, f"{file}: others read the URL")


class Ends(OnRabbitMQ):
    def test_ctrl_c_leaves_nothing(self) -> None:
        run = self.open()
        self.assertEqual(["mailer-spans", "mails", "notify", "points"],
                         sorted(name.split("-spanbridge-demo-")[0] for name in self.left()))
        run.signal(signal.SIGINT)
        self.assertEqual(bridge.EX_OK, run.wait(), run.tail())
        self.assertEqual("", run.log())
        self.assertIn("every span that came in is accounted for", run.out())
        self.assert_nothing_left()

    def test_killed_shop_disturbs_nobody(self) -> None:
        self.open().kill()
        # What is left by it is one queue, and that has an end of its own.
        until("the rest has gone", lambda: len(self.left()) == 1)
        queue = next(queue for queue in self.rabbitmq.api("GET", "queues")
                     if queue["name"] in self.left())
        self.assertEqual(600000, queue["arguments"]["x-expires"])
        done = self.demo("--traces", "50")
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertEqual({queue["name"]}, self.left())
        self.rabbitmq.delete_queue(queue["name"])

    def test_broker_that_goes_away_is_named(self) -> None:
        run = self.open()
        self.rabbitmq.close_connections()
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        self.assertRegex(run.log(),
                         r"(?m)^spanbridge demo: RabbitMQ at 127\.0\.0\.1:\d+ /: .*cut by the test")
        self.assert_nothing_left()


class OnKafkaToo(OnRabbitMQ):
    def start_kafka(self) -> Kafka:
        # As brokers are set by default: a new group begins when RabbitMQ's part is long there.
        late = {"group.initial.rebalance.delay.ms": "3000"}
        kafka = Kafka(self.folder / "kafka", late).start()
        self.addCleanup(kafka.kill)
        kafka.create_topics("mine")
        return kafka

    def test_two_real_brokers(self) -> None:
        kafka = self.start_kafka()
        done = self.demo("--json", "--kafka", kafka.bootstrap)
        self.assertEqual(bridge.EX_OK, done.returncode, done.stderr)
        self.assertTrue(json.loads(done.stdout)["ok"])
        self.assertEqual({"mine"}, kafka.topics())
        self.assert_nothing_left()

    def test_second_signal_leaves_nothing(self) -> None:
        kafka = self.start_kafka()
        run = self.open("--kafka", kafka.bootstrap)
        self.assertEqual(4, len(kafka.topics()))
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            run.signal(number)
        self.assertEqual(bridge.EX_TEMPFAIL, run.wait(), run.tail())
        self.assertEqual("", run.log())
        until("its topics have gone", lambda: kafka.topics() == {"mine"})
        self.assert_nothing_left()


class Doors(OnRabbitMQ):
    """A URL that does not work: one line that says why, one that helps, and 69."""

    def refused(self, url: str, why: str, help_line: str) -> None:
        done = self.demo(url=url)
        self.assertEqual(bridge.EX_UNAVAILABLE, done.returncode, done.stderr)
        self.assertEqual("", done.stdout)
        first, second = done.stderr.splitlines()
        self.assertRegex(first, "^spanbridge demo: .*" + why)
        self.assertRegex(second, "^  help: .*" + help_line)
        self.assertNotIn("hush-hush", done.stderr)
        self.assert_nothing_left()

    def test_no_url(self) -> None:
        self.refused("localhost:5672", "no AMQP URL: ",
                     r"amqp\[s\]://USER:PASSWORD@HOST:PORT/VHOST")

    def test_nobody_listens(self) -> None:
        self.refused(NOBODY, "no RabbitMQ answers: no connection to 127.0.0.1:1", "is it running")

    def test_other_protocol(self) -> None:
        self.refused(f"amqp://me:hush-hush@127.0.0.1:{self.rabbitmq.http_port}/",
                     "no RabbitMQ answers: ", "its port for AMQP")

    def test_wrong_password(self) -> None:
        self.refused(self.rabbitmq.url_for(password="hush-hush"),
                     "does not let us in: .* as user guest: ACCESS_REFUSED", "USER:PASSWORD")

    def test_no_such_vhost(self) -> None:
        self.refused(self.rabbitmq.url_for(vhost="nowhere"),
                     "does not let us in: .*nowhere", "VHOST")

    def test_no_permission(self) -> None:
        self.rabbitmq.add_user("reader", "hush-hush", may="mine")
        self.refused(self.rabbitmq.url_for(user="reader", password="hush-hush"),
                     "exchange notify-spanbridge-demo-.*ACCESS_REFUSED", "permissions configure")


if __name__ == "__main__":
    unittest.main()
