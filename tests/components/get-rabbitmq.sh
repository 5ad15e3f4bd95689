#!/usr/bin/env bash
# get-rabbitmq.sh [--path]: RabbitMQ and the Erlang that it runs on, as this Debian has them, into
# FOLDER/usr/lib/rabbitmq/bin and FOLDER/usr/lib/erlang/bin (which must come first on PATH).
#
# The packages are unpacked, never installed: no service, no user, no port, and no root needed.
# apt checks their signatures.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

# The distribution's release decides the version: 3.10.8 in Debian 12.
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$ID-${VERSION_ID:-testing}") || release=unknown

component_enter "rabbitmq-$release" "${1:-}"

for program in apt-get dpkg-deb; do
    command -v $program >/dev/null ||
        component_skip "RabbitMQ is fetched from Debian, and there is no $program"
done

apt_options=(-q -o Debug::NoLocking=1)

# What rabbitmq-server needs of Erlang, and itself; the libraries below them are those that the
# build of spanbridge needs, too.  An empty status: what is installed here makes no difference.
packages() {
    : >status
    apt-get "${apt_options[@]}" -s -o Dir::State::status="$PWD/status" \
        install --no-install-recommends rabbitmq-server 2>>"$component_log" |
        sed -nE 's/^Inst ((erlang-|rabbitmq-server)[^ ]*) .*/\1/p'
}

download() {
    local names
    mapfile -t names < <(packages)
    [ ${#names[@]} -gt 1 ] && component_run apt-get "${apt_options[@]}" download "${names[@]}"
}

# Package lists of our own, for a machine that has none or old ones.
refresh() {
    mkdir -p lists/partial cache/archives/partial
    apt_options+=(-o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD/cache")
    [ "$(id -u)" -ne 0 ] || apt_options+=(-o APT::Sandbox::User=root)
    component_run apt-get "${apt_options[@]}" update
}

component_say "fetching RabbitMQ from $release"
mkdir "$component_work/packages"
cd "$component_work/packages"
download || { refresh && download; } ||
    component_cannot "RabbitMQ's packages could not be fetched"
for package in *.deb; do
    component_run dpkg-deb -x "$package" "$component_work" ||
        component_cannot "$package could not be unpacked"
done
cd "$component_work"
rm -rf packages etc lib usr/bin usr/sbin var

# Erlang asks where it lies, instead of knowing.
erl=usr/lib/erlang/bin/erl
# shellcheck disable=SC2016 # expanded by erl itself
sed -i 's|ROOTDIR=/usr/lib/erlang$|ROOTDIR=$(dirname "$(dirname "$(realpath "$0")")")|' $erl
component_run env HERE="$(realpath .)" $erl -noinput -eval \
    'true = lists:prefix(os:getenv("HERE"), code:root_dir()), ok = crypto:start(), halt().' ||
    component_cannot "this Erlang does not run here"
[ -x usr/lib/rabbitmq/bin/rabbitmq-server ] || component_cannot "there is no rabbitmq-server"
component_finish
