"""The loads: written once with bench_load, read by every competitor."""

import dataclasses
import json
import pathlib

from runner.measure import BenchError, Child

PARTITIONS = 4
PATIENCE_S = 600


@dataclasses.dataclass(frozen=True)
class Load:
    name: str  # "A", "B", "C", "A lz4", ...
    kind: str  # "A", "B" or "C"
    topic: str
    messages: tuple[str, ...]  # topics of load C's messages
    traces: int
    seed: int
    spans: int
    records: int
    value_bytes: int
    span_bytes: int

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.topic, *self.messages)


class Loader:
    def __init__(self, build: pathlib.Path, brokers: str, folder: pathlib.Path, traces: int,
                 seed: int) -> None:
        self._program = str(build / "tests" / "bench" / "bench_load")
        self._brokers = brokers
        self._folder = folder
        self._traces = traces
        self._seed = seed

    def write(self, kind: str, compression: str = "none", topic: str = "",
              create: bool = True) -> Load:
        name = kind if compression == "none" else f"{kind} {compression}"
        topic = topic or "spans_" + name.replace(" ", "_")
        messages = ("orders", "shipments") if kind == "C" else ()
        command = [self._program, "--brokers", self._brokers, "--load", kind, "--topic", topic,
                   "--traces", str(self._traces), "--seed", str(self._seed),
                   "--partitions", str(PARTITIONS), "--compression", compression]
        if messages:
            command += ["--orders", messages[0], "--shipments", messages[1]]
        if not create:
            command.append("--no-create")
        child = Child(f"load-{topic}", command, self._folder)
        if child.wait(PATIENCE_S).code != 0:
            raise BenchError(f"load {name} could not be written\n{child.tail()}")
        wrote = json.loads(child.out())
        return Load(name, kind, topic, messages, self._traces, self._seed, wrote["spans"],
                    wrote["records"], wrote["value_bytes"], wrote["span_bytes"])
