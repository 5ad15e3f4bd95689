"""A TCP proxy in front of a broker: it cuts connections, lets them hang, or garbles what the broker
sends, on demand.
"""

import contextlib
import select
import socket
import threading


class Proxy:
    """Listens on a port of its own and passes everything on to `target`."""

    def __init__(self, target: int, garbled: "tuple[bytes, bytes] | None" = None) -> None:
        """`garbled`: what the broker says, and what arrives instead, of the same length."""
        self._target = target
        self._garbled = garbled
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()  # as if it had been refused
                continue
            with self._lock:
                self._pairs.append(_Pair(client, server, self._garbled))

    def open_pairs(self) -> "list[_Pair]":
        with self._lock:
            return [pair for pair in self._pairs if not pair.ended]

    def cut(self) -> None:
        """Both ends of every connection see it closed, in the middle of whatever was under way."""
        for pair in self.open_pairs():
            pair.cut()

    def hang(self) -> None:
        """What is open now stays so and carries nothing any more; new connections work."""
        for pair in self.open_pairs():
            pair.hangs = True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.cut()


class _Pair:
    """A connection of a client, and the one to the server that belongs to it."""

    def __init__(self, client: socket.socket, server: socket.socket,
                 garbled: "tuple[bytes, bytes] | None") -> None:
        self._garbled = garbled
        self._kept = b""  # the beginning, perhaps, of what is to be garbled
        self.hangs = False
        self.ended = False
        self._ends = (client, server)
        threading.Thread(target=self._carry, daemon=True).start()

    def cut(self) -> None:
        self.ended = True
        for end in self._ends:
            with contextlib.suppress(OSError):  # it was closed already
                end.shutdown(socket.SHUT_RDWR)

    def _garble(self, data: bytes) -> bytes:
        if self._garbled is None:
            return data
        said, instead = self._garbled
        data = (self._kept + data).replace(said, instead)
        keep = next((n for n in range(len(said) - 1, 0, -1) if data.endswith(said[:n])), 0)
        self._kept = data[len(data) - keep:]
        return data[:len(data) - keep]

    def _carry(self) -> None:
        client, server = self._ends
        other = {client: server, server: client}
        with contextlib.suppress(OSError):  # cut
            while not self.ended:
                # Nothing wakes a pair that hangs when it is cut: it looks now and then.
                readable, _, _ = select.select(() if self.hangs else self._ends, (), (), 0.05)
                for end in readable:
                    data = end.recv(65_536)
                    if not data:
                        self.ended = True
                        break
                    other[end].sendall(self._garble(data) if end is server else data)
        self.cut()
        for end in self._ends:
            end.close()
