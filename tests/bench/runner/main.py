"""All figures of docs/performance.md in one run, interleaved, medians and ranges.

Exits with 1 when a target is missed, naming the figure; with 2 when a run gave wrong spans out,
lost some, or could not be made.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

from harness.kafka import Kafka
from runner.competitors import Bench, BridgeOptions, run_bare, run_bridge, run_collector
from runner.hold import measure_hold
from runner.loads import Load, Loader
from runner.measure import BenchError
from runner.report import Results

FULL_TRACES, QUICK_TRACES = 250_000, 25_000


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
    parser.add_argument("--loads", default="A,B", metavar="A,B,C")
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
    if options.rounds < 1 or not set(options.loads) <= {"A", "B", "C"}:
        parser.error("at least one round, and loads out of A, B, C")
    return options


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


def measure(options: argparse.Namespace, folder: pathlib.Path) -> Results:
    results = Results()
    say("starting Kafka")
    kafka = Kafka(folder / "kafka").start()
    try:
        bench = Bench(options.build, kafka.bootstrap, folder)
        traces = QUICK_TRACES if options.quick else FULL_TRACES
        loader = Loader(options.build, kafka.bootstrap, folder, traces, options.seed)
        say(f"writing the loads: {traces * 8:,} spans each")
        loads = [loader.write(kind) for kind in options.loads]
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


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="spanbridge-bench-"))
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        results = measure(options, folder)
    except BenchError as error:
        say(f"FAILED: {error}")
        return 2
    finally:
        shutil.rmtree(folder / "kafka" if options.keep else folder, ignore_errors=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, "
          f"{options.rounds} rounds, median (range)\n\n{results.table()}")
    if options.json:
        options.json.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if options.quick:
        print("\nquick: the figures are not judged")
        return 0
    for line in (missed := results.missed()):
        print(f"\nMISSED {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
