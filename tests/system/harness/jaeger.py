"""A real Jaeger with memory storage."""

import json
import pathlib
import urllib.error
import urllib.request

from harness import env
from harness.ports import free_ports, is_listening
from harness.process import Process
from harness.wait import until

_CONFIG = """\
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [jaeger_storage_exporter]
  telemetry:
    metrics:
      level: none
    logs:
      level: info
extensions:
  jaeger_storage:
    backends:
      memory_store:
        memory:
          max_traces: 100000
  jaeger_query:
    storage:
      traces: memory_store
    http:
      endpoint: 127.0.0.1:{query}
    grpc:
      endpoint: 127.0.0.1:{query_grpc}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
exporters:
  jaeger_storage_exporter:
    trace_storage: memory_store
"""


class Jaeger:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._grpc, self._http, self._query, query_grpc = free_ports(4)
        self.grpc_url = f"http://127.0.0.1:{self._grpc}"
        self.http_url = f"http://127.0.0.1:{self._http}"
        self.query_url = f"http://127.0.0.1:{self._query}"
        (folder / "jaeger.yaml").write_text(_CONFIG.format(
            grpc=self._grpc, http=self._http, query=self._query, query_grpc=query_grpc))
        self._process: Process | None = None

    def start(self) -> "Jaeger":
        self._process = Process(
            "jaeger", [env.jaeger(), "--config", str(self.folder / "jaeger.yaml")], self.folder)
        for port in (self._grpc, self._http, self._query):
            until("Jaeger listens",
                  lambda: is_listening(port) or self._check_running())  # noqa: B023
        return self

    def _check_running(self) -> bool:
        assert self._process is not None
        if not self._process.running():
            raise AssertionError(f"Jaeger ended\n{self._process.tail()}")
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(patience_s=15)

    def trace(self, trace_id: str) -> list[dict]:
        """The trace's spans as Jaeger's query API gives them, with `service` and a flat `tags`."""
        try:
            address = f"{self.query_url}/api/traces/{trace_id}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                found = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        spans = []
        for span in found[0]["spans"] if found else []:
            process = found[0]["processes"][span["processID"]]
            spans.append({**span, "service": process["serviceName"],
                          "tags": {tag["key"]: tag["value"] for tag in span["tags"]}})
        return spans

    @staticmethod
    def parent_of(span: dict) -> str | None:
        """The parent's span id, of a span that `trace` gave."""
        # A span that also links to its own parent, as the instrumentation's process spans do
        # without propagation, has only the link in Jaeger's answer; its page draws a tree by
        # either.
        references = [r for r in span["references"] if r["traceID"] == span["traceID"]]
        references.sort(key=lambda r: r["refType"] != "CHILD_OF")
        return references[0]["spanID"] if references else None
