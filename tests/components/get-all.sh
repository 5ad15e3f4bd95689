#!/usr/bin/env bash
# get-all.sh: every component, one after the other: the first two are quick and the third takes
# all cores.  What can not be had is said, and left to the tests to skip or to fail.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
for name in python kafka jaeger; do
    bash "get-$name.sh" || echo "component: $name is not to be had"
done
