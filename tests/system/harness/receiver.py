"""A scripted OTLP/HTTP backend: remembers what it acknowledged, refuses and hangs on demand."""

import gzip
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness import otlp
from harness.certs import Certs
from harness.ports import free_port


class Receiver:
    """Listens on one port for all its life; `down` and `up` close and open it.

    `answer` decides on each request: given its number (from 1), an HTTP status.  Spans count
    as received only when the answer is 200.
    """

    def __init__(self, certs: Certs | None = None) -> None:
        """With certificates it speaks TLS."""
        self.port = free_port()
        self.url = f"{'https' if certs else 'http'}://127.0.0.1:{self.port}"
        self._tls: ssl.SSLContext | None = None
        if certs is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certs.certificate, certs.key)
        self.answer: Callable[[int], int] = lambda _number: 200
        self.open_gate = threading.Event()  # clear it, and requests hang unanswered
        self.open_gate.set()
        self.strict = True  # refuse what Python's protobuf does not decode
        self.requests = 0
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._server: ThreadingHTTPServer | None = None
        self.up()

    def up(self) -> None:
        if self._server is not None:
            return
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802 (the base class names it)
                outer._serve(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exception(), OSError):  # the bridge was killed: no news
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Refuses connections from now on; open ones are cut at their next request."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        self.open_gate.set()
        self.down()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", "0"))
        body = handler.rfile.read(length)
        if self._server is None:
            handler.close_connection = True
            return
        with self._lock:
            self.requests += 1
            number = self.requests
            self.headers.append({k.lower(): v for k, v in handler.headers.items()})
        self.open_gate.wait()
        status = self.answer(number)
        if status == 200:
            if handler.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status = self._take(body)
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/x-protobuf")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        except OSError:
            pass  # the bridge was killed meanwhile

    def _take(self, body: bytes) -> int:
        spans: list[Span] = []
        try:
            spans = otlp.spans_of(body)
        except DecodeError:
            if self.strict:
                return 400
        with self._lock:
            self._spans.extend(spans)
            self.bodies.append(body)
        return 200

    def spans(self) -> list[Span]:
        with self._lock:
            return list(self._spans)

    def span_ids(self) -> set[bytes]:
        return {span.span_id for span in self.spans()}
