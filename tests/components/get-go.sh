#!/usr/bin/env bash
# get-go.sh: prints the root of a Go of at least 1.26: this machine's own, or else one that its
# older Go (Debian's, say) fetches as the module golang.org/toolchain into the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

wanted=1.26
module=golang.org/toolchain
case $(uname -m) in
    x86_64)
        version=v0.0.1-go1.26.0.linux-amd64
        sum='h1:1p2G5COR51f8Q3EQ4HLJQDDL2ytLEqfL/yTawB0Jr8w='
        ;;
    *) version='' sum='' ;;
esac

command -v go >/dev/null || component_skip "Go $wanted is needed, and there is no go"
export GOTOOLCHAIN=local # a toolchain is fetched here, under its sum, or not at all
go_version=$(go env GOVERSION | sed 's/^go//')
if component_at_least "$wanted" "$go_version"; then
    go env GOROOT
    exit 0
fi
[ -n "$version" ] || component_skip "Go $wanted is needed, this is $go_version"

component_enter "go-${version#*-go}" "${1:-}"
component_say "fetching Go as $module@$version"
cd "$component_work"
component_download_module "$module" "$version" "$sum"
cp -r "$component_module/." .
chmod -R u+w .
chmod +x bin/* pkg/tool/*/* # what is in a module has no mode
rm download.json
component_finish
