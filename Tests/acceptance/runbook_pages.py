"""The commands of a Markdown page as somebody types them who follows it, in the page's order."""
import collections
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import docs

Step = collections.namedtuple("Step", "line text inline")
OWN = {"holdfast", "systemctl", "journalctl", "aws", "kubectl", "sqlite3", "curl"}


def is_command(text):
    """A word alone (`cp`, `check`) is spoken of; a program with something behind it is to be typed."""
    words = text.split()
    return text == "timedatectl" or len(words) > 1 and (words[0] in OWN or shutil.which(words[0]) is not None)


def lines(block):
    """The lines of a block, joined where they go on, without their comments."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        # What explains an option stands two spaces behind it.
        text = re.sub(r"\s{2,}\S.*", "", line.strip()) if line.strip().startswith("--") else line
        yield re.sub(r"(^|\s+)#\s.*", "", text).strip()


def steps(text):
    """Each command: of blocks every line, of sentences what stands between backticks and is one; and each heading."""
    found = []
    for language, line, block, _ in docs.blocks(text):
        if language in ("", "sh", "bash"):
            found += [Step(line + offset / 100, command, False) for offset, command in enumerate(lines(block)) if command]
    inside = {line for _, start, block, _ in docs.blocks(text) for line in range(start, start + block.count("\n") + 1)}
    plain = "\n".join(re.sub(r"^ *```.*", "", "" if number in inside or number - 1 in inside and not part.strip(" `")
                             else part) for number, part in enumerate(text.split("\n"), 1))
    for span in re.finditer(r"`([^`]+)`", plain):
        command = " ".join(span[1].split())
        if is_command(command) or command.startswith("--"):
            found.append(Step(plain[:span.start()].count("\n") + 1, command, True))
    found += [Step(plain[:title.start()].count("\n") + 1, title[0], None) for title in re.finditer(r"(?m)^## .*", plain)]
    return sorted(found, key=lambda step: step.line)
