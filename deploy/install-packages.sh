#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are missing. Needs root only where one is missing.
set -euo pipefail
missing=()
for package in libcurl4-openssl-dev librdkafka-dev libssl-dev libsqlite3-dev zlib1g-dev jq openssl \
    python3-venv; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || { echo "swift is missing: install a Swift 6.3 toolchain and put it on PATH" >&2; exit 1; }
