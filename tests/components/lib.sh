# shellcheck shell=bash
# lib.sh: what the get-*.sh scripts share.  Source it.
#
# A component is a program that the tests run against: it lies in one folder of the cache,
# named by component and version, outside the tree.  The folder appears by a rename when it is
# whole, so its presence means that it is usable.
#
# A get script prints the folder on stdout and what it does on stderr.  It exits 77 with a
# reason when this machine can not have the component; in CI that is a failure.

SPANBRIDGE_CACHE=${SPANBRIDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spanbridge}
export SPANBRIDGE_CACHE

component_say() { echo "component: $*" >&2; }

# component_skip REASON...: the component can not be had here.
component_skip() {
    component_say "$*"
    if [ "${CI:-}" = true ]; then
        component_say "a missing component is a failure in CI"
        exit 1
    fi
    exit 77
}

# component_enter NAME-VERSION: prints the folder and ends when it is there already; else holds
# the component's lock (another run may be at the same) and makes $component_work.
component_enter() {
    component_folder=$SPANBRIDGE_CACHE/$1
    mkdir -p "$SPANBRIDGE_CACHE"
    if [ "${2:-}" = --path ]; then echo "$component_folder"; exit 0; fi
    if [ ! -d "$component_folder" ]; then
        exec 9>"$SPANBRIDGE_CACHE/.$1.lock"
        flock 9
    fi
    if [ -d "$component_folder" ]; then echo "$component_folder"; exit 0; fi
    component_work=$SPANBRIDGE_CACHE/.$1.new
    rm -rf "$component_work" # of a run that was cut off: we hold the lock
    mkdir -p "$component_work"
    component_log=$SPANBRIDGE_CACHE/$1.log
    : >"$component_log"
}

# component_run COMMAND...: runs it with its output in the component's log.
component_run() {
    printf '== %s\n' "$*" >>"$component_log"
    "$@" >>"$component_log" 2>&1 </dev/null
}

# component_cannot WHAT: skips, with the log's last lines.
component_cannot() {
    tail -n 15 "$component_log" | sed 's/^/  | /' >&2
    component_skip "$*"
}

# component_finish: moves the finished work to its place and prints the folder.
component_finish() {
    mv -T "$component_work" "$component_folder"
    echo "$component_folder"
}

# component_at_least WANTED HAVE: compares dotted versions.
component_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# shellcheck disable=SC2034 # component_module is read by who sources this
# component_download_module MODULE VERSION SUM [GO_MOD_SUM]: fetches a Go module by the go on
# PATH, checks its sums, and sets $component_module to its folder, which is read-only.
component_download_module() {
    local have
    # Where it fails it says why in the answer.
    go mod download -json "$1@$2" >download.json 2>>"$component_log" ||
        { component_field Error >>"$component_log"; component_cannot "$1@$2 could not be fetched"; }
    have=$(component_field Sum)
    [ "$have" = "$3" ] || component_cannot "$1@$2 has the sum $have, not $3"
    have=$(component_field GoModSum)
    [ -z "${4:-}" ] || [ "$have" = "$4" ] ||
        component_cannot "$1@$2 has a go.mod with the sum $have, not $4"
    component_module=$(component_field Dir)
}
component_field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" download.json; }
