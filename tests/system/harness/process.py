"""One program in the background: its log, its end."""

import ctypes
import os
import pathlib
import signal
import subprocess

from harness.env import PATIENCE_S
from harness.wait import until

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    # A test that ctest kills at its time limit has no chance to end what it started.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """Runs `command`; stdout goes to FOLDER/NAME.out, stderr to FOLDER/NAME.log.

    Start it in the main thread: the program dies with the thread that started it.
    """

    def __init__(self, name: str, command: list[str], folder: pathlib.Path,
                 env: dict[str, str] | None = None) -> None:
        self.name = name
        self.out_path = folder / f"{name}.out"
        self.log_path = folder / f"{name}.log"
        with self.out_path.open("ab") as out, self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._out_start = out.tell()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=folder,
                env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        """What this run has written to stderr."""
        return self.log_path.read_bytes()[self._log_start:].decode(errors="replace")

    def out(self) -> str:
        return self.out_path.read_bytes()[self._out_start:].decode(errors="replace")

    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """The exit code; a negative one is the signal that ended it."""
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} still runs after {patience_s:.0f} s\n{self.tail()}") from None

    def wait_log(self, text: str, patience_s: float = PATIENCE_S) -> None:
        def seen() -> bool:
            if text in self.log():
                return True
            if not self.running():
                raise AssertionError(f"{self.name} ended before it said {text!r}\n{self.tail()}")
            return False
        try:
            until(f"{self.name} says {text!r}", seen, patience_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def stop(self, patience_s: float = PATIENCE_S) -> int:
        """SIGTERM, and SIGKILL when that does not end it in time."""
        if self.running():
            self._process.terminate()
            try:
                return self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                pass
        return self.kill()

    def kill(self) -> int:
        if self.running():
            self._process.kill()
        return self._process.wait()

    def peak_memory_kb(self) -> int:
        """The most that it ever had in memory; 0 once it has ended."""
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in status.splitlines()
                     if line.startswith("VmHWM:")), 0)

    def tail(self, lines: int = 30) -> str:
        text = (self.out() + self.log()).splitlines()[-lines:]
        return "\n".join(f"  {self.name}| {line}" for line in text)
