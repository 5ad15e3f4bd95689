"""Memory per held span: a window that does not end, and every span of load A in it."""

import dataclasses
import json

from runner.competitors import Bench, BridgeOptions, write_bridge_config
from runner.loads import PARTITIONS, Loader
from runner.measure import BenchError, Child

QUIET_S = 2.0
PATIENCE_S = 300
EX_TEMPFAIL = 75  # stopped with work left: that is what a full window is
TOPIC = "spans_hold"


@dataclasses.dataclass(frozen=True)
class Hold:
    spans: int
    encoded_bytes: int
    empty_bytes: int  # resident before the load
    full_bytes: int  # resident with all spans held

    @property
    def beyond_encoded(self) -> float:
        """Bytes per held span that are not the span."""
        return (self.full_bytes - self.empty_bytes - self.encoded_bytes) / self.spans

    @property
    def encoded(self) -> float:
        return self.encoded_bytes / self.spans


def measure_hold(bench: Bench, loader: Loader, kafka) -> Hold:
    kafka.create_topics(TOPIC, partitions=PARTITIONS, config={"retention.ms": "-1"})
    empty = _Empty(TOPIC)
    name = bench.run_name("hold")
    options = BridgeOptions(wait="1h")
    # Nothing is exported: the address of nobody will do.
    files = write_bridge_config(bench, name, empty, "http://127.0.0.1:9", options)
    child = Child(name, [str(bench.build / "spanbridge"), "run", "--json", *files], bench.folder)
    try:
        child.wait_quiet(QUIET_S, PATIENCE_S)
        empty_bytes = child.resident_bytes()
        load = loader.write("A", topic=TOPIC, create=False)
        child.wait_quiet(QUIET_S, PATIENCE_S)
        full_bytes = child.resident_bytes()
        cost = child.stop()
    finally:
        child.kill()
    if cost.code not in (0, EX_TEMPFAIL):
        raise BenchError(f"spanbridge ended with {cost.code}\n{child.tail()}")
    summary = json.loads(child.out())
    if summary["read"]["spans"] != load.spans or summary["held"] != load.spans:
        raise BenchError(f"not all of {load.spans} spans were held: {summary}")
    kafka.delete_topics(TOPIC)
    return Hold(load.spans, load.span_bytes, empty_bytes, full_bytes)


class _Empty:
    """As much of a load as the configuration needs."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.topics = (topic,)
        self.messages: tuple[str, ...] = ()


def predicted_bytes(rate: float, wait_s: float, hold: Hold) -> float:
    """rate x wait x (encoded + overhead): what the windows take at that rate."""
    return rate * wait_s * (hold.encoded + hold.beyond_encoded)
