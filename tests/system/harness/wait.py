"""Waiting on conditions, with a deadline and never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

from harness.env import PATIENCE_S

T = TypeVar("T")


class TimedOut(AssertionError):
    pass


def until(what: str, condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """The first true value of `condition`, asked every 20 ms."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"not within {patience_s:.0f} s: {what}")
        time.sleep(0.02)
