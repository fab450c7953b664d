#!/usr/bin/env bash
# The promises that need the whole program: published logs, published attacks, kills, simulation. Prints the time of each.
set -euo pipefail
cd "$(dirname "$0")"
program=${HOLDFAST_PROGRAM:-$(cd ../.. && pwd)/.build/debug/holdfast}
report=${TMPDIR:-/tmp}/holdfast-simulation.json

stage() {
    local begin=$SECONDS
    printf -- '-- %s\n' "$*"
    "$@"
    printf -- '-- %s took %d s\n' "$*" $((SECONDS - begin))
}

# The same seeds in two processes: the same trace, bit by bit.
simulate_twice() {
    "$program" simulate --seeds 1..200 --format json >"$report.again" &
    "$program" simulate --seeds 1..200 --report --format json >"$report"
    wait $!
    jq -c '{seeds, violations, traceHash, faults, checkers}' "$report"
    jq -e --slurpfile first "$report" '.traceHash == $first[0].traceHash' "$report.again" >/dev/null ||
        { echo "the same seeds gave another trace in another process" >&2; exit 1; }
}

simulate_broken() {
    for protection in dedupe order crash tombstone dirty-set objections; do
        if "$program" simulate --seeds 1..50 --break "$protection" >/dev/null 2>&1; then
            echo "nobody noticed in 50 seeds that $protection was broken" >&2
            exit 1
        fi
    done
}

stage "$program" check
stage ../../docs/generate.sh --check "$program"
stage "$program" test
stage simulate_twice
stage simulate_broken
# A hundred kills are mostly waiting: they run beside what comes next.
kills() {
    local ended=0
    wait "$killing" || ended=$?
    cat "$report.kills"
    return $ended
}
if [ -n "${HOLDFAST_TEST_DATA:-}" ]; then
    python3 kill.py >"$report.kills" 2>&1 &
    killing=$!
    trap 'kill "$killing" 2>/dev/null || true' EXIT
fi
for script in demo messages; do stage python3 $script.py; done
if [ -n "${HOLDFAST_TEST_DATA:-}" ]; then
    # Screenshots of replay's page stay in HOLDFAST_TEST_ARTIFACTS, or in the temporary folder that is printed.
    for script in explain oracle published-attacks service replay; do stage python3 $script.py; done
    stage kills
else
    echo "SKIPPED: published logs, attacks and kills; HOLDFAST_TEST_DATA names no folder"
fi
if [ -n "${HOLDFAST_TEST_PYTHON:-}" ]; then
    stage "$HOLDFAST_TEST_PYTHON" ../docs.py "$program"
    for script in first_minutes runbooks deploy doctor polled permissions accounts burst terraform replay_sources remediate people drill slack; do
        stage "$HOLDFAST_TEST_PYTHON" $script.py
    done
    # The long form, 200 kills, is remediate_kills.py alone; its last result is in docs/benchmarks.md.
    stage "$HOLDFAST_TEST_PYTHON" remediate_kills.py --short
    # Pictures of the pages stay in HOLDFAST_TEST_ARTIFACTS, or in the temporary folder that is printed.
    stage "$HOLDFAST_TEST_PYTHON" server.py
    # The long form, 2,000 resources with and without faults, is scan.py alone; its last result is in docs/benchmarks.md.
    stage "$HOLDFAST_TEST_PYTHON" scan.py --short
else
    echo "SKIPPED: the documentation, the README's first minutes, the runbooks' commands, deploy/, polled sources under kills, organisations, bursts, drift as terraform sees it, remediation, the server, scans and permissions; HOLDFAST_TEST_PYTHON names no Python (Tests/servers/python.sh)"
fi
