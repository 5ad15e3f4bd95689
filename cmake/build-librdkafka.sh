#!/usr/bin/env bash
# build-librdkafka.sh DIR: fetches the pinned librdkafka source and leaves
# DIR/include/librdkafka/*.h and DIR/lib/librdkafka.a.
#
# Debian 12 has 2.0.2 only.  The source of 2.15.1 is published inside the npm package below;
# nothing of the package's own code is used.
set -euo pipefail

package='@confluentinc/kafka-javascript@1.10.1'
archive='confluentinc-kafka-javascript-1.10.1.tgz'
sha256='ada7d703bb1d3237e2292bfabf438d663b6160c9f1ac2a2406b5dc4257c81b66'

dir=$1
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9 # several build folders may be configured at once: the first builds, the others wait
[ -e "$dir/lib/librdkafka.a" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "build-librdkafka: $*" >&2; exit 1; }

command -v npm >/dev/null || fail "npm is needed to fetch $package"
(cd "$work" && npm pack --silent "$package" >/dev/null) || fail "cannot fetch $package"
echo "$sha256  $work/$archive" | sha256sum --check --quiet - ||
    fail "$archive does not have the pinned SHA-256"
tar -xzf "$work/$archive" -C "$work" package/deps/librdkafka

cd "$work/package/deps/librdkafka"
log="$work/build.log"
# Without C11 threads: ThreadSanitizer knows pthreads, not glibc's thrd_create.
{ ./configure --disable-gssapi --disable-curl --disable-syslog --disable-c11threads &&
    make -C src -j"$(nproc)" librdkafka.a; } >"$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }

mkdir -p "$dir/include/librdkafka" "$dir/lib"
cp src/rdkafka.h src/rdkafka_mock.h "$dir/include/librdkafka/"
cp LICENSES.txt "$dir/"
cp src/librdkafka.a "$dir/lib/librdkafka.a.new"
mv "$dir/lib/librdkafka.a.new" "$dir/lib/librdkafka.a" # last, and at once: its presence means done
