#!/usr/bin/env bash
# Passes all tests: installs missing Debian packages, builds, starts the servers that tests need on loopback, stops them.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS

stage() {
    local name=$1 begin=$SECONDS
    shift
    printf '== %s\n' "$name"
    "$@"
    printf '== %s took %d.%d minutes\n' "$name" $(((SECONDS - begin) / 60)) $(((SECONDS - begin) % 60 * 10 / 60))
}

stage "install" deploy/install-packages.sh
stage "format" swift format lint --strict --recursive --parallel Sources Tests Package.swift
stage "build" swift build --build-tests --explicit-target-dependency-import-check error
if [ -x Tests/servers/start-broker.sh ]; then
    broker=$(Tests/servers/start-broker.sh) && export HOLDFAST_TEST_BROKER="$broker"
    trap 'Tests/servers/stop-broker.sh' EXIT
fi
if python=$(Tests/servers/python.sh); then
    export HOLDFAST_TEST_PYTHON="$python"
else
    echo "SKIPPED: what needs the tests' Python packages"
fi
if promtool=$(Tests/servers/promtool.sh); then
    export PATH="$PATH:$promtool"
else
    echo "SKIPPED: what needs promtool"
fi
Tests/servers/browser.sh || echo "SKIPPED: what needs a browser"
stage "test" swift test --skip-build
# The acceptance runs what is shipped: the optimiser has broken what the debug build did right.
stage "release build" swift build -c release --product holdfast
HOLDFAST_PROGRAM=$PWD/.build/release/holdfast
export HOLDFAST_PROGRAM
stage "acceptance" Tests/acceptance/run.sh
printf '== all took %d minutes\n' $(((SECONDS - started) / 60))
