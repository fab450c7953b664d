#!/usr/bin/env bash
# Prints a Python that has the package h2 from PyPI; installs it into .build/test-servers where it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${HOLDFAST_TEST_SERVERS:-$PWD/.build/test-servers}
version=4.4.1
python=$state/venv-h2-$version
if ! "$python/bin/python" -c 'import h2' 2>/dev/null; then
    mkdir -p "$state"
    echo "installing h2 $version into $python" >&2
    python3 -m venv "$python" >&2
    "$python/bin/pip" install --quiet --disable-pip-version-check "h2==$version" >&2
fi
echo "$python/bin/python"
