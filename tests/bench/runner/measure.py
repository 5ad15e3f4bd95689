"""A child process and what it cost: CPU seconds of itself alone, peak memory, wall time."""

import ctypes
import dataclasses
import mmap
import os
import pathlib
import signal
import subprocess
import threading
import time

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


_MADV_POPULATE_WRITE = 23  # mmap.py does not know it yet
_BACKED_BYTES_MAX = 4 << 30


class BenchError(Exception):
    """The figure can not be had, or is worth nothing: the text says why."""


@dataclasses.dataclass(frozen=True)
class Cost:
    code: int  # exit code; negative: the signal that ended it
    cpu_s: float
    wall_s: float
    peak_bytes: int


def back_memory() -> None:
    """Has the machine under a virtual one hand out the memory that a run is about to take.

    Where a hypervisor takes free pages back, whoever touches them first pays for it with up to
    ten times the kernel's own work, and whoever comes second does not.  Private memory: what is
    shared lies in small pages, and leaves no huge ones behind.
    """
    available = os.sysconf("SC_AVPHYS_PAGES") * _PAGE
    with mmap.mmap(-1, min(_BACKED_BYTES_MAX, available // 2),
                   flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        memory.madvise(_MADV_POPULATE_WRITE)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """Runs `command`; stdout goes to FOLDER/NAME.out, stderr to FOLDER/NAME.log.

    Waited for with wait4, since rusage of *all* children would mix up what is compared.
    """

    def __init__(self, name: str, command: list[str], folder: pathlib.Path,
                 env: dict[str, str] | None = None) -> None:
        self.name = name
        self._out = folder / f"{name}.out"
        self._log = folder / f"{name}.log"
        self._cost: Cost | None = None
        self._lock = threading.Lock()
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._begin_s = time.monotonic()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=folder,
                env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)
        self.pid = self._process.pid

    def poll(self) -> Cost | None:
        """None while it runs."""
        with self._lock:
            if self._cost is None:
                pid, status, usage = os.wait4(self.pid, os.WNOHANG)
                if pid == self.pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    self._cost = Cost(self._process.returncode, usage.ru_utime + usage.ru_stime,
                                      time.monotonic() - self._begin_s, usage.ru_maxrss * 1024)
            return self._cost

    def wait(self, patience_s: float) -> Cost:
        deadline = time.monotonic() + patience_s
        while (cost := self.poll()) is None:
            if time.monotonic() > deadline:
                self.kill()
                raise BenchError(f"{self.name} still ran after {patience_s:.0f} s\n{self.tail()}")
            time.sleep(0.005)
        return cost

    def stop(self, patience_s: float = 60) -> Cost:
        if self.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self.wait(patience_s)

    def kill(self) -> None:
        while self.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            time.sleep(0.01)

    def check_running(self) -> None:
        if (cost := self.poll()) is not None:
            raise BenchError(f"{self.name} ended with {cost.code}\n{self.tail()}")

    def out(self) -> str:
        return self._out.read_text(errors="replace")

    def first_line(self, patience_s: float = 30) -> str:
        deadline = time.monotonic() + patience_s
        while "\n" not in (text := self.out()):
            self.check_running()
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} says nothing\n{self.tail()}")
            time.sleep(0.01)
        return text.splitlines()[0]

    def tail(self, lines: int = 20) -> str:
        text = (self.out() + self._log.read_text(errors="replace")).splitlines()[-lines:]
        return "\n".join(f"  {self.name}| {line}" for line in text)

    # While it runs.

    def cpu_s(self) -> float:
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE

    def wait_quiet(self, quiet_s: float, patience_s: float) -> None:
        """Until it has used less than 2 % of a core for `quiet_s`."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self.check_running()
            before = self.cpu_s()
            time.sleep(quiet_s)
            if self.cpu_s() - before <= max(0.02 * quiet_s, 1.5 / _TICKS):
                return
        raise BenchError(f"{self.name} is not quiet after {patience_s:.0f} s")
