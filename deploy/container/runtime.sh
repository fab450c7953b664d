#!/bin/sh
# Makes a bare Debian 12 into one that Holdfast runs on: libraries, a user without a shell, its folders. Run as root,
# after gather.sh filled /opt/holdfast.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    ca-certificates libcurl4 librdkafka1 libsasl2-modules libsqlite3-0 libssl3 zlib1g >/dev/null
rm -rf /var/lib/apt/lists/*
groupadd --system --gid 10001 holdfast
useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/holdfast --shell /usr/sbin/nologin holdfast
install -d -o holdfast -g holdfast -m 750 /var/lib/holdfast /run/holdfast
install -d -o root -g holdfast -m 750 /etc/holdfast
ln -s /opt/holdfast/holdfast /usr/bin/holdfast
