#!/usr/bin/env bash
# run.sh [options]: all figures of docs/performance.md in one run, on a real Kafka.
#
# Builds build/release if needed, fetches Kafka and the tests' Python environment into the cache
# as the system tests do, and hands over to runner/main.py, whose options it takes (--help).
# OTELCOL=/path/to/otelcol adds an OpenTelemetry Collector to the comparison.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

build=${SPANBRIDGE_BUILD:-$root/build/release}
if [ -z "${SPANBRIDGE_BUILD:-}" ]; then
    { (cd "$root" && cmake --preset release) && cmake --build "$build" -j "$(nproc)" \
        --target spanbridge bench_load bench_consumer bench_receiver; } >&2
fi

python=$(bash "$root/tests/components/get-python.sh")/bin/python
SPANBRIDGE_KAFKA=$(bash "$root/tests/components/get-kafka.sh")
export SPANBRIDGE_KAFKA
export PYTHONPATH=$here:$root/tests/system PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$python" -m runner.main --build "$build" "$@"
