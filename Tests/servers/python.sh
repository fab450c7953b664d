#!/usr/bin/env bash
# Prints the path of a Python in a virtual environment of the tests' own, and nothing else on standard output.
#
#   python=$(Tests/servers/python.sh)             the first run installs the packages below (a few minutes)
#   "$python" -m moto.server -H 127.0.0.1 -p 0    run modules with -m: the environment's folder may move
#
# In it: boto3, botocore and moto's server (AWS), google-api-python-client, azure-mgmt-*, azure-identity, cryptography,
# kafka-python. Versions are pinned, so that a failing test is ours. It lies under .build/test-servers, or in HOLDFAST_TEST_SERVERS; two runs at
# once are safe. It fails, with the reason on standard error, where there is no Python 3 or no package index.
# Tests get the path in HOLDFAST_TEST_PYTHON and skip visibly without it; Tests/run.sh sets it.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${HOLDFAST_TEST_SERVERS:-$PWD/.build/test-servers}
packages=(
    boto3==1.43.11 botocore==1.43.11 "moto[server]==5.2.1"
    google-api-python-client==2.202.0 google-cloud-compute==1.57.0 google-cloud-storage==3.17.1
    parliament==1.6.4
    azure-mgmt-keyvault==14.1.0 azure-mgmt-monitor==7.0.0 azure-mgmt-network==33.1.0 azure-mgmt-sql==4.0.0
    azure-mgmt-storage==25.3.0 azure-mgmt-managementgroups==2.0.0 azure-mgmt-resource-subscriptions==1.0.0
    azure-identity==1.27.0
    cryptography==50.0.2 kafka-python==3.0.12
)
mkdir -p "$state"
venv=$state/python-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c 1-12)

exec 9>"$venv.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
    echo "installing the tests' Python packages into $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "${packages[@]}" >&2
    touch "$venv/complete"
fi
echo "$venv/bin/python"
