#!/usr/bin/env bash
# Puts a program that was built, the Swift libraries that it needs and the data files into one folder, which then runs
# where no Swift is: gather.sh PROGRAM FOLDER
set -euo pipefail
program=$(realpath "$1") folder=$2
cd "$(dirname "$0")/../.."
mkdir -p "$folder"
install -m 755 "$program" "$folder/holdfast"
# The program looks for libraries beside itself ($ORIGIN in its run path).
ldd "$program" | awk '$3 ~ /\/swift\/linux\// { print $3 }' | xargs -I{} install -m 644 {} "$folder/"
for data in catalog baseline playbooks runbooks; do cp -r "$data" "$folder/"; done
install -m 644 LICENSE "$folder/"
