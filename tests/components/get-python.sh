#!/usr/bin/env bash
# get-python.sh [--path]: a virtual environment with the pinned packages of the system tests.
#
# The folder is named by the list's content too: a changed list makes a new environment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

requirements=$here/../system/requirements.txt
command -v python3 >/dev/null || component_skip "there is no python3"
python_version=$(python3 -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
list=$(sha256sum "$requirements" | cut -c 1-12)

component_enter "python-$python_version-$list" "${1:-}"

component_at_least 3.11 "$python_version" ||
    component_skip "the system tests need Python 3.11, this is $python_version"
component_say "making the tests' Python environment"
# The rename breaks the programs in its bin (they name their interpreter by its old path) but
# not bin/python, which is all that the tests use.
component_run python3 -m venv "$component_work" || component_cannot "python3 -m venv failed"
component_run "$component_work/bin/python" -m pip install --disable-pip-version-check --no-deps \
    --only-binary :all: -r "$requirements" ||
    component_cannot "the Python packages could not be installed"
component_run "$component_work/bin/python" -m pip check ||
    component_cannot "requirements.txt does not name all that its packages need"
component_finish
