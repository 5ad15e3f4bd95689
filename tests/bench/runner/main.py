"""All figures of docs/performance.md in one run, interleaved, medians and ranges.

Exits with 1 when a target is missed, naming the figure; with 2 when a run gave wrong spans out,
lost some, or could not be made.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

from harness.kafka import Kafka
from harness.rabbitmq import RabbitMQ
from runner.competitors import Bench, BridgeOptions, run_bare, run_bridge, run_collector
from runner.hold import measure_hold
from runner.loads import Load, Loader
from runner.measure import BenchError
from runner.queue_report import BARE, BRIDGE, BRIDGE_WINDOW, QueueResults
from runner.queues import WINDOW, Queues
from runner.report import Results
from runner.sinks import measure_kafka_sink, measure_rabbitmq_sink

FULL_TRACES, QUICK_TRACES = 250_000, 25_000
FULL_QUEUE_TRACES, QUICK_QUEUE_TRACES = 60_000, 6_000
FULL_KAFKA_PASSES, QUICK_KAFKA_PASSES = 100, 2
FULL_RABBITMQ_PASSES, QUICK_RABBITMQ_PASSES = 12, 1
# A full queue stays in memory: how a broker reads its own disk is not what is measured.
BROKER_MEMORY = {"vm_memory_high_watermark.absolute": "4GB"}


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/run.sh", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="200,000 spans; checks that all is right, does not judge the figures")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--loads", default="A,B", metavar="A,B,C,R",
                        help="R: a RabbitMQ queue of load B's records")
    parser.add_argument("--sinks", default="kafka", metavar="kafka,rabbitmq",
                        help="sinks alone, beside a bare client")
    parser.add_argument("--compression", default="", metavar="lz4,zstd",
                        help="load A compressed by the producer, as further rows")
    parser.add_argument("--workers", action="store_true",
                        help="two workers against one, load A")
    parser.add_argument("--no-hold", action="store_true", help="no memory per held span")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--bare", action="append", default=[], metavar="NAME=VALUE",
                        help="a property of librdkafka for the bare consumer")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the figures as JSON")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="all logs, for a look")
    options = parser.parse_args(arguments)
    options.loads = [name for name in options.loads.split(",") if name]
    options.compression = [name for name in options.compression.split(",") if name]
    options.sinks = [name for name in options.sinks.split(",") if name]
    if options.rounds < 1 or not set(options.loads) <= set("ABCR"):
        parser.error("at least one round, and loads out of A, B, C, R")
    if not set(options.sinks) <= {"kafka", "rabbitmq"}:
        parser.error("sinks out of kafka, rabbitmq")
    if needs_rabbitmq(options) and "SPANBRIDGE_RABBITMQ" not in os.environ:
        parser.error("RabbitMQ could not be had")
    return options


def needs_rabbitmq(options: argparse.Namespace) -> bool:
    return "R" in options.loads or "rabbitmq" in options.sinks


def run_round(bench: Bench, loads: list[Load], options: argparse.Namespace,
              results: Results) -> None:
    """Everybody once on every load, so that a slow minute of the machine hits all alike."""
    bare = dict(pair.split("=", 1) for pair in options.bare)
    collector = os.environ.get("OTELCOL")
    for load in loads:
        results.add(load.name, "bare consumer", run_bare(bench, load, bare))
        results.add(load.name, "spanbridge", run_bridge(bench, load))
        if load.kind == "C":
            results.add(load.name, "spanbridge, repair off",
                        run_bridge(bench, load, BridgeOptions(repair="off")))
        if load.name == "A" and options.workers:
            results.add(load.name, "spanbridge, 2 workers",
                        run_bridge(bench, load, BridgeOptions(workers=2)))
        if collector:
            results.add(load.name, "OpenTelemetry Collector",
                        run_collector(bench, load, collector))


def measure_loads(bench: Bench, options: argparse.Namespace) -> Results:
    results = Results()
    say("starting Kafka")
    kafka = Kafka(bench.folder / "kafka").start()
    try:
        bench.brokers = kafka.bootstrap
        traces = QUICK_TRACES if options.quick else FULL_TRACES
        loader = Loader(options.build, kafka.bootstrap, bench.folder, traces, options.seed)
        say(f"writing the loads: {traces * 8:,} spans each")
        loads = [loader.write(kind) for kind in options.loads if kind != "R"]
        loads += [loader.write("A", compression=name) for name in options.compression]
        for number in range(1, options.rounds + 1):
            say(f"round {number} of {options.rounds}")
            run_round(bench, loads, options, results)
        if not options.no_hold:
            say("memory per held span")
            results.hold = measure_hold(bench, loader, kafka)
    finally:
        kafka.stop()
    return results


def measure_queues(bench: Bench, broker: RabbitMQ, options: argparse.Namespace) -> QueueResults:
    results = QueueResults()
    traces = QUICK_QUEUE_TRACES if options.quick else FULL_QUEUE_TRACES
    queues = Queues(bench, broker, traces, options.seed)
    for number in range(1, options.rounds + 1):
        say(f"RabbitMQ queue, round {number} of {options.rounds}")
        results.add(BARE, queues.run_bare())
        results.add(BRIDGE, queues.run_bridge())
        results.add(BRIDGE_WINDOW, queues.run_bridge(WINDOW))
    say("what passes a window")
    results.passage = queues.measure_passage()
    return results


def measure_with_rabbitmq(bench: Bench, options: argparse.Namespace) -> list:
    parts = []
    say("starting RabbitMQ")
    broker = RabbitMQ(bench.folder / "rabbitmq", settings=BROKER_MEMORY).start()
    try:
        if "R" in options.loads:
            parts.append(measure_queues(bench, broker, options))
        if "rabbitmq" in options.sinks:
            say("the RabbitMQ sink alone")
            passes = QUICK_RABBITMQ_PASSES if options.quick else FULL_RABBITMQ_PASSES
            parts.append(measure_rabbitmq_sink(bench, broker.url, options.rounds, passes))
    finally:
        broker.stop()
    return parts


def measure(options: argparse.Namespace, folder: pathlib.Path) -> list:
    """One broker at a time: an idle one would cost the others something, too."""
    parts = []
    bench = Bench(options.build, folder)
    if not options.no_hold or options.compression or set(options.loads) - {"R"}:
        parts.append(measure_loads(bench, options))
    if needs_rabbitmq(options):
        parts += measure_with_rabbitmq(bench, options)
    if "kafka" in options.sinks:
        say("the Kafka sink alone")
        passes = QUICK_KAFKA_PASSES if options.quick else FULL_KAFKA_PASSES
        parts.append(measure_kafka_sink(bench, options.rounds, passes))
    return parts


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="spanbridge-bench-"))
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    load_before = os.getloadavg()[0]  # what others do tells what the figures are worth
    try:
        parts = measure(options, folder)
    except BenchError as error:
        say(f"FAILED: {error}")
        return 2
    finally:
        for path in (folder / "kafka", folder / "rabbitmq") if options.keep else (folder,):
            shutil.rmtree(path, ignore_errors=True)
    targets = [target for part in parts for target in part.targets()]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load average {load_before:.1f} before, "
          f"{options.rounds} rounds, median (range)")
    for part in parts:
        print(f"\n{part.table()}")
    print("", *(target.text() for target in targets), sep="\n")
    if options.json:
        figures = {key: value for part in parts for key, value in part.as_json().items()}
        figures["targets"] = [dataclasses.asdict(target) for target in targets]
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if options.quick:
        print("\nquick: the figures are not judged")
        return 0
    missed = [target for target in targets if not target.met]
    for target in missed:
        print(f"\nMISSED {target.text()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
