#!/usr/bin/env bash
# get-jaeger.sh [--path]: builds Jaeger (v2 code, memory storage) from its Go module into
# FOLDER/jaeger.  4 to 7 minutes on 2 cores, once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

module=github.com/jaegertracing/jaeger
version=v1.76.0 # the last tag that is a Go module; it holds the v2 code
sum='h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g='

component_enter "jaeger-$version" "${1:-}"

go_root=$(bash "$here/get-go.sh") || component_skip "Jaeger is built with Go"
export PATH=$go_root/bin:$PATH GOTOOLCHAIN=local

component_say "building Jaeger $version: 4 to 7 minutes on 2 cores"
cd "$component_work"
component_download_module "$module" "$version" "$sum"
cp -r "$component_module" source
chmod -R u+w source
(cd source && CGO_ENABLED=0 component_run \
    go build -mod=mod -trimpath -ldflags='-s -w' -o ../jaeger ./cmd/jaeger) ||
    component_cannot "Jaeger could not be built"
rm -rf source download.json
component_finish
