#!/usr/bin/env bash
# Installs a headless Chromium, in which the tests look at pages, where there is none. Fails, with the reason on standard
# error, where it cannot be had; the tests then say that they skip it.
set -euo pipefail
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
echo "installing chromium-headless-shell" >&2
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq chromium-headless-shell >/dev/null
