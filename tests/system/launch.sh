#!/usr/bin/env bash
# launch.sh BINARY TEST COMPONENT...: runs tests/system/TEST.py against a spanbridge binary with
# the components (kafka, rabbitmq, jaeger, tempo, python) from the cache.
#
# A component that is not there: exit 77, which ctest shows as skipped; in CI, a failure.  This
# script fetches nothing: tests/run.sh does.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

SPANBRIDGE_BINARY=$(realpath -e "$1")
export SPANBRIDGE_BINARY
test=$2
shift 2
python=
for component in python "$@"; do
    folder=$(bash "$here/../components/get-$component.sh" --path)
    if [ ! -d "$folder" ]; then
        by='bash tests/run.sh'
        if [ "$component" = tempo ]; then by+=' --all'; fi
        echo "SKIPPED: $component is not in the cache; $by fetches it, or says why not"
        [ "${CI:-}" = true ] && exit 1
        exit 77
    fi
    case $component in
        python) python=$folder/bin/python ;;
        kafka) export SPANBRIDGE_KAFKA=$folder ;;
        rabbitmq) export SPANBRIDGE_RABBITMQ=$folder ;;
        jaeger) export SPANBRIDGE_JAEGER=$folder ;;
        tempo) export SPANBRIDGE_TEMPO=$folder ;;
    esac
done

# What the caller's shell sets for OpenTelemetry or for spanbridge is not for our applications.
while read -r name; do unset "$name"; done < <(compgen -e | grep '^OTEL_' || true)
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$python" "$here/$test.py" -v
