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

command -v go >/dev/null || component_skip "Jaeger is built with Go 1.26, and there is no go"
export GOTOOLCHAIN=local # no toolchain is to be fetched behind our back
go_version=$(go env GOVERSION | sed 's/^go//')
component_at_least 1.26 "$go_version" || component_skip "Jaeger needs Go 1.26, this is $go_version"

component_say "building Jaeger $version: 4 to 7 minutes on 2 cores"
cd "$component_work"
go mod download -json "$module@$version" >download.json 2>>"$component_log" ||
    component_cannot "Jaeger's module could not be fetched"
field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" download.json; }
[ "$(field Sum)" = "$sum" ] ||
    component_cannot "$module@$version has the sum $(field Sum), not $sum"

cp -r "$(field Dir)" source
chmod -R u+w source
(cd source && CGO_ENABLED=0 component_run \
    go build -mod=mod -trimpath -ldflags='-s -w' -o ../jaeger ./cmd/jaeger) ||
    component_cannot "Jaeger could not be built"
rm -rf source download.json
component_finish
