"""The harness' own RabbitMQ does what the tests of the bridge build on."""

import pathlib
import unittest

import pika.exceptions
from harness import amqp, certs, env
from harness.ports import is_listening
from harness.proxy import Proxy
from harness.rabbitmq import CLASSIC, KINDS, QUORUM, STREAM, RabbitMQ
from harness.wait import until
from pika.adapters.blocking_connection import BlockingChannel

BODIES = [b"message %d" % number for number in range(10)]


class RabbitMQHarness(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.broker = RabbitMQ(cls.base / "rabbitmq", certs.make(cls.base)).start()
        cls.addClassCleanup(cls.broker.kill)

    def fill(self, kind: str) -> str:
        """A queue of that kind with BODIES in it."""
        queue = f"{self._testMethodName}.{kind}"
        self.broker.declare(queue, kind)
        self.broker.publish(queue, BODIES, headers={"a-header": "its value"})
        return queue

    def wait_counts(self, queue: str, ready: int, unacked: int) -> None:
        until(f"{queue} has {ready} ready and {unacked} unacked",
              lambda: self.broker.counts(queue) == (ready, unacked))

    def wait_depth(self, queue: str, ready: int) -> None:
        until(f"{queue} has {ready} ready", lambda: self.broker.depth(queue) == ready)

    @staticmethod
    def offset(kind: str, at: int = 0) -> int | None:
        return at if kind == STREAM else None

    def test_each_kind(self) -> None:
        for kind in KINDS:
            with self.subTest(kind):
                queue = self.fill(kind)
                self.wait_depth(queue, 10)
                first = self.broker.consume(queue, 4, offset=self.offset(kind))
                # What was out beyond the four comes back to its place, a moment later.
                self.wait_depth(queue, 10 if kind == STREAM else 6)
                rest = self.broker.consume(queue, 6, offset=self.offset(kind, 4))
                self.assertEqual(BODIES, [message.body for message in first + rest])
                for number, message in enumerate(first + rest):
                    self.assertEqual("its value", message.headers["a-header"])
                    self.assertEqual(2, message.properties.delivery_mode)
                    self.assertEqual(self.offset(kind, number),
                                     message.headers.get("x-stream-offset"))
                self.wait_depth(queue, 10 if kind == STREAM else 0)

    def test_unacked(self) -> None:
        for kind in KINDS:
            if kind == STREAM:
                continue
            with self.subTest(kind):
                queue = self.fill(kind)
                with self.broker.channel() as channel:
                    channel.basic_qos(prefetch_count=3)
                    channel.basic_consume(queue, lambda *_delivery: None)
                    channel.connection.process_data_events()
                    self.wait_counts(queue, 7, 3)
                    self.assertEqual(3, self.broker.unacked(queue))
                self.wait_counts(queue, 10, 0)

    def test_not_acked_is_given_back(self) -> None:
        queue = self.fill(CLASSIC)
        self.assertEqual(10, len(self.broker.consume(queue, 10, ack=False)))
        self.wait_counts(queue, 10, 0)
        self.assertTrue(self.broker.consume(queue, 1)[0].method.redelivered)

    def test_killed_and_started_again(self) -> None:
        queues = {kind: self.fill(kind) for kind in KINDS}
        self.broker.kill()
        self.assertFalse(self.broker.running())
        self.assertFalse(is_listening(self.broker.port))
        self.broker.start()
        self.check_all_there(queues)

    def test_restart(self) -> None:
        queues = {kind: self.fill(kind) for kind in KINDS}
        self.broker.restart()
        self.check_all_there(queues)

    def check_all_there(self, queues: dict[str, str]) -> None:
        for kind, queue in queues.items():
            with self.subTest(kind):
                until("it is up", lambda: self.broker.is_up(queue))  # noqa: B023
                messages = self.broker.consume(queue, 10, offset=self.offset(kind))
                self.assertEqual(BODIES, [message.body for message in messages])

    def test_connections_are_cut(self) -> None:
        queue = self.fill(CLASSIC)
        with self.broker.channel() as channel:
            channel.basic_consume(queue, lambda *_delivery: None)
            channel.connection.process_data_events()
            self.wait_counts(queue, 0, 10)
            until("only this one is left", lambda: len(self.broker.connections()) == 1)
            self.broker.close_connections("a test cuts")
            with self.assertRaises(pika.exceptions.ConnectionClosedByBroker) as caught:
                until("it is seen", lambda: channel.connection.process_data_events(0.1))
            self.assertEqual(320, caught.exception.reply_code)
            self.assertIn("a test cuts", caught.exception.reply_text)
        until("it is gone", lambda: not self.broker.connections())
        again = self.broker.consume(queue, 10)
        self.assertEqual([(body, True) for body in BODIES],
                         [(message.body, message.method.redelivered) for message in again])

    def through(self, proxy: Proxy, heartbeat_s: int = 0) -> BlockingChannel:
        """Without heartbeats unless told: nobody sends them between two calls of a test."""
        parameters = pika.URLParameters(self.broker.url_for(port=proxy.port))
        parameters.heartbeat = heartbeat_s
        return pika.BlockingConnection(parameters).channel()

    def check_lost(self, channel: BlockingChannel) -> None:
        with self.assertRaises(pika.exceptions.StreamLostError):
            until("it is seen", lambda: channel.connection.process_data_events(0.1))

    def test_proxy(self) -> None:
        """What it cuts both ends notice; of what it lets hang the broker misses heartbeats."""
        queue = self.fill(CLASSIC)
        proxy = Proxy(self.broker.port)
        self.addCleanup(proxy.close)
        first, second = self.through(proxy), self.through(proxy)
        self.assertEqual(10, first.queue_declare(queue, passive=True).method.message_count)
        proxy.cut()
        self.check_lost(first)
        self.check_lost(second)
        hangs = self.through(proxy, heartbeat_s=1)
        under_way: list[bytes] = []
        hangs.basic_consume(queue, lambda *delivery: under_way.append(delivery[-1]))
        # Not by rabbitmqctl: while that takes its time no heartbeat goes out, either.
        until("all are under way", lambda: (
            hangs.connection.process_data_events(0.1), under_way == BODIES)[1])
        proxy.hang()
        self.wait_counts(queue, 10, 0)
        self.assertTrue(hangs.connection.is_open, "the client has been told of it")
        other = self.through(proxy)
        self.assertEqual(10, other.queue_declare(queue, passive=True).method.message_count)
        proxy.cut()
        self.check_lost(hangs)
        self.check_lost(other)

    def test_consumer_timeout(self) -> None:
        queue = self.fill(CLASSIC)
        self.broker.set_consumer_timeout(100, look_ms=100)
        self.addCleanup(self.broker.set_consumer_timeout)
        with self.broker.channel() as channel:
            channel.basic_consume(queue, lambda *_delivery: None)
            until("the broker closes the channel", lambda: (
                channel.connection.process_data_events(0.1), channel.is_closed)[1])
        self.wait_counts(queue, 10, 0)

    def test_memory_alarm(self) -> None:
        queue = self.fill(CLASSIC)
        self.broker.set_memory_alarm(on=True)
        self.addCleanup(self.broker.set_memory_alarm, on=False)
        parameters = pika.URLParameters(self.broker.url)
        parameters.blocked_connection_timeout = 0.5
        channel = pika.BlockingConnection(parameters).channel()
        channel.confirm_delivery()
        with self.assertRaises(pika.exceptions.ConnectionBlockedTimeout):
            channel.basic_publish("", queue, b"it waits")
        self.assertEqual(10, len(self.broker.consume(queue, 10)))
        self.broker.set_memory_alarm(on=False)
        self.broker.publish(queue, [b"it does not wait"])

    def test_exchange(self) -> None:
        self.broker.declare("bound")
        self.broker.declare_exchange("shop", "topic", bind={"bound": "orders.*"})
        self.broker.publish("orders.new", [b"an order"], "shop", message_id="m-1")
        [message] = self.broker.consume("bound", 1)
        self.assertEqual((b"an order", "m-1", "orders.new"), (
            message.body, message.properties.message_id, message.method.routing_key))
        with self.assertRaises(pika.exceptions.UnroutableError):
            self.broker.publish("nobody", [b"lost"], "shop")

    def test_arguments(self) -> None:
        self.broker.declare("short", max_length=1, overflow="reject-publish")
        with self.assertRaises(pika.exceptions.NackError):
            self.broker.publish("short", [b"1", b"2"])

    def test_many_without_confirms(self) -> None:
        self.broker.declare("many")
        self.broker.publish("many", [b"x" * 1000] * 5000, confirm=False)
        self.wait_depth("many", 5000)

    def test_headers_of_every_kind(self) -> None:
        self.broker.declare("kinds")
        values = amqp.every_kind()
        table = b"".join(amqp.field(kind, kind, value) for kind, value in values.items())
        self.broker.publish_table("kinds", b"body", table + amqp.field(b"", b"t", b"\x00"))
        [message] = self.broker.consume("kinds", 1)
        self.assertEqual({"", *(kind.decode() for kind in values)}, message.headers.keys())
        self.assertEqual((b"body", 2), (message.body, message.properties.delivery_mode))
        self.assertEqual({"inner": "text"}, message.headers["F"])
        self.assertEqual(["text"], message.headers["A"])

    def test_headers_as_deep_as_a_frame_allows(self) -> None:
        for kind in KINDS:
            with self.subTest(kind):
                queue = f"deep.{kind}"
                self.broker.declare(queue, kind)
                # A quorum queue takes time by the square of the depth: 3 s for 18,700.
                table = amqp.deep_table(5_000 if kind == QUORUM else 18_700)
                self.assertLessEqual(len(table), amqp.TABLE_BYTES_MAX)
                self.broker.publish_table(queue, b"body", table)
                self.wait_depth(queue, 1)

    def test_delete_queue(self) -> None:
        queue = self.fill(CLASSIC)
        self.assertTrue(self.broker.is_up(queue))
        self.broker.delete_queue(queue)
        self.assertFalse(self.broker.is_up(queue))

    def test_tls(self) -> None:
        with self.broker.channel(tls=True) as channel:
            self.assertTrue(channel.is_open)

    def test_users_and_vhosts(self) -> None:
        self.broker.add_vhost("other/place")
        self.broker.declare("mine", vhost="other/place")
        self.assertFalse(self.broker.is_up("mine"), "it is in the default vhost, too")
        self.broker.add_user("reader", "a word", "other/place", may="^mine$")
        with self.broker.channel("other/place", "reader", "a word") as channel:
            self.assertEqual(0, channel.queue_declare("mine", passive=True).method.message_count)
            with self.assertRaises(pika.exceptions.ChannelClosedByBroker) as caught:
                channel.queue_declare("yours")
            self.assertEqual(403, caught.exception.reply_code)
        with (self.assertRaises(pika.exceptions.ProbableAuthenticationError),
              self.broker.channel("other/place", "reader", "another word")):
            pass

    def test_firehose(self) -> None:
        self.broker.declare("copies")
        self.broker.declare("traced")
        with self.broker.channel() as channel:
            channel.queue_bind("copies", "amq.rabbitmq.trace", "#.traced")
            channel.queue_bind("copies", "amq.rabbitmq.trace", "publish.")
        self.broker.firehose(on=True)
        self.broker.publish("traced", [b"seen"], headers={"traceparent": "a context"})
        self.broker.consume("traced", 1)
        copies = self.broker.consume("copies", 2)
        self.assertEqual({"publish.": b"seen", "deliver.traced": b"seen"},
                         {copy.method.routing_key: copy.body for copy in copies})
        for copy in copies:
            self.assertEqual(["traced"], copy.headers["routing_keys"])
            self.assertEqual({"traceparent": "a context"}, copy.headers["properties"]["headers"])
        self.broker.firehose(on=False)
        self.broker.publish("traced", [b"unseen"])
        self.broker.consume("traced", 1)
        self.assertEqual(0, self.broker.depth("copies"))

    def test_settings(self) -> None:
        """A second broker beside the first, with a setting of its own; nothing of it is left."""
        other = RabbitMQ(self.folder / "other", settings={"default_vhost": "elsewhere"}).start()
        self.addCleanup(other.kill)
        other.declare("there", vhost="elsewhere")
        self.assertTrue(other.is_up("there", vhost="elsewhere"))
        with self.assertRaises(pika.exceptions.AMQPError):
            other.is_up("there")
        pids = other.pids()
        self.assertGreaterEqual(len(pids), 2)
        other.stop()
        for pid in pids:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_listens_on_loopback_alone(self) -> None:
        for pid in self.broker.pids():
            listening = listening_addresses(pid)
            self.assertTrue(listening)
            self.assertLessEqual(listening, {_LOOPBACK_4, _LOOPBACK_6})

    def test_wrong_setting_is_said(self) -> None:
        other = RabbitMQ(self.folder / "other", settings={"no.such": "setting"})
        self.addCleanup(other.kill)
        with self.assertRaisesRegex(AssertionError, "rabbitmq ended(.|\n)*configuration"):
            other.start()


# As the kernel writes 127.0.0.1 and ::1, on a machine whose bytes go from the low end.
_LOOPBACK_4, _LOOPBACK_6 = "0100007F", "00000000000000000000000001000000"


def listening_addresses(pid: int) -> set[str]:
    """The addresses, in the kernel's hex, on which the process listens for TCP."""
    sockets = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(entry.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].split(":")[0])
    return found


if __name__ == "__main__":
    unittest.main()
