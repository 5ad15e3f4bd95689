"""Figures as they are printed and judged: medians with their range, columns, bounds."""

import dataclasses
import statistics

Figure = tuple[float, float, float]  # median, least, greatest


def figure_of(values: list[float]) -> Figure:
    return statistics.median(values), min(values), max(values)


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure that has a bound."""
    name: str
    value: float
    kind: str  # "min" or "max"
    bound: float

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.kind == "min" else self.value <= self.bound

    def text(self) -> str:
        sign = "at least" if self.kind == "min" else "at most"
        return f"{self.name}: {plain(self.value)} (target: {sign} {plain(self.bound)})"


def as_json(figure: Figure) -> dict[str, float]:
    return dict(zip(("median", "min", "max"), figure))


def plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}"


def ranged(figure: Figure, digits: int = 0) -> str:
    median, least, greatest = (f"{value:,.{digits}f}" for value in figure)
    return f"{median} ({least} - {greatest})" if least != greatest else median


def columns(rows: list[list[str]], left: int = 2) -> str:
    """The first `left` columns flush left, the others flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(
        cell.ljust(width) if i < left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)
