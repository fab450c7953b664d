#!/usr/bin/env bash
# Starts a Kafka broker for the tests (noida-db from PyPI) on a free port of loopback, with data of its own, and prints
# its address. What it prints beside goes to standard error. Tests/servers/stop-broker.sh stops it.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${HOLDFAST_TEST_SERVERS:-$PWD/.build/test-servers}
version=0.2.3
mkdir -p "$state"
[ -f "$state/broker.pid" ] && Tests/servers/stop-broker.sh

python=$state/venv-noida-$version
if [ ! -x "$python/bin/noida-db" ]; then
    echo "installing noida-db $version into $python" >&2
    python3 -m venv "$python" >&2
    "$python/bin/pip" install --quiet --disable-pip-version-check "noida-db==$version" >&2
fi
program=$(find "$python/lib" -type f -name noida-db -perm -u+x | head -n 1)

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port is free when it is chosen; should another process take it first, the next one is tried.
for _ in 1 2 3 4 5; do
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    data=$(mktemp -d "$state/broker-XXXXXX")
    "$program" start --data-dir "$data" --host 127.0.0.1 --only kafka --kafka-port "$port" \
        </dev/null >"$data.log" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        if answers "$port"; then
            printf '%s %s\n' "$pid" "$data" >"$state/broker.pid"
            disown "$pid"
            echo "127.0.0.1:$port"
            exit 0
        fi
        sleep 0.1
    done
    kill "$pid" 2>/dev/null || true
done
echo "the broker did not start; its last words:" >&2
tail -n 20 "$data.log" >&2
exit 1
