#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are missing: what a Swift toolchain itself stands on, too.
# Needs root only where one is missing.
set -euo pipefail
missing=()
for package in binutils git libc6-dev libedit2 libncurses6 libstdc++-12-dev libxml2 pkg-config \
    libcurl4-openssl-dev librdkafka-dev libssl-dev libsqlite3-dev zlib1g-dev jq openssl python3-venv; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
if ! said=$(swift --version 2>&1); then
    echo "swift is missing or does not start: install a Swift 6.3 toolchain (swift.org/install) and put it on PATH" >&2
    printf '%s\n' "$said" >&2
    exit 1
fi
