#!/usr/bin/env bash
# Stops the broker that Tests/servers/start-broker.sh started, and removes its data.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${HOLDFAST_TEST_SERVERS:-$PWD/.build/test-servers}
[ -f "$state/broker.pid" ] || exit 0
read -r pid data <"$state/broker.pid"
# A process id may be another's by now: only what runs on our data is ended.
if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$data"; then
    kill "$pid"
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
fi
rm -rf "$data" "$data.log" "$state/broker.pid"
