#!/usr/bin/env bash
# Builds the Containerfile with podman and runs it much as compose does: as its own user, with a read-only root, no
# capability and no network. Its base images are made here by debootstrap, the first with this machine's Swift toolchain mounted, so
# that no registry of images is asked. Needs root, podman, buildah, runc (or crun) and debootstrap. It takes as long as a
# first release build.
#
#   deploy/container/try-with-podman.sh
#
# /run/holdfast is a volume, for podman gives a tmpfs no owner. PODMAN_RUN has more options of `podman run`, for machines that allow less than podman asks for.
set -euo pipefail
cd "$(dirname "$0")/../.."
mirror=${HOLDFAST_DEBIAN_MIRROR:-http://deb.debian.org/debian}
toolchain=$(dirname "$(dirname "$(realpath "$(command -v swift)")")")
work=$(mktemp -d) name=holdfast-try-$$ images=()
cleanup() {
    podman rm --force --volumes "$name" >/dev/null 2>&1 || true
    [ ${#images[@]} = 0 ] || podman rmi --force "${images[@]}" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

debootstrap --variant=minbase bookworm "$work/root" "$mirror" >"$work/log" || { tail -n 5 "$work/log" >&2; exit 1; }
cp /etc/resolv.conf "$work/root/etc/"
for settings in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$settings" ] || cp "$settings" "$work/root/etc/apt/apt.conf.d/"; done
images+=("localhost/$name-debian" "localhost/$name-swift" "localhost/$name")
tar -C "$work/root" -c . | podman import --quiet - "localhost/$name-debian" >/dev/null
podman import --quiet --change "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin:$toolchain/bin" - "localhost/$name-swift" \
    < <(tar -C "$work/root" -c .) >/dev/null
rm -rf "$work/root"

# Where git reads GitHub from folders of this machine, it does so in the build too.
volumes=(--volume "$toolchain:$toolchain:ro")
while read -r folder; do
    volumes+=(--volume "$folder:$folder:ro" --volume /etc/gitconfig:/etc/gitconfig:ro)
done < <(git config --system --name-only --get-regexp '^url\..*\.insteadof$' 2>/dev/null |
    sed -n 's/^url\.\(\/.*\)\.insteadof$/\1/p' | sort -u)
git clone --quiet --no-hardlinks . "$work/source"
podman build --quiet --format docker --isolation chroot --network host --pull=never "${volumes[@]}" \
    --build-arg SWIFT="localhost/$name-swift" --build-arg DEBIAN="localhost/$name-debian" \
    --file "$work/source/deploy/container/Containerfile" --tag "localhost/$name" "$work/source" >/dev/null

mkdir "$work/etc"
cp -r deploy/samples/events "$work/etc/events"
cat >"$work/etc/holdfast.yaml" <<'YAML'
store: {sqlite: /var/lib/holdfast/holdfast.db}
sources: [{file: {paths: [events], follow: true}}]
server: {listen: none, socket: /run/holdfast/holdfast.sock}
YAML
chmod -R a+rX "$work/etc"
# shellcheck disable=SC2086
podman run --detach --name "$name" --read-only --cap-drop ALL --security-opt no-new-privileges --network none \
    --tmpfs /tmp --volume /run/holdfast --volume "$work/etc:/etc/holdfast:ro" ${PODMAN_RUN:-} \
    "localhost/$name" >/dev/null
inside() { podman exec "$name" "$@"; }
for _ in $(seq 60); do
    podman healthcheck run "$name" >/dev/null 2>&1 && break
    sleep 1
done
podman healthcheck run "$name" >/dev/null || { podman logs "$name" >&2; exit 1; }
[ "$(inside id -u)" = 10001 ]
! inside touch /opt/holdfast/written 2>/dev/null || { echo "the root can be written" >&2; exit 1; }
for _ in $(seq 60); do
    findings=$(inside holdfast findings --open --config /etc/holdfast/holdfast.yaml --format jsonl | wc -l)
    [ "$findings" = 0 ] || break
    sleep 1
done
[ "$findings" -gt 0 ] || { echo "nothing was found" >&2; exit 1; }
podman stop --time 90 "$name" >/dev/null
code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
[ "$code" = 0 ] || { echo "SIGTERM ended it with $code" >&2; exit 1; }
echo "built and run by $(podman --version): read-only, as user 10001: healthy, $findings findings, stopped by SIGTERM"
