"""What the acceptance scripts share: running the program and reading what it prints."""
import json
import os
import pathlib
import subprocess

from program import PROGRAM, TOP

DATA = pathlib.Path(os.environ.get("HOLDFAST_TEST_DATA", "."))


def run(*arguments, cwd=TOP, check=True):
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise SystemExit(f"holdfast {' '.join(map(str, arguments))} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    return done


def explain(*paths):
    """The lines and the dead letters of `holdfast explain`."""
    done = run("explain", *paths, "--format", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line]
    dead = [line for line in done.stderr.splitlines() if line.startswith("dead letter:")]
    return lines, dead
