"""Where things are: tests/system/launch.sh exports it."""

import os
import pathlib
import shutil
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Short limits hide nothing on a busy machine: a condition that holds ends the wait at once.
PATIENCE_S = float(os.environ.get("SPANBRIDGE_TEST_PATIENCE", "60"))


def binary() -> str:
    return os.environ["SPANBRIDGE_BINARY"]


def kafka_libs() -> str:
    return os.environ["SPANBRIDGE_KAFKA"] + "/libs"


def jaeger() -> str:
    return os.environ["SPANBRIDGE_JAEGER"] + "/jaeger"


def rabbitmq() -> str:
    return os.environ["SPANBRIDGE_RABBITMQ"] + "/usr"


def tempo() -> str:
    return os.environ["SPANBRIDGE_TEMPO"] + "/tempo"


class Case(unittest.TestCase):
    """A test case with a temporary folder for the class (`base`) and one per test (`folder`).

    A folder is kept when its test failed: it holds every program's log.
    """

    base: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix=f"spanbridge-{cls.__name__}-"))
        cls.failed = False
        cls.addClassCleanup(cls._remove_base)

    @classmethod
    def _remove_base(cls) -> None:
        if cls.failed:
            print(f"kept for a look: {cls.base}", flush=True)
        else:
            shutil.rmtree(cls.base, ignore_errors=True)

    def setUp(self) -> None:
        self.folder = self.base / self._testMethodName
        self.folder.mkdir()

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        # Not in a cleanup: there, every test looks as if it had passed.
        result = super().run(result)
        if result is not None and not result.wasSuccessful():
            type(self).failed = True
        return result
