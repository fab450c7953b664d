#!/usr/bin/env bash
# The promises that need the whole program: published logs, published attacks, kills, simulation.
set -euo pipefail
cd "$(dirname "$0")"
program=${HOLDFAST_PROGRAM:-$(cd ../.. && pwd)/.build/debug/holdfast}

"$program" check
../../docs/generate.sh --check "$program"
"$program" test
"$program" simulate --seeds 1..200 --report --format json >"${TMPDIR:-/tmp}/holdfast-simulation.json"
jq -c '{seeds, violations, traceHash, faults, checkers}' "${TMPDIR:-/tmp}/holdfast-simulation.json"
# The same seeds in another process: the same trace, bit by bit.
"$program" simulate --seeds 1..200 --format json |
    jq -e --slurpfile first "${TMPDIR:-/tmp}/holdfast-simulation.json" '.traceHash == $first[0].traceHash' >/dev/null ||
    { echo "the same seeds gave another trace in another process" >&2; exit 1; }
for protection in dedupe order crash tombstone dirty-set; do
    if "$program" simulate --seeds 1..50 --break "$protection" >/dev/null 2>&1; then
        echo "nobody noticed in 50 seeds that $protection was broken" >&2
        exit 1
    fi
done
python3 demo.py
python3 messages.py
if [ -n "${HOLDFAST_TEST_DATA:-}" ]; then
    python3 explain.py
    python3 oracle.py
    python3 published-attacks.py
    python3 kill.py
    python3 service.py
    # Screenshots of the page stay in HOLDFAST_TEST_ARTIFACTS, or in the temporary folder that is printed.
    python3 replay.py
else
    echo "SKIPPED: published logs, attacks and kills; HOLDFAST_TEST_DATA names no folder"
fi
if [ -n "${HOLDFAST_TEST_PYTHON:-}" ]; then
    "$HOLDFAST_TEST_PYTHON" polled.py
    "$HOLDFAST_TEST_PYTHON" permissions.py
    "$HOLDFAST_TEST_PYTHON" accounts.py
    "$HOLDFAST_TEST_PYTHON" burst.py
    "$HOLDFAST_TEST_PYTHON" terraform.py
    "$HOLDFAST_TEST_PYTHON" remediate.py
    "$HOLDFAST_TEST_PYTHON" slack.py
    # The long form, 2,000 resources with and without faults, is scan.py alone; its last result is in docs/benchmarks.md.
    "$HOLDFAST_TEST_PYTHON" scan.py --short
else
    echo "SKIPPED: polled sources under kills, organisations, bursts, drift as terraform sees it, scans and permissions; HOLDFAST_TEST_PYTHON names no Python (Tests/servers/python.sh)"
fi
