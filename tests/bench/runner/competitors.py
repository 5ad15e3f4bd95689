"""Who reads a load: the bare consumer, spanbridge, an OpenTelemetry Collector."""

import dataclasses
import json
import pathlib
import time
import urllib.request
from typing import Protocol

from harness.bridge import config_text
from harness.ports import free_port
from runner.loads import Load
from runner.measure import BenchError, Child, Cost, back_memory

WAIT_S = 10  # window.wait, decision_wait
PATIENCE_S = 900
SILENCE_S = 25  # a Collector that has sent nothing for so long has nothing left to send


@dataclasses.dataclass(frozen=True)
class Run:
    """One figure: what it cost to take `spans` in."""
    spans: int
    cost: Cost
    busy_s: float  # wall time of the work itself

    @property
    def ns_per_span(self) -> float:
        return self.cost.cpu_s / self.spans * 1e9


class Bench:
    """What all runs share: programs, the Kafka, a folder for logs."""

    def __init__(self, build: pathlib.Path, folder: pathlib.Path) -> None:
        self.build = build
        self.folder = folder
        self.brokers = ""
        self._runs = 0

    def program(self, name: str) -> str:
        return str(self.build / "tests" / "bench" / name)

    def run_name(self, what: str) -> str:
        self._runs += 1
        return f"{self._runs:03}-{what}"

    def competitor(self, name: str, command: list[str],
                   env: dict[str, str] | None = None) -> Child:
        back_memory()
        return Child(name, command, self.folder, env)

    def receiver(self, load: "Judged", pieces: bool = False, share: bool = False) -> "Receiver":
        return Receiver(self, load, ["--pieces"] * pieces + ["--share"] * share)


class Judged(Protocol):
    """What of a load decides which of its spans have to come out."""
    kind: str
    traces: int
    seed: int


class Receiver:
    """bench_receiver, which judges what comes out."""

    def __init__(self, bench: Bench, load: Judged, options: list[str]) -> None:
        command = [bench.program("bench_receiver"), "--load", load.kind,
                   "--traces", str(load.traces), "--seed", str(load.seed), *options]
        self._child = Child(bench.run_name("receiver"), command, bench.folder)
        self.url = f"http://127.0.0.1:{int(self._child.first_line())}"

    def result(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/result", timeout=30) as answer:
            return json.load(answer)

    def close(self) -> dict:
        self._child.stop()
        return json.loads(self._child.out().splitlines()[1])

    def check(self, who: str) -> dict:
        result = self.close()
        if not result["right"]:
            raise BenchError(f"{who} gave wrong spans out: {json.dumps(result)}")
        return result


def run_bare(bench: Bench, load: Load, properties: dict[str, str]) -> Run:
    """Every topic of the load, one after the other; the costs add up."""
    costs, busy_s, records = [], 0.0, 0
    for topic in load.topics:
        options = [option for name, value in properties.items()
                   for option in ("-X", f"{name}={value}")]
        child = bench.competitor(bench.run_name("bare"), [
            bench.program("bench_consumer"), "--brokers", bench.brokers, "--topic", topic,
            "--spans", str(load.spans), *options])
        cost = child.wait(PATIENCE_S)
        if cost.code != 0:
            raise BenchError(f"the bare consumer ended with {cost.code}\n{child.tail()}")
        printed = json.loads(child.out())
        if topic == load.topic:
            records = printed["records"]
        costs.append(cost)
        busy_s += printed["wall_s"]
    if records != load.records:
        raise BenchError(f"the bare consumer read {records} of {load.records} records")
    total = Cost(0, sum(c.cpu_s for c in costs), sum(c.wall_s for c in costs),
                 max(c.peak_bytes for c in costs))
    return Run(load.spans, total, busy_s)


@dataclasses.dataclass(frozen=True)
class BridgeOptions:
    workers: int = 1
    repair: str = "auto"  # load C: repair.mode
    wait: str = f"{WAIT_S}s"


def policies() -> list[dict]:
    """Those that bench_receiver knows the verdicts of."""
    return [{"name": "errors", "type": "status_code", "status_codes": ["ERROR"]},
            {"name": "slow", "type": "latency", "threshold": "2s"},
            {"name": "rest", "type": "probabilistic", "percentage": 5.0}]


def write_bridge_config(bench: Bench, name: str, load: Load, url: str,
                        options: BridgeOptions) -> list[str]:
    """The settings of docs/performance.md; returns the files."""
    worker = {
        "group": f"bench-{name}",
        "workers": options.workers,
        "memory": "8GiB",
        "kafka": {"bootstrap": bench.brokers},
        "window": {"wait": options.wait},
        "sampling": {"first_match": True, "policies": policies()},
        "sinks": [{"name": "receiver", "type": "otlp_http", "endpoint": url,
                   "compression": "none"}],
        "log": {"level": "warn"},
    }
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    files = [folder / "worker.conf"]
    files[0].write_text(config_text(worker))
    for topic in load.topics:
        settings = {"name": topic, "source": "kafka", "topic": topic}
        if topic == load.topic:
            settings |= {"role": "spans", "encoding": "otlp_proto", "start": "earliest"}
        else:
            settings |= {"role": "messages", "tap": "index", "start": "earliest"}
        if load.messages:
            settings["repair"] = {"mode": options.repair}
        files.append(folder / f"{topic}.conf")
        files[-1].write_text(config_text(settings))
    return [str(file) for file in files]


def run_bridge(bench: Bench, load: Load, options: BridgeOptions = BridgeOptions()) -> Run:
    receiver = bench.receiver(load, pieces=options.repair == "off" and bool(load.messages))
    name = bench.run_name("bridge")
    files = write_bridge_config(bench, name, load, receiver.url, options)
    child = bench.competitor(
        name, [str(bench.build / "spanbridge"), "run", "--drain", "--json", *files])
    cost = child.wait(PATIENCE_S)
    if cost.code != 0:
        raise BenchError(f"spanbridge ended with {cost.code}\n{child.tail()}")
    summary = json.loads(child.out())
    result = receiver.check("spanbridge")
    if summary["read"]["spans"] != load.spans or summary["balance"] != 0:
        raise BenchError(f"the accounting is not closed over {load.spans} spans: {summary}")
    if summary["exported"] != result["spans"] - result["foreign"]:
        raise BenchError(f"exported {summary['exported']}, received {result['spans']}")
    return Run(load.spans, cost, cost.wall_s)


_COLLECTOR = """\
receivers:
  kafka:
    brokers: ["{brokers}"]
    group_id: {name}
    initial_offset: earliest
    traces: {{ topics: ["{topic}"], encoding: otlp_proto }}
processors:
  tail_sampling:
    decision_wait: {wait}s
    num_traces: {traces}
    policies:
      - {{ name: errors, type: status_code, status_code: {{ status_codes: [ERROR] }} }}
      - {{ name: slow, type: latency, latency: {{ threshold_ms: 2000 }} }}
      - {{ name: rest, type: probabilistic, probabilistic: {{ sampling_percentage: 5 }} }}
exporters:
  otlp_http:
    endpoint: "{url}"
    compression: none
    # With the defaults it drops what the tail sampler decides in one burst.
    sending_queue: {{ queue_size: 1000000, block_on_overflow: true,
                     batch: {{ flush_timeout: 200ms, min_size: 8192 }} }}
service:
  telemetry: {{ logs: {{ level: warn }}, metrics: {{ level: none }} }}
  pipelines:
    traces: {{ receivers: [kafka], processors: [tail_sampling], exporters: [otlp_http] }}
"""


def run_collector(bench: Bench, load: Load, binary: str) -> Run:
    """It has no drain: it runs until all that was expected came, or nothing more comes."""
    receiver = bench.receiver(load, pieces=bool(load.messages))
    name = bench.run_name("collector")
    config = bench.folder / f"{name}.yaml"
    config.write_text(_COLLECTOR.format(
        brokers=bench.brokers, name=name, topic=load.topic, wait=WAIT_S,
        traces=4 * load.traces, url=receiver.url, port=free_port()))
    child = bench.competitor(name, [binary, "--config", str(config)], {"GOMAXPROCS": "2"})
    begin_s = heard_s = time.monotonic()
    seen = 0
    while True:
        time.sleep(0.2)
        child.check_running()
        result = receiver.result()
        if result["spans"] != seen:
            seen, heard_s = result["spans"], time.monotonic()
        if result["missing"] == 0 or time.monotonic() - heard_s > SILENCE_S:
            break
    busy_s = heard_s - begin_s
    cost = child.stop()
    receiver.check("the Collector")
    return Run(load.spans, cost, busy_s)
