"""A sink alone, beside a bare client of the same library that sends the same records."""

import dataclasses
import json

from runner import figures
from runner.competitors import Bench
from runner.figures import Target, figure_of
from runner.measure import BenchError, Child

PATIENCE_S = 900
KAFKA_NS_MAX = 250.0
RABBITMQ_PER_S_MIN = 20_000.0


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


@dataclasses.dataclass(frozen=True)
class RabbitMQSink:
    """Confirmed messages per second, and microseconds of CPU per message, of each round."""
    sink_per_s: list[float]
    bare_per_s: list[float]
    sink_us: list[float]
    bare_us: list[float]

    def targets(self) -> list[Target]:
        return [Target("RabbitMQ sink: confirmed messages per second",
                       figure_of(self.sink_per_s)[0], "min", RABBITMQ_PER_S_MIN)]

    def table(self) -> str:
        rows = [["RabbitMQ sink", "confirmed / wall s", "CPU us / message"]]
        for name, per_s, us in (("the sink", self.sink_per_s, self.sink_us),
                                ("librabbitmq alone", self.bare_per_s, self.bare_us)):
            rows.append([name, figures.ranged(figure_of(per_s)),
                         figures.ranged(figure_of(us), 1)])
        rows.append(["the sink to librabbitmq alone",
                     figures.ranged(_ratio(self.sink_per_s, self.bare_per_s), 2),
                     figures.ranged(_ratio(self.sink_us, self.bare_us), 2)])
        return figures.columns(rows, left=1)

    def as_json(self) -> dict:
        return {"rabbitmq_sink": dataclasses.asdict(self)}


def _ratio(own: list[float], bare: list[float]) -> figures.Figure:
    """Round by round, since the machine's own speed changes."""
    return figure_of([a / b for a, b in zip(own, bare)])


def measure_kafka_sink(bench: Bench, rounds: int, passes: int) -> KafkaSink:
    return KafkaSink(**_run(bench, "kafka_sink_bench", rounds, passes, []))


def measure_rabbitmq_sink(bench: Bench, url: str, rounds: int, passes: int) -> RabbitMQSink:
    return RabbitMQSink(**_run(bench, "rabbitmq_sink_bench", rounds, passes, ["--url", url]))


def _run(bench: Bench, program: str, rounds: int, passes: int, more: list[str]) -> dict:
    child = Child(bench.run_name(program), [
        bench.program(program), "--rounds", str(rounds), "--passes", str(passes), "--json",
        *more], bench.folder)
    if (cost := child.wait(PATIENCE_S)).code != 0:
        raise BenchError(f"{program} ended with {cost.code}\n{child.tail()}")
    return json.loads(child.out())
