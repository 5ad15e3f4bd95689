"""spanbridge itself: its configuration files, its runs, its final report."""

import json
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any

from harness import env
from harness.process import Process
from harness.wait import TimedOut, until

EX_OK, EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 0, 64, 69, 75, 77, 78

# The partitions of a killed run must not wait 45 s for the next one.  With the protocol of
# KIP-848 the broker says how long, and refuses these.
_KAFKA_PROPERTIES = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}

Value = str | int | float | bool | Mapping[str, "Value"] | list["Value"]


def setting(value: Value) -> str:
    """A value in libconfig's syntax: mappings are groups, lists are lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, Mapping):
        return "{ " + " ".join(f"{k} = {setting(v)};" for k, v in value.items()) + " }"
    return "( " + ", ".join(setting(v) for v in value) + " )"


def config_text(settings: Mapping[str, Value]) -> str:
    return "".join(f"{key} = {setting(value)};\n" for key, value in settings.items())


def properties(values: Mapping[str, str]) -> Value:
    return [{"name": name, "value": value} for name, value in values.items()]


def otlp_http(url: str, **more: Value) -> dict[str, Value]:
    """A sink that gives up nothing, and tries again soon: tests do not wait for back-off."""
    return {"name": "backend", "type": "otlp_http", "endpoint": url,
            "retry": {"initial": "50ms", "max": "500ms"}, **more}


def otlp_grpc(url: str, **more: Value) -> dict[str, Value]:
    return {**otlp_http(url, **more), "type": "otlp_grpc"}


class Run(Process):
    """A run of the bridge; it logs in JSON."""

    def events(self, name: str, **fields: Value) -> list[dict[str, Any]]:
        """The log lines of that event whose fields have these values."""
        found = []
        for line in self.log().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # being written, or not ours
            if event.get("event") == name and fields.items() <= event.items():
                found.append(event)
        return found

    def wait_event(self, name: str, **fields: Value) -> dict[str, Any]:
        def seen() -> list[dict[str, Any]]:
            found = self.events(name, **fields)
            if not found and not self.running():
                raise AssertionError(f"{self.name} ended before {name} {fields}\n{self.tail()}")
            return found
        try:
            return until(f"{name} {fields}", seen)[0]
        except TimedOut as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None


class Bridge:
    """One configuration in one folder; `start` and `drain` run it.

    Without a bootstrap address nothing is said of Kafka; of RabbitMQ `rabbitmq={"url": ...}`.
    """

    def __init__(self, folder: pathlib.Path, bootstrap: str, sinks: list[Value],
                 group: str = "bridge", kafka: Mapping[str, str] | None = None,
                 **more: Value) -> None:
        own = {} if (kafka or {}).get("group.protocol") == "consumer" else _KAFKA_PROPERTIES
        self.folder = folder
        self.group = group
        self._topics: list[pathlib.Path] = []
        self._runs = 0
        self._run: Run | None = None
        worker: dict[str, Value] = {
            "group": group,
            "workers": 2,
            "memory": "256MiB",
            "window": {"wait": "1s"},
            "sampling": {"policies": [{"name": "all", "type": "always_sample"}]},
            "sinks": sinks,
            "log": {"format": "json", "level": "debug"},
        }
        if bootstrap:
            worker["kafka"] = {"bootstrap": bootstrap,
                               "properties": properties({**own, **(kafka or {})})}
        worker.update(more)
        self.worker = folder / "worker.conf"
        self.worker.write_text(config_text(worker))

    def spans(self, topic: str, encoding: str = "otlp_proto", **more: Value) -> "Bridge":
        return self.topic(topic, role="spans", encoding=encoding, start="earliest", **more)

    def messages(self, topic: str, **more: Value) -> "Bridge":
        return self.topic(topic, role="messages", tap="index", **more)

    def topic(self, topic: str, **more: Value) -> "Bridge":
        return self._file(topic, source="kafka", topic=topic, **more)

    def queue(self, queue: str, role: str = "spans", **more: Value) -> "Bridge":
        """A queue of RabbitMQ; its topic file has the same name."""
        return self._file(queue, source="rabbitmq", queue=queue, role=role, **more)

    def _file(self, name: str, **settings: Value) -> "Bridge":
        path = self.folder / f"{name}.conf"
        path.write_text(config_text({"name": name, **settings}))
        self._topics.append(path)
        return self

    def files(self) -> list[str]:
        return [str(self.worker), *map(str, self._topics)]

    def kill(self) -> None:
        """Ends a run that a failed test has left."""
        if self._run is not None:
            self._run.kill()

    def start(self, *options: str) -> Run:
        self.kill()
        self._runs += 1
        self._run = Run(f"bridge-{self._runs}", [env.binary(), "run", *options, *self.files()],
                        self.folder)
        return self._run

    def drain(self) -> "Report":
        """A run to the end of the topics."""
        return finish(self.start("--drain", "--json"))


def finish(run: Run, patience_s: float = 2 * env.PATIENCE_S) -> "Report":
    """Waits for the end of a run with --json that must end well, with its accounting closed."""
    code = run.wait(patience_s)
    if code != EX_OK:
        raise AssertionError(f"{run.name} ended with {code}\n{run.tail()}")
    return Report.of(run)


class Report:
    """The one line of JSON that `run --json` ends with."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    @classmethod
    def of(cls, run: Run) -> "Report":
        lines = run.out().strip().splitlines()
        if len(lines) != 1:
            raise AssertionError(f"{run.name}: not one line on stdout: {lines}\n{run.tail()}")
        report = cls(json.loads(lines[0]))
        report.check_closed()
        return report

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def check_closed(self) -> None:
        """Every span that was read ended in exactly one class."""
        v = self.values
        classes = (v["exported"] + sum(v["dropped"].values()) + v["head"] + v["filtered"]
                   + v["elided"] + sum(v["dead_lettered"]["spans"].values()) + v["rejected"]
                   + v["lost"] + v["returned"] + v["replayed"] + v["observed"] + v["held"])
        if v["balance"] != 0 or classes != v["read"]["spans"]:
            raise AssertionError(f"the accounting is open by {v['balance']} "
                                 f"({v['read']['spans']} read, {classes} in classes): {v}")

    def repairs(self, action: str = "parent") -> dict[str, int]:
        """How often each rule did that; rules that did not are left out."""
        return {rule: counts[action] for rule, counts in self.values["repairs"].items()
                if counts.get(action)}


def run_once(*arguments: str, cwd: pathlib.Path | None = None,
             patience_s: float = env.PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """A command of spanbridge that ends by itself."""
    return subprocess.run([env.binary(), *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=patience_s, cwd=cwd)
