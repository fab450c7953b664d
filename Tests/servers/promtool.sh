#!/usr/bin/env bash
# Prints the folder that promtool is in, and nothing else on standard output. It is out of Debian's package prometheus,
# which is unpacked and not installed: installed it would start a server. It lies under .build/test-servers, or in
# HOLDFAST_TEST_SERVERS. Fails, with the reason on standard error, where there is no package to be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
if tool=$(command -v promtool); then
    dirname "$tool"
    exit
fi
state=${HOLDFAST_TEST_SERVERS:-$PWD/.build/test-servers}/prometheus
if [ ! -x "$state/usr/bin/promtool" ]; then
    mkdir -p "$state"
    cd "$state"
    apt-get -qq download prometheus >&2
    dpkg-deb -x prometheus_*.deb .
    rm prometheus_*.deb
fi
echo "$state/usr/bin"
