#!/usr/bin/env bash
# Runs the steps of the container's last stage in a bare Debian 12 made by debootstrap, then the service as its user in
# it with the root read-only, and asks its health. For machines without a container runtime. Needs root and debootstrap.
#
#   deploy/container/try-in-root.sh [PROGRAM] [FOLDER]
#
# PROGRAM is .build/debug/holdfast where none is given; FOLDER is made and removed.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${1:-.build/debug/holdfast} root=${2:-$(mktemp -d)/root}
mirror=${HOLDFAST_DEBIAN_MIRROR:-http://deb.debian.org/debian}

if [ "${HOLDFAST_INSIDE:-}" != yes ]; then
    # Mounts are this script's own, and go with it.
    HOLDFAST_INSIDE=yes exec unshare --mount "$0" "$program" "$root"
fi
trap 'umount -lR "$root" 2>/dev/null || true; rm -rf "$root"' EXIT
mkdir -p "$root"
mount -t tmpfs tmpfs "$root"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"${TMPDIR:-/tmp}/holdfast-debootstrap.log" ||
    { tail -n 5 "${TMPDIR:-/tmp}/holdfast-debootstrap.log" >&2; exit 1; }
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
for settings in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$settings" ] || cp "$settings" "$root/etc/apt/apt.conf.d/"; done

deploy/container/gather.sh "$program" "$root/opt/holdfast"
install -m 755 deploy/container/runtime.sh deploy/container/healthy.sh "$root/opt/holdfast/"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
chroot "$root" /usr/bin/env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin /opt/holdfast/runtime.sh

cp -r deploy/samples/events "$root/etc/holdfast/events"
cat >"$root/etc/holdfast/holdfast.yaml" <<'YAML'
store: {sqlite: /var/lib/holdfast/holdfast.db}
sources: [{file: {paths: [events], follow: true}}]
server: {listen: none, socket: /run/holdfast/holdfast.sock}
YAML
chown -R root:10001 "$root/etc/holdfast"
chmod -R g+rX "$root/etc/holdfast"
# Only what the container mounts can be written.
mkdir -p "$root.state"
trap 'umount -lR "$root" 2>/dev/null || true; rm -rf "$root" "$root.state"' EXIT
install -d -o 10001 -g 10001 "$root.state/lib" "$root.state/run" "$root.state/tmp"
mount --bind "$root.state/lib" "$root/var/lib/holdfast"
mount --bind "$root.state/run" "$root/run/holdfast"
mount --bind "$root.state/tmp" "$root/tmp"
mount -o remount,ro "$root"

inside() { chroot --userspec=10001:10001 "$root" /usr/bin/env -i PATH=/usr/bin:/bin "$@"; }
inside holdfast check --config /etc/holdfast/holdfast.yaml
inside holdfast doctor --config /etc/holdfast/holdfast.yaml
! inside touch /opt/holdfast/written 2>/dev/null || { echo "the root can be written" >&2; exit 1; }
! inside /opt/holdfast/healthy.sh 2>/dev/null || { echo "healthy, though nothing runs" >&2; exit 1; }
# By exec, so that its process is the service's own, and ends with this script.
(exec chroot --userspec=10001:10001 "$root" /usr/bin/env -i PATH=/usr/bin:/bin \
    holdfast run --config /etc/holdfast/holdfast.yaml --quiet) &
service=$!
trap 'kill "$service" 2>/dev/null || true; umount -lR "$root" 2>/dev/null || true; rm -rf "$root" "$root.state"' EXIT
for _ in $(seq 60); do
    inside /opt/holdfast/healthy.sh 2>/dev/null && break
    sleep 1
done
inside /opt/holdfast/healthy.sh
for _ in $(seq 60); do
    findings=$(inside holdfast findings --open --config /etc/holdfast/holdfast.yaml --format jsonl | wc -l)
    [ "$findings" = 0 ] || break
    sleep 1
done
kill -TERM "$service"
wait "$service"
[ "$findings" -gt 0 ] || { echo "nothing was found" >&2; exit 1; }
echo "in a bare root, read-only, as user 10001: healthy, $findings findings, stopped by SIGTERM"
