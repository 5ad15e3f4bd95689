#!/usr/bin/env bash
# quickstart.sh: from a fresh checkout on Debian 12 to the running demo, in one command.
#
# Installs what is missing (as root, or with sudo), builds build/release/spanbridge, and plays
# a checkout whose traces break at two topics.  Repeatable: what is done is not done again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=build/quickstart.log
binary=build/release/spanbridge
mkdir -p build
: >"$log"

# step NUMBER TEXT COMMAND...: runs it with its output in the log.
step() {
    local number=$1 text=$2 started=$SECONDS
    shift 2
    printf '[%s/4] %s ... ' "$number" "$text"
    printf '\n== %s: %s\n' "$text" "$*" >>"$log"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        printf 'failed\n\n'
        echo "quickstart: '$text' failed; the last lines of $log:" >&2
        tail -n 25 "$log" | sed 's/^/  | /' >&2
        exit 1
    fi
    printf '%d s\n' $((SECONDS - started))
}

step 1 "packages" bash deploy/packages.sh build
# The tests need packages of their own: tests/run.sh installs them and turns this on again.
step 2 "configure, build librdkafka the first time (a minute or two)" \
    cmake --preset release -DSPANBRIDGE_TESTS=OFF -DSPANBRIDGE_BENCH=OFF
step 3 "build spanbridge" cmake --build --preset release --target spanbridge libspanbridge

echo "[4/4] demo"
echo
if ! "$binary" demo --once; then
    echo "quickstart: the demo failed; see above" >&2
    exit 1
fi

cat <<END

Next:
  $binary demo           the same, until Ctrl-C
  $binary config init    an annotated configuration to start from
  cmake --install build/release           as root: puts spanbridge on the path
  README.md                               your own topics in five minutes
END
