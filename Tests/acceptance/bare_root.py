"""The README as a new user follows it in a bare Debian 12 made by debootstrap, with nothing in it but a Swift toolchain and
a fresh clone: packages are installed, the program is really built, and a dry run over published events comes from a
broker on this machine; stopped, started again, nothing lost. Needs root, debootstrap, a Debian mirror, and the Python of
Tests/servers/python.sh; HOLDFAST_TEST_BROKER and HOLDFAST_TEST_DATA say where broker and events are. It takes as long
as a first build, so that it is no part of Tests/acceptance/run.sh; its last result is in docs/benchmarks.md."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

if os.environ.get("HOLDFAST_INSIDE") != "yes":
    # Mounts are the inner process's own. They go with it, so that what is mounted is never removed with the folder.
    folder = tempfile.mkdtemp(prefix="holdfast-bare-")
    inner = subprocess.run(["unshare", "--mount", sys.executable, __file__, folder],
                           env={**os.environ, "HOLDFAST_INSIDE": "yes"})
    shutil.rmtree(folder)
    sys.exit(inner.returncode)

HOME = "home/reader/holdfast"
root = pathlib.Path(sys.argv[1], "root")
os.environ["HOLDFAST_PROGRAM"] = str(root / HOME / ".build/debug/holdfast")

from first_minutes import DATA, Reader, try_it, with_a_broker
from program import TOP

MIRROR = os.environ.get("HOLDFAST_DEBIAN_MIRROR", "http://deb.debian.org/debian")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def do(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def show(path, options="ro"):
    """A folder of this machine at the same place in the root."""
    inside = root / str(path).lstrip("/")
    inside.mkdir(parents=True, exist_ok=True)
    do("mount", "--rbind", path, inside)
    if options:
        do("mount", "-o", f"remount,bind,{options}", inside)


class Bare(Reader):
    """Somebody in the root, whose shell has the toolchain on its PATH and nothing of this machine's environment."""
    patience = 7200

    def prepare(self):
        do("debootstrap", "--variant=minbase", "bookworm", root, MIRROR)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        for settings in pathlib.Path("/etc/apt/apt.conf.d").glob("*proxy*"):
            shutil.copy(settings, root / "etc/apt/apt.conf.d")
        for path in ("/proc", "/dev"):
            show(path, "")
        self.toolchain = pathlib.Path(shutil.which("swift")).parent
        show(self.toolchain.parent)
        show(DATA)
        self.mirrors()
        do("git", "clone", "--quiet", "--no-hardlinks", TOP, root / HOME)
        self.environment = None

    @staticmethod
    def mirrors():
        """Where git reads GitHub from folders of this machine, it does so in the root too."""
        listed = subprocess.run(["git", "config", "--system", "--list", "--null"], capture_output=True, text=True).stdout
        names = [line.split("\n")[0] for line in listed.split("\0") if ".insteadof" in line.split("\n")[0]]
        for folder in {name.removeprefix("url.").removesuffix(".insteadof") for name in names}:
            if folder.startswith("/"):
                show(folder)
                shutil.copy("/etc/gitconfig", root / "etc/gitconfig")

    def shell(self, command):
        user = ["/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", "NO_COLOR=1",
                f"PATH={PATH}:{self.toolchain}"]
        bash, *rest, script = super().shell(command)
        return ["chroot", str(root), *user, bash, *rest, f"cd /{HOME}\n{script}"]

    def time(self, command):
        began = time.monotonic()
        self.type(command)
        return time.monotonic() - began


def main():
    broker = os.environ.get("HOLDFAST_TEST_BROKER") or sys.exit("HOLDFAST_TEST_BROKER names no broker")
    if not (DATA / "aws-cloudtrail-invictus").exists():
        sys.exit("HOLDFAST_TEST_DATA names no folder with the published events")
    began = time.monotonic()
    reader = Bare(root / HOME, broker)
    commit = do("git", "-C", TOP, "rev-parse", "--short", "HEAD").strip()
    first = reader.time(reader.commands("Try it")[0])
    print(f"the first command: {first / 60:.1f} minutes, packages and a whole build in it", flush=True)
    try_it(reader)
    reader.type("apt-get install -y kcat")
    half, total = with_a_broker(reader, DATA)
    print(f"bare Debian 12, commit {commit}: {reader.count} commands of the README as they stand; by the broker {half} "
          f"events before a Ctrl-C, {total} after a start again, none lost or doubled; "
          f"{(time.monotonic() - began) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
