"""Figures of who reads a RabbitMQ queue."""

import dataclasses

from runner import figures
from runner.figures import Target, figure_of
from runner.queues import Delivered, Passage

MIB = 1 << 20
BARE, BRIDGE, BRIDGE_WINDOW = "bare consumer", "spanbridge", "spanbridge, window"

PER_S_MIN = 60_000.0
CPU_US_MAX = 12.0


class QueueResults:
    def __init__(self) -> None:
        self._runs: dict[str, list[Delivered]] = {}
        self.passage: Passage | None = None

    def add(self, who: str, run: Delivered) -> None:
        if run.messages == 0 or run.cost.cpu_s == 0:
            raise ValueError(f"{who} on a queue: a figure of zero")
        self._runs.setdefault(who, []).append(run)

    def per_wall_s(self, who: str) -> figures.Figure:
        return figure_of([run.per_wall_s for run in self._runs[who]])

    def cpu_us(self, who: str) -> figures.Figure:
        return figure_of([run.cpu_us for run in self._runs[who]])

    def ratios(self, who: str) -> list[float]:
        """CPU over that of the bare consumer in the same round."""
        return [own.cpu_us / bare.cpu_us
                for own, bare in zip(self._runs[who], self._runs[BARE])]

    def targets(self) -> list[Target]:
        return [Target("RabbitMQ source: deliveries per second", self.per_wall_s(BRIDGE)[0],
                       "min", PER_S_MIN),
                Target("RabbitMQ source: microseconds of CPU per delivery",
                       self.cpu_us(BRIDGE)[0], "max", CPU_US_MAX)]

    def table(self) -> str:
        rows = [["RabbitMQ queue", "deliveries / wall s", "CPU us / delivery", "CPU to bare",
                 "peak MiB"]]
        for who, runs in self._runs.items():
            peak = figure_of([run.cost.peak_bytes / MIB for run in runs])
            rows.append([who, figures.ranged(self.per_wall_s(who)),
                         figures.ranged(self.cpu_us(who), 1),
                         "" if who == BARE else figures.ranged(figure_of(self.ratios(who)), 1),
                         figures.ranged(peak)])
        return figures.columns(rows, left=1) + self._passage_text()

    def _passage_text(self) -> str:
        if (passage := self.passage) is None:
            return ""
        return (f"\nprefetch x consumers / wait: {passage.prefetch:,} x {passage.consumers} / "
                f"{passage.wait_s:g} s = {passage.formula_per_s:,.0f} / s; measured "
                f"{passage.measured_per_s:,.0f} / s")

    def as_json(self) -> dict:
        rows = [{"who": who, "runs": len(runs),
                 "deliveries_per_s": figures.as_json(self.per_wall_s(who)),
                 "cpu_us": figures.as_json(self.cpu_us(who)),
                 "cpu_to_bare": figures.as_json(figure_of(self.ratios(who)))}
                for who, runs in self._runs.items()]
        passage = self.passage and {**dataclasses.asdict(self.passage),
                                    "formula_per_s": self.passage.formula_per_s}
        return {"queue": rows, "passage": passage}
