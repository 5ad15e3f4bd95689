#!/usr/bin/env bash
# get-all.sh [--all]: every component, one after the other: the first three are quick and the
# others take all cores.  Tempo, 4 minutes more, comes with --all only.  What can not be had is
# said, and left to the tests to skip or to fail.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
names=(python kafka rabbitmq jaeger)
if [ "${1:-}" = --all ]; then names+=(tempo); fi
for name in "${names[@]}"; do
    bash "get-$name.sh" || echo "component: $name is not to be had"
done
