"""A run of the bridge as its admin address shows it."""

import json
import re
import urllib.error
import urllib.request

from harness import bridge

CLASSES = ("delivered_total", "dropped_total", "head_total", "filtered_total", "elided_total",
           "dead_lettered_total", "rejected_total", "lost_total", "returned_total",
           "replayed_total", "observed_total", "held")
SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (-?\d+)")


class Watcher:
    """The admin address of one run."""

    def __init__(self, run: bridge.Run) -> None:
        self.address = run.wait_event("listening")["address"]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def health(self) -> tuple[int, dict[str, str]]:
        """The status, and the reasons by what they are about."""
        status, body = self.get("/health")
        return status, {r["name"]: r["text"] for r in json.loads(body)["reasons"]}

    def scrape(self) -> dict[str, int]:
        """All series, each by its name and labels; checks that the accounting closes."""
        status, body = self.get("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics: {status} {body}")
        series: dict[str, int] = {}
        for line in body.splitlines():
            if line.startswith("#"):
                continue
            match = SAMPLE.fullmatch(line)
            if not match:
                raise AssertionError(f"no sample: {line}")
            key = match[1] + (f"{{{match[2]}}}" if match[2] else "")
            series[key] = int(match[3])
        left = total(series, "spans_received_total") - sum(
            total(series, f"spans_{name}") for name in CLASSES)
        if left != 0 or total(series, "balance_spans") != 0:
            raise AssertionError(f"the accounting is open by {left}:\n{body}")
        return series


def total(series: dict[str, int], name: str) -> int:
    return sum(value for key, value in series.items()
               if key.split("{")[0] == f"spanbridge_{name}")
