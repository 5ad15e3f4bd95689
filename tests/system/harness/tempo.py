"""A real Grafana Tempo in one process, with its blocks in a folder."""

import dataclasses
import pathlib
import urllib.error
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness import env, otlp
from harness.ports import free_ports
from harness.process import Process
from harness.wait import until

# A node of its own: its rings lie in memory, nothing is asked of the network, and it is ready
# at once instead of after 15 s in which others might join.
_CONFIG = """\
target: all
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {query}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {inner}
  log_level: info
distributor:
  receivers:
    otlp:
      protocols:
        grpc:
          endpoint: 127.0.0.1:{grpc}
        http:
          endpoint: 127.0.0.1:{http}
ingester:
  lifecycler:
    address: 127.0.0.1
    min_ready_duration: 0s
    final_sleep: 0s
storage:
  trace:
    backend: local
    local:
      path: {folder}/blocks
    wal:
      path: {folder}/wal
usage_report:
  reporting_enabled: false
"""


@dataclasses.dataclass(frozen=True)
class Found:
    """A span as Tempo gives it back."""

    service: str
    span: Span

    @property
    def attributes(self) -> dict[str, str | int | bool | float]:
        return otlp.attributes_of(self.span)


class Tempo:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        grpc, http, query, inner = free_ports(4)
        self.grpc_url = f"http://127.0.0.1:{grpc}"
        self.http_url = f"http://127.0.0.1:{http}"
        self.query_url = f"http://127.0.0.1:{query}"
        (folder / "tempo.yaml").write_text(_CONFIG.format(
            grpc=grpc, http=http, query=query, inner=inner, folder=folder))
        self._process: Process | None = None

    def start(self) -> "Tempo":
        self._process = Process(
            "tempo", [env.tempo(), f"-config.file={self.folder / 'tempo.yaml'}"], self.folder)
        until("Tempo is ready", self._is_ready)
        return self

    def _is_ready(self) -> bool:
        assert self._process is not None
        if not self._process.running():
            raise AssertionError(f"Tempo ended\n{self._process.tail()}")
        try:
            with urllib.request.urlopen(f"{self.query_url}/ready", timeout=10):
                return True
        except OSError:
            return False  # not listening, or 503

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(patience_s=8)  # at times it hangs

    def trace(self, trace_id: str) -> list[Found]:
        """The trace's spans as Tempo's API gives them; none where it knows no such trace."""
        request = urllib.request.Request(f"{self.query_url}/api/traces/{trace_id}",
                                         headers={"Accept": "application/protobuf"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                # Tempo's message differs from OTLP's in its name alone.
                found = ExportTraceServiceRequest.FromString(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return [Found(_service_of(group), span) for group in found.resource_spans
                for scope in group.scope_spans for span in scope.spans]


def _service_of(group: object) -> str:
    return next((attribute.value.string_value
                 for attribute in group.resource.attributes  # type: ignore[attr-defined]
                 if attribute.key == "service.name"), "")
