"""SIGKILL at random moments of `holdfast run` loses and doubles nothing: the journal ends as without a kill."""
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from journal import configure, contents, start

KILLS = int(os.environ.get("HOLDFAST_KILLS", "100"))


def main():
    random.seed(7)
    with tempfile.TemporaryDirectory() as top:
        whole = f"{top}/whole"
        os.mkdir(whole)
        configure(whole)
        began = time.monotonic()
        process = start(whole)
        if process.wait() != 0:
            sys.exit(f"the undisturbed run failed: {process.stderr.read()[-2000:]}")
        span = time.monotonic() - began
        expected, kills, rounds = contents(whole), 0, 0
        while kills < KILLS:
            rounds += 1
            folder = f"{top}/killed"
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            configure(folder)
            for _ in range(8):
                process = start(folder)
                time.sleep(random.uniform(0, span))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                process.wait()
            process = start(folder)
            if process.wait() != 0:
                sys.exit(f"the run after kills failed: {process.stderr.read()[-2000:]}")
            found = contents(folder)
            for name, rows in expected.items():
                if found[name] != rows:
                    sys.exit(f"after kills, {name} differs: {len(rows)} rows expected, {len(found[name])} found; "
                             f"{[r for r in found[name] if r not in rows][:2]}, {[r for r in rows if r not in found[name]][:2]}")
        print(f"{kills} kills in {rounds} rounds: nothing lost, nothing doubled; "
              f"{expected['events'][0][0]} events, {len(expected['history'])} history rows, {len(expected['findings'])} findings")


main()
