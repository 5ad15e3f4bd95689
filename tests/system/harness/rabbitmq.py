"""A real RabbitMQ, one node, with its management API.

`python -m harness.rabbitmq FOLDER` (from tests/system) runs one until its stdin closes and prints
its URL first: for the bench, and for trying things by hand.
"""

import base64
import contextlib
import dataclasses
import http.client
import json
import logging
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from harness import amqp, env
from harness.certs import Certs
from harness.ports import free_ports, is_listening
from harness.process import Process
from harness.wait import until

USER, PASSWORD = "guest", "guest"
CLASSIC, QUORUM, STREAM = "classic", "quorum", "stream"
KINDS = (CLASSIC, QUORUM, STREAM)

# It tells of every connection that a test cuts.
logging.getLogger("pika").setLevel(logging.CRITICAL)

_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
# Quorum queues and streams write down how long they are every 5 s otherwise.  A quorum queue whose
# first write to disk takes longer than its tick ends with a function_clause in RabbitMQ 3.10, and
# who declares it gets a 541: so not as often as one would like.
_TICKS = "-rabbit quorum_tick_interval 2000 -rabbit stream_tick_interval 100"


@dataclasses.dataclass(frozen=True)
class Message:
    body: bytes
    properties: pika.BasicProperties
    method: pika.spec.Basic.Deliver

    @property
    def headers(self) -> dict[str, Any]:
        return self.properties.headers or {}


class RabbitMQ:
    """Start, stop and kill it as often as needed: its ports and its data stay the same.

    With `certs` it also listens for TLS, and takes a client certificate of that authority.
    `settings` are lines of rabbitmq.conf.  Start it in the main thread, as every Process.
    """

    def __init__(self, folder: pathlib.Path, certs: Certs | None = None,
                 settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True, exist_ok=True)
        self.certs = certs
        (self.port, self.tls_port, self.http_port, self._epmd_port, dist_port,
         ctl_port) = free_ports(6)
        self.url = self.url_for()
        self._broker: Process | None = None
        self._epmd: Process | None = None
        self._environment = {
            "PATH": f"{env.rabbitmq()}/lib/erlang/bin:{os.environ['PATH']}",
            "HOME": str(folder),  # the cookie lies here
            "RABBITMQ_NODENAME": f"spanbridge-test-{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_LOOPBACK} {_TICKS}",
            "RABBITMQ_CTL_DIST_PORT_MIN": str(ctl_port),
            "RABBITMQ_CTL_ERL_ARGS": _LOOPBACK,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_CRASH_DUMP_SECONDS": "0",
            # Its start script then becomes the broker, instead of its parent: what is killed
            # is the broker itself.
            "RUNNING_UNDER_SYSTEMD": "true",
            "NOTIFY_SOCKET": "",
            "LC_ALL": "C.UTF-8",
        }
        self._write_config(settings or {})

    def start(self) -> "RabbitMQ":
        # A name server of its own; else the broker would leave one behind, on a fixed port.
        self._epmd = Process("epmd", [
            f"{env.rabbitmq()}/lib/erlang/bin/epmd", "-address", "127.0.0.1",
            "-port", str(self._epmd_port)], self.folder)
        self._wait_listening(self._epmd, self._epmd_port)
        self._broker = Process("rabbitmq", [self._program("rabbitmq-server")], self.folder,
                               self._environment)
        for port in (self.http_port, self.port, *([self.tls_port] if self.certs else [])):
            self._wait_listening(self._broker, port)
        return self

    def stop(self) -> None:
        if self._broker is not None:
            self._broker.stop(patience_s=30)
        self.kill()

    def kill(self) -> None:
        for process in (self._broker, self._epmd):
            if process is not None:
                process.kill()

    def restart(self) -> "RabbitMQ":
        self.stop()
        return self.start()

    def running(self) -> bool:
        return self._broker is not None and self._broker.running()

    def pids(self) -> list[int]:
        """The broker, and its name server."""
        return [process.pid for process in (self._broker, self._epmd)
                if process is not None and process.running()]

    @staticmethod
    def _wait_listening(process: Process, port: int) -> None:
        def listens() -> bool:
            if not process.running():
                raise AssertionError(f"{process.name} ended\n{process.tail()}")
            return is_listening(port)
        until(f"{process.name} listens", listens)

    def _write_config(self, settings: Mapping[str, str]) -> None:
        lines = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": str(self.http_port),
            "loopback_users.guest": "true",
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "200MB",
        }
        if self.certs is not None:
            lines |= {
                "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
                "ssl_options.cacertfile": str(self.certs.ca),
                "ssl_options.certfile": str(self.certs.certificate),
                "ssl_options.keyfile": str(self.certs.key),
                "ssl_options.verify": "verify_peer",
                "ssl_options.fail_if_no_peer_cert": "false",
            }
        (self.folder / "rabbitmq.conf").write_text(
            "".join(f"{name} = {value}\n" for name, value in {**lines, **settings}.items()))
        (self.folder / "enabled_plugins").write_text(
            "[rabbitmq_management,rabbitmq_consistent_hash_exchange].\n")

    @staticmethod
    def _program(name: str) -> str:
        return f"{env.rabbitmq()}/lib/rabbitmq/bin/{name}"

    # Administration.

    def url_for(self, vhost: str = "/", user: str = USER, password: str = PASSWORD,
                tls: bool = False, port: int = 0) -> str:
        """`port`: of a proxy in front of it."""
        scheme, own_port = ("amqps", self.tls_port) if tls else ("amqp", self.port)
        quoted = [_quoted(part) for part in (user, password, vhost)]
        return f"{scheme}://{quoted[0]}:{quoted[1]}@127.0.0.1:{port or own_port}/{quoted[2]}"

    def ctl(self, *arguments: str) -> str:
        """Runs rabbitmqctl, which takes about a second; its output."""
        done = subprocess.run(
            [self._program("rabbitmqctl"), "--quiet", *arguments],
            env={**os.environ, **self._environment}, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=env.PATIENCE_S)
        if done.returncode != 0:
            raise AssertionError(f"rabbitmqctl {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def api(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """A request to the management API; its answer, or None."""
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, f"/api/{path}", json.dumps(body) if body else None, {
                "Authorization": f"Basic {credentials}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise AssertionError(f"{method} {path}: {answer.status} {text[:200]!r}")
            return json.loads(text) if text else None

    def add_vhost(self, name: str) -> None:
        """A virtual host that the default user may use."""
        self.api("PUT", f"vhosts/{_quoted(name)}")
        self._permit(name, USER, ".*")

    def add_user(self, name: str, password: str, vhost: str = "/",
                 may: str = ".*") -> None:
        """A user that may do everything with what `may` matches in the virtual host."""
        self.api("PUT", f"users/{_quoted(name)}", {"password": password, "tags": ""})
        self._permit(vhost, name, may)

    def _permit(self, vhost: str, user: str, may: str) -> None:
        self.api("PUT", f"permissions/{_quoted(vhost)}/{_quoted(user)}",
                 {"configure": may, "write": may, "read": may})

    def firehose(self, on: bool, vhost: str = "/") -> None:
        """Copies of all messages go to the exchange amq.rabbitmq.trace, or no longer."""
        self.ctl("trace_on" if on else "trace_off", "-p", vhost)

    def connections(self) -> list[str]:
        """The names of the connections, whoever made them, as of now."""
        return self.ctl("list_connections", "name", "--no-table-headers").split("\n")[:-1]

    def close_connections(self, reason: str = "cut by the test") -> None:
        """The broker closes every connection, with 320 CONNECTION_FORCED."""
        self.ctl("close_all_connections", reason)

    def set_consumer_timeout(self, ms: int = 1_800_000, look_ms: int = 60_000) -> None:
        """How long channels that open from now on may keep a message unacked, and how often the
        broker looks; without arguments as it is by itself.
        """
        self.ctl("eval", f"application:set_env(rabbit, consumer_timeout, {ms}), "
                         f"application:set_env(rabbit, channel_tick_interval, {look_ms}).")

    def set_memory_alarm(self, on: bool) -> None:
        """Who publishes is blocked while the broker says that its memory is short."""
        self.ctl("set_vm_memory_high_watermark", "absolute", "1" if on else "1GB")

    def counts(self, queue: str, vhost: str = "/") -> tuple[int, int]:
        """(ready, unacked), by rabbitmqctl; a stream has nothing unacked.

        Exact for a classic queue; others say what was so at their last tick, seconds ago: wait.
        """
        for line in self.ctl("list_queues", "-p", vhost, "--no-table-headers", "name",
                             "messages_ready", "messages_unacknowledged").splitlines():
            name, ready, unacked = line.split("\t")
            if name == queue:
                return int(ready), int(unacked)
        raise AssertionError(f"there is no queue {queue}")

    def unacked(self, queue: str, vhost: str = "/") -> int:
        return self.counts(queue, vhost)[1]

    # What applications do with it.

    @contextlib.contextmanager
    def channel(self, vhost: str = "/", user: str = USER, password: str = PASSWORD,
                tls: bool = False, confirm: bool = True) -> Iterator[BlockingChannel]:
        """A channel, with confirms, on a connection of its own that is closed at the end."""
        parameters = pika.URLParameters(self.url_for(vhost, user, password, tls))
        parameters.heartbeat = 0  # nobody would answer between two calls of a test
        parameters.blocked_connection_timeout = env.PATIENCE_S
        if tls:
            assert self.certs is not None, "this broker has no TLS"
            parameters.ssl_options = pika.SSLOptions(
                ssl.create_default_context(cafile=str(self.certs.ca)), "127.0.0.1")
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            if confirm:
                channel.confirm_delivery()
            yield channel
        finally:
            with contextlib.suppress(pika.exceptions.AMQPError):  # the test has cut it
                connection.close()

    def declare(self, queue: str, kind: str = CLASSIC, vhost: str = "/",
                **arguments: object) -> None:
        """A durable queue; `max_length=5` is the argument x-max-length."""
        named = {f"x-{name.replace('_', '-')}": value for name, value in arguments.items()}
        with self.channel(vhost) as channel:
            channel.queue_declare(queue, durable=True,
                                  arguments={"x-queue-type": kind, **named})
        if kind != CLASSIC:
            self.sync()

    def sync(self) -> None:
        """Writes down which quorum queues and streams there are.

        The broker does it up to 3 s late, whatever it has confirmed: killed before, it has the
        messages and no leader for their queue, for ever.  `declare` calls this.
        """
        self.ctl("eval", "[ok = dets:sync(Table) || Table <- dets:all()].")

    def declare_exchange(self, exchange: str, kind: str = "direct", vhost: str = "/",
                         bind: Mapping[str, str] | None = None) -> None:
        """A durable exchange, and bindings to it: routing key by queue."""
        with self.channel(vhost) as channel:
            channel.exchange_declare(exchange, kind, durable=True)
            for queue, key in (bind or {}).items():
                channel.queue_bind(queue, exchange, key)

    def publish(self, key: str, bodies: Iterable[bytes], exchange: str = "",
                headers: Mapping[str, object] | None = None, vhost: str = "/",
                confirm: bool = True, **properties: object) -> None:
        """Each is persistent and confirmed; a message without a queue raises.

        Each confirm takes a millisecond: for very many, do without, and wait for the depth.
        """
        made = pika.BasicProperties(headers=dict(headers) if headers is not None else None,
                                    **{"delivery_mode": 2, **properties})
        with self.channel(vhost, confirm=confirm) as channel:
            for body in bodies:
                channel.basic_publish(exchange, key, body, made, mandatory=confirm)

    def publish_table(self, queue: str, body: bytes, table: bytes, vhost: str = "/") -> None:
        """One message whose headers are these bytes: see harness/amqp.py."""
        with self.channel(vhost) as channel:
            channel.basic_publish("", queue, body, amqp.TableProperties(table), mandatory=True)

    def consume(self, queue: str, count: int, ack: bool = True, vhost: str = "/",
                prefetch: int = 100, offset: str | int | None = None) -> list[Message]:
        """The next `count` messages, acked or else given back; streams are read from `offset`."""
        messages: list[Message] = []
        with self.channel(vhost) as channel:
            channel.basic_qos(prefetch_count=prefetch if ack else max(prefetch, count))
            arguments = None if offset is None else {"x-stream-offset": offset}
            for method, properties, body in channel.consume(
                    queue, arguments=arguments, inactivity_timeout=env.PATIENCE_S):
                if method is None:
                    raise AssertionError(f"{queue}: {len(messages)} of {count} came")
                messages.append(Message(body, properties, method))
                if ack:
                    channel.basic_ack(method.delivery_tag)
                if len(messages) == count:
                    break
        return messages

    def depth(self, queue: str, vhost: str = "/") -> int:
        """How many messages are ready: quicker than `counts`, and as exact."""
        with self.channel(vhost) as channel:
            return channel.queue_declare(queue, passive=True).method.message_count

    def is_up(self, queue: str, vhost: str = "/") -> bool:
        """Whether the queue is there: a stream comes up a little after its broker."""
        try:
            self.depth(queue, vhost)
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code == 404:
                return False
            raise
        return True

    def delete_queue(self, queue: str, vhost: str = "/") -> None:
        with self.channel(vhost) as channel:
            channel.queue_delete(queue)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _serve(folder: str) -> None:
    broker = RabbitMQ(pathlib.Path(folder)).start()
    try:
        print(broker.url, flush=True)
        sys.stdin.read()
    finally:
        broker.stop()


if __name__ == "__main__":
    _serve(sys.argv[1])
