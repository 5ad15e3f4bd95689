#!/usr/bin/env bash
# run.sh [options]: all figures of docs/performance.md in one run, on a real Kafka and RabbitMQ.
#
# Builds build/release if needed, fetches Kafka, RabbitMQ and the tests' Python environment into
# the cache as the system tests do, and hands over to runner/main.py, whose options it takes
# (--help).
# OTELCOL=/path/to/otelcol adds an OpenTelemetry Collector to the comparison.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

build=${SPANBRIDGE_BUILD:-$root/build/release}
if [ -z "${SPANBRIDGE_BUILD:-}" ]; then
    { (cd "$root" && cmake --preset release) && cmake --build "$build" -j "$(nproc)" \
        --target spanbridge bench_load bench_consumer bench_receiver \
        bench_rabbitmq_load bench_rabbitmq_consumer kafka_sink_bench rabbitmq_sink_bench; } >&2
fi

python=$(bash "$root/tests/components/get-python.sh")/bin/python
SPANBRIDGE_KAFKA=$(bash "$root/tests/components/get-kafka.sh")
export SPANBRIDGE_KAFKA
# Where it can not be had, the figures of Kafka still can.
if SPANBRIDGE_RABBITMQ=$(bash "$root/tests/components/get-rabbitmq.sh"); then
    export SPANBRIDGE_RABBITMQ
fi
export PYTHONPATH=$here:$root/tests/system PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$python" -m runner.main --build "$build" "$@"
