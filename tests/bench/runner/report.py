"""Figures out of runs: medians with their range, as a table, as JSON, and judged."""

import dataclasses

from runner import figures
from runner.competitors import WAIT_S, Run
from runner.figures import Figure, Target, figure_of
from runner.hold import Hold, predicted_bytes

MIB = 1 << 20

# The column "first version" of the project's performance page.
SPANS_PER_CPU_S_MIN = {"A": 1.5e6, "B": 0.7e6}
NS_ABOVE_BARE_MAX = {"A": 450.0}
HELD_BYTES_MAX = 96.0
REPAIR_COST_MAX = 1.25
TWO_WORKERS_COST_MAX = 1.15


@dataclasses.dataclass
class Series:
    """One competitor on one load."""
    load: str
    who: str
    runs: list[Run] = dataclasses.field(default_factory=list)

    def of(self, figure) -> Figure:
        return figure_of([figure(run) for run in self.runs])

    def per_cpu_s(self):
        return self.of(lambda run: run.spans / run.cost.cpu_s)

    def per_wall_s(self):
        return self.of(lambda run: run.spans / run.busy_s)

    def ns(self):
        return self.of(lambda run: run.ns_per_span)

    def peak(self):
        return self.of(lambda run: run.cost.peak_bytes)


class Results:
    """Of the loads in Kafka."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.hold: Hold | None = None

    def add(self, load: str, who: str, run: Run) -> None:
        if run.spans == 0 or run.cost.cpu_s == 0:
            raise ValueError(f"{who} on load {load}: a figure of zero")
        self.series.setdefault((load, who), Series(load, who)).runs.append(run)

    def ns_above_bare(self, load: str, who: str) -> float | None:
        bare = self.series.get((load, "bare consumer"))
        own = self.series.get((load, who))
        return own.ns()[0] - bare.ns()[0] if bare and own else None

    def ratio(self, load: str, who: str, to: str) -> float | None:
        """CPU per span of `who` over that of `to`."""
        a, b = self.series.get((load, who)), self.series.get((load, to))
        return a.ns()[0] / b.ns()[0] if a and b else None

    def targets(self) -> list[Target]:
        found = []
        for load, least in SPANS_PER_CPU_S_MIN.items():
            if series := self.series.get((load, "spanbridge")):
                found.append(Target(f"load {load}: spans per CPU second",
                                    series.per_cpu_s()[0], "min", least))
        for load, most in NS_ABOVE_BARE_MAX.items():
            if (above := self.ns_above_bare(load, "spanbridge")) is not None:
                found.append(Target(f"load {load}: ns per span above the bare consumer", above,
                                    "max", most))
        if self.hold:
            found.append(Target("bytes of memory per held span beyond its encoding",
                                self.hold.beyond_encoded, "max", HELD_BYTES_MAX))
        if (cost := self.ratio("C", "spanbridge", "spanbridge, repair off")) is not None:
            found.append(Target("load C: CPU with repair over without", cost, "max",
                                REPAIR_COST_MAX))
        if (cost := self.ratio("A", "spanbridge, 2 workers", "spanbridge")) is not None:
            found.append(Target("load A: CPU with two workers over one", cost, "max",
                                TWO_WORKERS_COST_MAX))
        return found

    def as_json(self) -> dict:
        rows = []
        for series in self.series.values():
            row = {"load": series.load, "who": series.who, "runs": len(series.runs)}
            for name, figure in (("spans_per_cpu_s", series.per_cpu_s()),
                                 ("spans_per_wall_s", series.per_wall_s()),
                                 ("ns_per_span", series.ns()), ("peak_bytes", series.peak())):
                row[name] = figures.as_json(figure)
            row["ns_above_bare"] = self.ns_above_bare(series.load, series.who)
            rows.append(row)
        return {"rows": rows, "hold": self._hold_json()}

    def _hold_json(self) -> dict | None:
        if self.hold is None:
            return None
        return {**dataclasses.asdict(self.hold), "bytes_per_span": self.hold.encoded,
                "beyond_encoded": self.hold.beyond_encoded}

    def table(self) -> str:
        head = ["load", "who", "spans / CPU s", "spans / wall s", "ns / span", "above bare",
                "peak MiB"]
        rows = [head]
        for series in self.series.values():
            above = self.ns_above_bare(series.load, series.who)
            bare = series.who == "bare consumer"
            rows.append([series.load, series.who, figures.ranged(series.per_cpu_s()),
                         figures.ranged(series.per_wall_s()), figures.ranged(series.ns()),
                         "" if bare or above is None else f"{above:,.0f}",
                         figures.ranged(tuple(v / MIB for v in series.peak()))])
        return "\n".join([figures.columns(rows), *self._below()])

    def _below(self) -> list[str]:
        lines = []
        if self.hold:
            hold = self.hold
            lines.append(
                f"memory per held span: {hold.encoded:.0f} bytes encoded + "
                f"{hold.beyond_encoded:.0f} ({hold.spans:,} spans held: "
                f"{(hold.full_bytes - hold.empty_bytes) / MIB:,.0f} MiB)")
            if own := self.series.get(("A", "spanbridge")):
                rate, busy_s = own.per_wall_s()[0], own.of(lambda run: run.busy_s)[0]
                held_s = min(WAIT_S, busy_s)
                lines.append(
                    f"rate x wait x (encoded + overhead), load A: {rate:,.0f} / s x "
                    f"{held_s:.1f} s = {predicted_bytes(rate, held_s, hold) / MIB:,.0f} MiB; "
                    f"measured peak {own.peak()[0] / MIB:,.0f} MiB")
        return lines
