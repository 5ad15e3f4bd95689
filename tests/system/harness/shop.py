"""Runs the applications in tests/system/apps."""

import json
import os
import pathlib
import subprocess
import sys

from harness import env

APPS = pathlib.Path(__file__).resolve().parents[1] / "apps"


def run(app: str, *arguments: str, propagators: str = "tracecontext,baggage") -> dict[str, str]:
    """Runs one of them to its end; the trace id it saw for each order."""
    done = subprocess.run([sys.executable, str(APPS / app), *arguments],
                          env={**os.environ, "OTEL_PROPAGATORS": propagators},
                          capture_output=True, text=True, timeout=env.PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(f"{app} {arguments} ended with {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)
