"""Where the repository and the program are."""
import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("HOLDFAST_PROGRAM", str(TOP / ".build/debug/holdfast"))
