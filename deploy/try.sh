#!/usr/bin/env bash
# Installs what is missing, builds, and runs the main job on sample events of the three clouds: no cloud account, no
# broker, an embedded SQLite store. Ends on five sentences: what came in, what changed, what drifted, who, what next.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== 1 of 3: Debian packages"
deploy/install-packages.sh
echo "== 2 of 3: build (the first one takes some minutes)"
swift build --product holdfast
echo "== 3 of 3: the main job on deploy/samples/events"
rm -rf .build/try && mkdir -p .build/try
.build/debug/holdfast run --config deploy/samples/holdfast.yaml
echo
echo "Look closer: .build/debug/holdfast findings --open --config deploy/samples/holdfast.yaml"
