"""Every command of every page under runbooks/ is typed as it stands, in a running estate in which it makes sense; only
placeholders and paths are filled in. Each must end as it should and print what belongs there. A command that nothing is
expected of here fails the script, and so does a page that is in no estate. Run it with the Python of
Tests/servers/python.sh; names of pages as arguments run these alone."""
import concurrent.futures
import contextlib
import os
import re
import sys
import tempfile
import time

import remediation_bench as bench
import runbook_rollout
import runbook_scenes as scenes
from doctor import Hook, serving
from polled import Server
from program import TOP
from remediation_bench import BROKER
from runbook_estate import STAND_INS, Cloud, Machine
from runbook_expected import PAGES, expected
from runbook_pages import steps
from scan import moto

# Thousands of images and snapshots that nobody here looks at.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
# What is typed on no machine: the command's beginning, and why.
NOT_RUN = {} if BROKER else {"holdfast replay --source kafka": "HOLDFAST_TEST_BROKER names no broker"}


class Reader:
    """Goes through pages on one machine, and counts."""

    def __init__(self):
        self.typed, self.replaced, self.left_out, self.faults = 0, [], [], []

    def page(self, name, machine, scene):
        """All of a page, from its top to its end."""
        began, base = time.monotonic(), ""
        for step in steps((TOP / f"runbooks/{name}.md").read_text()):
            if step.inline is None:
                scene.heading(step.text)
                continue
            if reason := next((why for start, why in NOT_RUN.items() if step.text.startswith(start)), None):
                self.left_out.append((name, step.text, reason))
                continue
            # Options alone are those of the page's first replay.
            command = f"{base} {step.text}" if step.text.startswith("--") else step.text
            base = base or command * command.startswith("holdfast replay --source file")
            self.type(name, machine, scene, step, command)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)

    def type(self, name, machine, scene, step, command):
        filled = scene.fill(name, command)
        if step.inline and filled.split()[0] == "holdfast" and len(filled.split()) == 2:
            filled = self.named(machine, filled)
        code, text = machine.type(filled)
        wanted = expected(name, step.text, filled)
        if wanted is None:
            self.fault(f"{name}:{step.line:.0f}: nothing is expected of `{step.text}`; it printed\n{text[:1500]}")
        elif code != wanted[0] or not re.search(wanted[1], text):
            self.fault(f"{name}:{step.line:.0f}: `{step.text}`, typed as `{filled}`, ended with {code} where {wanted} is "
                       f"expected:\n{text[-1500:]}")
        self.typed += 1
        self.replaced += [filled.split()[0]] if filled.split()[0] in STAND_INS else []

    def fault(self, text):
        self.faults.append(text)
        print(text, file=sys.stderr, flush=True)

    @staticmethod
    def named(machine, command):
        """A sentence may speak of a command that wants more than its name: then there must be such a command."""
        return f"{command} --help" if machine.type(command)[0] == 64 else command


@contextlib.contextmanager
def cloud():
    with moto() as endpoint, Server(f"{TOP}/Tests/servers/event_logs.py", "--sts", endpoint) as logs, \
            serving(Hook) as hook:
        made = Cloud(endpoint, f"http://127.0.0.1:{logs.process.stdout.readline().strip()}", hook)
        bench.make_bucket(made.dev, "trail")
        yield made


def go_through(pages, scene):
    """One estate's pages, with a cloud of its own."""
    reader = Reader()
    with cloud() as made, tempfile.TemporaryDirectory() as folder:
        acting = scene(folder, made)
        try:
            for name in pages:
                acting.before(name)
                reader.page(name, acting.machine, acting)
        finally:
            with contextlib.suppress(SystemExit):
                acting.machine.stop()
    return reader


def main():
    pages = sorted(path.stem for path in (TOP / "runbooks").glob("*.md"))
    if sorted(PAGES) != pages:
        sys.exit(f"pages and estates differ: {sorted(set(PAGES) ^ set(pages))}")
    chosen, began = sys.argv[1:] or pages, time.monotonic()
    estates = {"sick": scenes.Sick, "sound": scenes.Sound, "rollout": runbook_rollout.Rollout}
    own = {estate: [name for name, where in PAGES.items() if where == estate and name in chosen] for estate in estates}
    with concurrent.futures.ThreadPoolExecutor(len(estates)) as pool:
        readers = [job.result() for job in [
            pool.submit(go_through, own[estate], scene) for estate, scene in estates.items() if own[estate]]]
    typed, faults = sum(reader.typed for reader in readers), [fault for reader in readers for fault in reader.faults]
    replaced = [name for reader in readers for name in reader.replaced]
    left_out = [entry for reader in readers for entry in reader.left_out]
    print(f"runbooks: {typed} commands of {len(chosen)} pages typed, {len(replaced)} of them stand-ins, "
          f"{len(left_out)} left out; {time.monotonic() - began:.0f} s")
    for name in sorted(set(replaced)):
        print(f"  stand-in: {name}: {STAND_INS[name]}")
    for page, command, reason in left_out:
        print(f"  left out: {page}: `{command}`: {reason}")
    if faults:
        sys.exit(f"{len(faults)} commands of the runbooks do not hold")


if __name__ == "__main__":
    main()
