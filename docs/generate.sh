#!/usr/bin/env bash
# Writes the generated references from the program itself: docs/schemas/*.json (holdfast schema KIND),
# docs/configuration.md (from the configuration's schema) and docs/cli.md (from the help texts).
#
#   docs/generate.sh [PROGRAM]           writes them
#   docs/generate.sh --check [PROGRAM]   writes nothing; prints what differs, and exits with 1 where something does
#
# PROGRAM is .build/debug/holdfast where none is given. Needs python3.
set -euo pipefail
check=false
if [ "${1:-}" = --check ]; then
    check=true
    shift
fi
start=$PWD
cd "$(dirname "$0")/.."
program=${1:-.build/debug/holdfast}
case $program in /*) ;; *) [ -z "${1:-}" ] || program=$start/$program ;; esac
[ -x "$program" ] || { echo "$program is not a program; build it first: swift build --product holdfast" >&2; exit 1; }

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
mkdir "$made/schemas"
for kind in catalog rule framework exemption pin tune playbook configuration; do
    "$program" schema "$kind" >"$made/schemas/$kind.json"
done
# The help is as wide as the terminal; with none it is 80 columns.
env -u COLUMNS python3 docs/generate.py "$program" "$made" </dev/null

if $check; then
    status=0
    for file in schemas configuration.md cli.md; do
        diff -ru "docs/$file" "$made/$file" || status=1
    done
    [ $status = 0 ] || echo "the references differ from the program: run docs/generate.sh and commit" >&2
    exit $status
fi
cp "$made"/schemas/*.json docs/schemas/
cp "$made/configuration.md" "$made/cli.md" docs/
