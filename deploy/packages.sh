#!/usr/bin/env bash
# packages.sh [build] [test]: installs the Debian packages that are missing for building
# spanbridge, and for its tests.  Without arguments: build.
#
# As root, or with sudo.  Repeatable: with everything there it asks dpkg once and ends.
set -euo pipefail

build_packages=(
    build-essential ca-certificates cmake ninja-build pkg-config
    libconfig-dev libcurl4-openssl-dev libevent-dev libjansson-dev liblz4-dev libpcre2-dev
    libprotobuf-c-dev librabbitmq-dev libssl-dev libxxhash-dev libzstd-dev protobuf-c-compiler zlib1g-dev
)
test_packages=(
    clang clang-format clang-tidy libclang-rt-14-dev libcmocka-dev libnghttp2-dev
    git kcat openssl python3
)

# Programs that a vendor's package may have brought under another name: Debian's npm beside a
# vendor's nodejs can not be installed, so the command decides, never the package.
build_commands=(npm:npm)
test_commands=(go:golang-go java:default-jdk-headless mvn:maven)

say() { echo "packages: $*"; }
fail() { echo "packages: $*" >&2; exit 69; }

missing=()

need_packages() {
    local package state
    declare -A installed=()
    while read -r state package; do
        if [ "$state" = ii ] || [ "$state" = hi ]; then installed[${package%%:*}]=1; fi
    done < <(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        [ -n "${installed[$package]:-}" ] || missing+=("$package")
    done
}

need_commands() {
    local pair
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
}

need_venv() {
    # Debian splits venv off its python3; another python3 that comes first brings its own.
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
}

find_missing() {
    local set
    for set in "$@"; do
        case $set in
            build) need_packages "${build_packages[@]}"; need_commands "${build_commands[@]}" ;;
            test) need_packages "${test_packages[@]}"; need_commands "${test_commands[@]}"; need_venv ;;
            *) echo "usage: packages.sh [build] [test]" >&2; exit 64 ;;
        esac
    done
}

apt() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "not root and no sudo; please install: ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

[ $# -gt 0 ] || set -- build
command -v dpkg-query >/dev/null || fail "this is no Debian: please install what this script lists"
find_missing "$@"
[ ${#missing[@]} -gt 0 ] || { say "all there"; exit 0; }

say "installing ${missing[*]}"
apt update || say "the package lists could not be refreshed; trying with those at hand"
apt install --no-install-recommends "${missing[@]}" ||
    fail "could not install: ${missing[*]}"
