"""Free ports on the loopback interface."""

import random
import socket

# Below the range that the kernel takes outgoing ports from: a port found free here stays free
# until its server listens on it, unless another test draws the same one.
_LOWEST, _HIGHEST = 10_000, 32_000


def free_ports(count: int) -> list[int]:
    ports: list[int] = []
    while len(ports) < count:
        port = random.randint(_LOWEST, _HIGHEST)
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def free_port() -> int:
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
