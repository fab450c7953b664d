"""`holdfast demo`: in a terminal of 80 columns with a person's keys, refused instead of approved, left early, and with
nobody there. What is shown is the real engine's, so that its words are checked, and that no line is wider."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time

from program import PROGRAM

COLUMNS, SECONDS = 80, 90
ALWAYS = ["all 12 guards let it pass", "ec2.RevokeSecurityGroupIngress goes out, by a permit for this call",
          r"Closed after \d+ ms, verified after \d+ ms. Nobody was asked: medium risk, in dev\.",
          "This waits for you:", "Block all public access to the bucket", "Undo: exact", "Digest: [0-9a-f]{64}"]
APPROVED = ["you: approve", "s3.PutPublicAccessBlock goes out", "read again, and the rule passes: verified"]
UNDONE = ['you: undo, "it broke the website"', "undo: s3.PutPublicAccessBlock goes out", "read again: undone",
          "The bucket is as ben left it. Holdfast keeps off it for 1d"]
FOUGHT = ["assumed-role/terraform/nightly-apply fights it", "flapping: it was fixed 3 times within 1d"]
AUDIT = [r"The chain of all \d+ entries is whole, and so are \d+ batches of evidence"]
REFUSED = ["you: refuse", "Nothing is written: "]


def watched(keys):
    """Runs it in a terminal, pressing a key at each question; returns what was seen, seconds and exit code."""
    child, terminal = pty.fork()
    if child == 0:
        # Far from the repository, and with no home: a bare machine has neither.
        os.chdir(tempfile.gettempdir())
        os.execve(PROGRAM, [PROGRAM, "demo"], {"PATH": "/usr/bin:/bin", "TERM": "xterm", "HOME": "/nonexistent"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, COLUMNS, 0, 0))
    begun, seen, answered, keys = time.monotonic(), b"", 0, list(keys)
    while time.monotonic() - begun < SECONDS + 30:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                break
            seen += chunk
        questions = seen.count(b"q quits]\r\n")
        if questions > answered:
            answered += 1
            assert keys, f"a question that nobody expected:\n{seen.decode()}"
            # Somebody takes a moment before pressing; keys that mean nothing are passed over.
            time.sleep(0.2)
            os.write(terminal, b"x" + keys.pop(0).encode())
    took = time.monotonic() - begun
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert not keys, f"keys {keys} were not asked for:\n{seen.decode()}"
    return seen.decode().replace("\r\n", "\n"), took, status


def check(text, promises, missing=()):
    for line in text.split("\n"):
        assert len(line) <= COLUMNS, f"{len(line)} columns: {line}"
    flat = re.sub(r"[\s|]+", " ", text)
    for promise in promises:
        assert re.search(promise if "\\" in promise or "[" in promise else re.escape(promise), flat), \
            f"not shown: {promise}\n{text}"
    for word in missing:
        assert word not in flat, f"shown, and should not be: {word}\n{text}"


def main():
    text, took, status = watched([" ", "\n", "a", "u", " ", " "])
    check(text, ALWAYS + APPROVED + UNDONE + FOUGHT + AUDIT, REFUSED)
    assert status == 0 and 15 < took < SECONDS, f"exit code {status} after {took:.0f} s"
    print(f"approved and undone by keys: {took:.0f} s")

    text, took, status = watched([" ", " ", "r", " ", " "])
    check(text, ALWAYS + REFUSED + FOUGHT + AUDIT, APPROVED[:2] + UNDONE)
    assert status == 0 and took < SECONDS, f"exit code {status} after {took:.0f} s"
    print(f"refused: {took:.0f} s, and nothing was written")

    text, took, status = watched([" ", "q"])
    check(text, ALWAYS[:3], ["This waits for you:"])
    assert status == 0, f"exit code {status}"
    print(f"left after the first scene: {took:.0f} s")

    for arguments in ([], ["--yes"]):
        begun = time.monotonic()
        done = subprocess.run([PROGRAM, "demo", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=SECONDS)
        assert done.returncode == 0 and not done.stderr, done.stderr
        check(done.stdout, ALWAYS + APPROVED + UNDONE + FOUGHT + AUDIT, REFUSED)
        print(f"with nobody there {' '.join(arguments)}: {time.monotonic() - begun:.1f} s")


main()
