"""A sink alone, beside a bare client of the same library that sends the same records."""

import dataclasses
import json

from runner import figures
from runner.competitors import Bench
from runner.figures import Target, figure_of
from runner.measure import BenchError, Child

PATIENCE_S = 900
KAFKA_NS_MAX = 250.0


@dataclasses.dataclass(frozen=True)
class KafkaSink:
    """CPU nanoseconds per kept span, of each round."""
    sink_ns: list[float]
    thread_ns: list[float]  # of these, in the sink's own thread
    bare_ns: list[float]

    @property
    def itself_ns(self) -> list[float]:
        """Round by round, since the machine's own speed changes."""
        return [sink - bare for sink, bare in zip(self.sink_ns, self.bare_ns)]

    def targets(self) -> list[Target]:
        return [Target("Kafka sink: ns of CPU per kept span, above librdkafka alone",
                       figure_of(self.itself_ns)[0], "max", KAFKA_NS_MAX)]

    def table(self) -> str:
        rows = [["Kafka sink", "ns / kept span"]]
        for name, values in (("sink and librdkafka", self.sink_ns),
                             ("of these in the sink's thread", self.thread_ns),
                             ("librdkafka alone", self.bare_ns),
                             ("the sink itself", self.itself_ns)):
            rows.append([name, figures.ranged(figure_of(values))])
        return figures.columns(rows, left=1)

    def as_json(self) -> dict:
        return {"kafka_sink": {**dataclasses.asdict(self), "itself_ns": self.itself_ns}}


def measure_kafka_sink(bench: Bench, rounds: int, passes: int) -> KafkaSink:
    child = Child(bench.run_name("kafka-sink"), [
        bench.program("kafka_sink_bench"), "--rounds", str(rounds), "--passes", str(passes),
        "--json"], bench.folder)
    if (cost := child.wait(PATIENCE_S)).code != 0:
        raise BenchError(f"kafka_sink_bench ended with {cost.code}\n{child.tail()}")
    return KafkaSink(**json.loads(child.out()))
