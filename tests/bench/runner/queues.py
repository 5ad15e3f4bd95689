"""Who reads a RabbitMQ queue: the bare consumer, spanbridge; and what a window lets through.

A queue is taken empty by whoever reads it, so it is filled anew for each run.
"""

import dataclasses
import json
import re
import time
import urllib.request

from harness.bridge import config_text
from harness.ports import free_port
from harness.rabbitmq import RabbitMQ
from runner.competitors import Bench, policies
from runner.measure import BenchError, Child, Cost

QUEUE = "spans"
PREFETCH_MAX = 65_535
PATIENCE_S = 600
LOOK_S = 0.02
SETTLE_S = 5.0  # a queue works off the acks that lie before it, after whoever sent them is gone
PASSAGE_TRACES_MAX = 20_000

SHARE = [{"name": "rest", "type": "probabilistic", "percentage": 5.0}]


@dataclasses.dataclass(frozen=True)
class Filled:
    """What the queue holds: load B's records, one message each."""
    messages: int
    spans: int
    body_bytes: int
    traces: int
    seed: int
    kind: str = "B"


@dataclasses.dataclass(frozen=True)
class Delivered:
    """One figure: what it cost to take `messages` out and to ack them."""
    messages: int
    cost: Cost

    @property
    def per_wall_s(self) -> float:
        return self.messages / self.cost.wall_s

    @property
    def cpu_us(self) -> float:
        return self.cost.cpu_s / self.messages * 1e6


@dataclasses.dataclass(frozen=True)
class Passage:
    """What passes a window at most: prefetch x consumers / wait, and what was measured."""
    prefetch: int
    consumers: int
    wait_s: float
    measured_per_s: float

    @property
    def formula_per_s(self) -> float:
        return self.prefetch * self.consumers / self.wait_s


@dataclasses.dataclass(frozen=True)
class QueueOptions:
    wait_s: float = 0.001
    share: bool = True  # the 5 % are the only policy
    prefetch: int = PREFETCH_MAX
    consumers: int = 1
    linger: str = "200ms"  # the default: a kept span waits for so long besides


# The parts of a trace lie 4,000 messages apart: at a tenth of the rate that is to be measured they
# still come within the wait, and at twice that rate the prefetch is not used up.
WINDOW = QueueOptions(wait_s=2.0, share=False, consumers=4)


class Queues:
    """The broker, and how much goes into its queue."""

    def __init__(self, bench: Bench, broker: RabbitMQ, traces: int, seed: int) -> None:
        self._bench = bench
        self._broker = broker
        self._traces = traces
        self._seed = seed

    def _fill(self, traces: int) -> Filled:
        child = Child(self._bench.run_name("fill"), [
            self._bench.program("bench_rabbitmq_load"), "--url", self._broker.url,
            "--queue", QUEUE, "--traces", str(traces), "--seed", str(self._seed)],
            self._bench.folder)
        if child.wait(PATIENCE_S).code != 0:
            raise BenchError(f"the queue could not be filled\n{child.tail()}")
        wrote = json.loads(child.out())
        return Filled(wrote["messages"], wrote["spans"], wrote["body_bytes"], traces, self._seed)

    def run_bare(self) -> Delivered:
        filled = self._fill(self._traces)
        child = self._bench.competitor(self._bench.run_name("bare"), [
            self._bench.program("bench_rabbitmq_consumer"), "--url", self._broker.url,
            "--queue", QUEUE, "--messages", str(filled.messages),
            "--prefetch", str(PREFETCH_MAX)])
        cost = child.wait(PATIENCE_S)
        if cost.code != 0:
            raise BenchError(f"the bare consumer ended with {cost.code}\n{child.tail()}")
        printed = json.loads(child.out())
        if (printed["messages"], printed["bytes"]) != (filled.messages, filled.body_bytes):
            raise BenchError(f"the bare consumer took {printed} of {filled}")
        # It leaves at once: a quorum queue then gives back what it had no time to settle.
        with self._broker.channel() as channel:
            channel.queue_purge(QUEUE)
        return Delivered(filled.messages, cost)

    def run_bridge(self, options: QueueOptions = QueueOptions()) -> Delivered:
        filled = self._fill(self._traces)
        receiver = self._bench.receiver(filled, share=options.share)
        child = self._start_bridge(receiver.url, options)
        cost = self._finish_bridge(child, receiver, filled)
        return Delivered(filled.messages, cost)

    def measure_passage(self, wait_s: float = 1.0) -> Passage:
        """A tenth of the queue is the prefetch, so that it is used up nine times."""
        filled = self._fill(min(self._traces, PASSAGE_TRACES_MAX))
        options = QueueOptions(wait_s=wait_s, prefetch=filled.messages // 10, linger="10ms")
        receiver = self._bench.receiver(filled, share=True)
        port = free_port()
        child = self._start_bridge(receiver.url, options, {"listen": f"127.0.0.1:{port}"})
        rate = _watch_passage(child, port, filled, options.prefetch)
        self._finish_bridge(child, receiver, filled)
        return Passage(options.prefetch, options.consumers, wait_s, rate)

    def _start_bridge(self, url: str, options: QueueOptions,
                      admin: dict[str, str] | None = None) -> Child:
        name = self._bench.run_name("bridge")
        worker = {
            "group": f"bench-{name}",
            "workers": 1,
            "memory": "8GiB",
            "rabbitmq": {"url": self._broker.url},
            "window": {"wait": f"{options.wait_s * 1000:.0f}ms"},
            "sampling": {"first_match": True,
                         "policies": SHARE if options.share else policies()},
            "sinks": [{"name": "receiver", "type": "otlp_http", "endpoint": url,
                       "compression": "none", "batch": {"linger": options.linger}}],
            "log": {"level": "warn"},
        }
        if admin:
            worker["admin"] = admin
        queue = {"name": QUEUE, "source": "rabbitmq", "queue": QUEUE, "role": "spans",
                 "encoding": "otlp_proto", "prefetch": options.prefetch,
                 "consumers": options.consumers}
        folder = self._bench.folder / name
        folder.mkdir(exist_ok=True)
        files = [folder / "worker.conf", folder / "queue.conf"]
        files[0].write_text(config_text(worker))
        files[1].write_text(config_text(queue))
        return self._bench.competitor(name, [
            str(self._bench.build / "spanbridge"), "run", "--drain", "--json",
            *map(str, files)])

    def _finish_bridge(self, child: Child, receiver, filled: Filled) -> Cost:
        cost = child.wait(PATIENCE_S)
        if cost.code != 0:
            raise BenchError(f"spanbridge ended with {cost.code}\n{child.tail()}")
        summary = json.loads(child.out())
        result = receiver.check("spanbridge")
        if summary["read"]["spans"] != filled.spans or summary["balance"] != 0:
            raise BenchError(f"the accounting is not closed over {filled.spans} spans: {summary}")
        if summary["exported"] != result["spans"]:
            raise BenchError(f"exported {summary['exported']}, received {result['spans']}")
        self._check_empty("spanbridge")
        return cost

    def _check_empty(self, who: str) -> None:
        """Nothing is ready, and nothing goes back to the queue now that the connection ended."""
        deadline = time.monotonic() + SETTLE_S
        while (left := self._broker.depth(QUEUE)) != 0:
            if time.monotonic() > deadline:
                raise BenchError(f"{who} left {left} messages without an ack")
            time.sleep(LOOK_S)


_RECORDS = re.compile(r"^spanbridge_records_received_total\{[^}]*\} (\d+)", re.MULTILINE)
_PRESSURE = re.compile(r"^spanbridge_pressure_decisions_total (\d+)", re.MULTILINE)


def _look(child: Child, port: int) -> tuple[int, int]:
    """Records read and decisions under pressure so far; metrics are a tenth of a second old."""
    child.check_running()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return 0, 0  # it does not listen yet
    records, pressure = _RECORDS.search(text), _PRESSURE.search(text)
    return int(records[1]) if records else 0, int(pressure[1]) if pressure else 0


def _watch_passage(child: Child, port: int, filled: Filled, prefetch: int) -> float:
    """Records per second from when the prefetch is used up first until the last has come."""
    deadline = time.monotonic() + PATIENCE_S
    begin_s = begin = 0
    while True:
        records, pressure = _look(child, port)
        now = time.monotonic()
        if pressure > 0:
            raise BenchError("traces were decided under pressure: no window, no figure")
        if begin_s == 0 and records >= prefetch:
            begin_s, begin = now, records
        if records >= filled.messages:
            break
        if now > deadline:
            raise BenchError(f"{records} of {filled.messages} records came\n{child.tail()}")
        time.sleep(LOOK_S)
    if begin == filled.messages:
        raise BenchError("the prefetch held nothing back")
    return (filled.messages - begin) / (now - begin_s)
