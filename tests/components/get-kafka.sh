#!/usr/bin/env bash
# get-kafka.sh [--path]: Apache Kafka's jars from their Maven coordinates into FOLDER/libs.
#
# Every jar must have the SHA-256 written in kafka.sha256.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

component_enter kafka-4.3.1 "${1:-}"

command -v java >/dev/null || component_skip "Kafka needs Java 17, and there is no java"
java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9.]*\).*/\1/p' | head -n 1)
component_at_least 17 "${java_version:-0}" ||
    component_skip "Kafka needs Java 17, this is ${java_version:-unknown}"
command -v mvn >/dev/null || component_skip "Kafka is fetched with Maven, and there is no mvn"

component_say "fetching Kafka 4.3.1"
cp "$here/kafka-pom.xml" "$component_work/pom.xml"
component_run mvn -B --strict-checksums -f "$component_work/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$component_work/libs" -DincludeScope=runtime ||
    component_cannot "Kafka's jars could not be fetched"
cd "$component_work/libs"
component_run sha256sum --check --strict --quiet "$here/kafka.sha256" ||
    component_cannot "Kafka's jars are not those of kafka.sha256"
# A jar that the list does not know would be on the class path all the same.
[ "$(find . -type f | wc -l)" -eq "$(wc -l <"$here/kafka.sha256")" ] ||
    component_cannot "there are jars that kafka.sha256 does not name"
component_finish
