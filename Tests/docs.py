"""Documentation is tested: every Markdown file of the repository is gone over.

    python3 Tests/docs.py [PROGRAM]              needs PyYAML and jsonschema (Tests/servers/python.sh)

- A command that begins with `holdfast ` (in a fenced or indented block, or between backticks) names a subcommand that
  the program has, options that this one takes, and no more or fewer arguments than it wants.
- A YAML block is loaded by what it is: a configuration and the files of a baseline by the program (a first comment names
  the file: `# rules/aws/x.yaml`; those of a page belong together), a catalog file and a playbook by the schema that the
  program prints. `<!-- shape: sample -->` before it: it is only parsed.
- A relative link leads to a file, and to a heading where it has a #.
- Every notice has a runbook, and every runbook a notice or a place in the index.

It ends on a sample in which each of these is wrong: what finds nothing there checks nothing."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import jsonschema
import yaml

TOP = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HOLDFAST_PROGRAM", str(TOP / ".build/debug/holdfast"))
counts = {"pages": 0, "commands": 0, "blocks": 0, "links": 0}


class Command:
    """One command of the program, as its own description has it."""

    def __init__(self, tree):
        self.inner = {child["commandName"]: Command(child) for child in tree.get("subcommands", [])}
        self.usual = tree.get("defaultSubcommand")
        self.options, self.values = {}, []
        for argument in tree.get("arguments", []):
            if argument["kind"] == "positional":
                self.values.append(argument)
            for name in argument.get("names") or []:
                self.options[("-" if name["kind"] == "short" else "--") + name["name"]] = argument

    def fault(self, words):
        """What is wrong with what stands behind the command's name; None where nothing is."""
        if words and words[0] in self.inner:
            return self.inner[words[0]].fault(words[1:])
        if self.inner and not (words and words[0].startswith("-")) or self.inner and not self.usual:
            if self.usual and not self.inner[self.usual].fault(words):
                return None
            if words and words[0] in ("--help", "--version", "help", "--generate-completion-script"):
                return None
            return f"has no subcommand \"{words[0]}\"" if words and not self.usual else None
        if self.inner:
            return self.inner[self.usual].fault(words)
        return self.own_fault(words)

    def own_fault(self, words):
        given, used = 0, set()
        while words:
            word, *words = words
            if not word.startswith("-") or word == "-":
                given += 1
                continue
            name, equals, _ = word.partition("=")
            if name not in self.options:
                return f"has no option {name}"
            used.add(self.options[name]["preferredName"]["name"])
            argument = self.options[name]
            if argument["kind"] == "flag" or equals:
                continue
            if not words:
                return f"{name} has no value"
            if words[0].startswith("-") and len(words[0]) > 1 and argument["parsingStrategy"] != "unconditional":
                return f"{name} takes no value that begins with a hyphen, such as {words[0]}"
            allowed = argument.get("allValues")
            if allowed and words[0] not in allowed:
                return f"{name} cannot be {words[0]}, but {', '.join(allowed)}"
            words = words[1:]
            while argument["isRepeating"] and argument["parsingStrategy"] == "upToNextOption" and words \
                    and not words[0].startswith("-"):
                words = words[1:]
        wanted = [value for value in self.values if not value["isOptional"]]
        if given < len(wanted):
            return f"lacks {wanted[given]['valueName']}"
        if given > len(self.values) and not any(value["isRepeating"] for value in self.values):
            return f"takes no argument number {given}"
        lacking = {option["preferredName"]["name"] for option in self.options.values()
                   if not option["isOptional"]} - used
        return f"lacks --{sorted(lacking)[0]}" if lacking else None


def program():
    done = subprocess.run([PROGRAM, "--experimental-dump-help"], capture_output=True, text=True, check=True)
    return Command(json.loads(done.stdout)["command"])


def blocks(text):
    """(language, line, text, the line before it) of each fenced block, and of each that is indented by four."""
    lines, index = text.splitlines(), 0
    while index < len(lines):
        fence = re.match(r"( *)```(\w*)", lines[index])
        if fence:
            end = next((i for i in range(index + 1, len(lines)) if lines[i].strip() == "```"), len(lines))
            cut = len(fence[1])
            yield fence[2], index + 1, "\n".join(line[cut:] for line in lines[index + 1:end]), lines[index - 1]
            index = end + 1
        elif lines[index].startswith("    ") and not lines[index - 1].strip():
            end = next((i for i in range(index, len(lines)) if lines[i].strip() and not lines[i].startswith("    ")),
                       len(lines))
            yield "", index + 1, "\n".join(line.strip() for line in lines[index:end]), ""
            index = end
        else:
            index += 1


def commands(text):
    """(line, command, whether it stands in a sentence) of each command that a reader would type."""
    for language, line, block, _ in blocks(text):
        if language not in ("", "sh", "bash", "text", "console"):
            continue
        joined, start = "", line
        for offset, part in enumerate(block.splitlines()):
            start = line + offset if not joined else start
            joined += part
            if part.endswith("\\"):
                joined = joined[:-1] + " "
                continue
            for piece in re.split(r"&&|;|\||\$\(", re.sub(r"(^|\s)#.*", "", joined)):
                piece = re.sub(r"^(\w+=\S+ )+", "", piece.strip().removeprefix("$ "))
                if piece.startswith("holdfast "):
                    yield start, piece, False
            joined = ""
    plain = re.sub(r"(?ms)^ *```.*?^ *```", lambda found: "\n" * found[0].count("\n"), text)
    for found in re.finditer(r"`(holdfast [^`]+)`", plain):
        yield plain[:found.start()].count("\n") + 1, found[1].replace("\n", " "), True


def words(line):
    line = re.split(r" >|<| 2>", line)[0]
    try:
        return shlex.split(line)[1:]
    except ValueError:
        return line.split()[1:]


def fault_of(command, is_inline, tree):
    """In a sentence `holdfast undo RUN` names the command, and need not have all that it wants; `…` is any value."""
    given = words(command)
    fault = tree.fault(given)
    if fault and is_inline and (fault.startswith("lacks") or fault.endswith("has no value")):
        return None
    if fault and "…" in given:
        fault = tree.fault([word for word in given if word != "…"])
        return None if fault and (fault.startswith("lacks") or fault.endswith("has no value")) else fault
    return fault


def check_commands(page, text, tree):
    for line, command, is_inline in commands(text):
        counts["commands"] += 1
        fault = fault_of(command, is_inline, tree)
        if fault:
            yield f"{page}:{line}: `{command}` {fault}"


class Loader(yaml.SafeLoader):
    """YAML as Holdfast reads it: only true and false are truths, and nothing is a date."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers
            if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def schema(kind):
    return json.loads((TOP / f"docs/schemas/{kind}.json").read_text())


def check_blocks(page, text):
    baseline = {}
    for language, line, block, before in blocks(text):
        if language not in ("yaml", "yml"):
            continue
        counts["blocks"] += 1
        try:
            value = yaml.load(block, Loader)
        except yaml.YAMLError as error:
            yield f"{page}:{line}: {' '.join(str(error).split())}"
            continue
        named = re.match(r"# ((?:rules|frameworks|exemptions|pins|tune)/\S+\.yaml)", block)
        kinds = [kind for kind in ("configuration", "catalog", "playbook")
                 if isinstance(value, dict) and set(value) <= set(schema(kind)["properties"])]
        if "shape: sample" in before:
            continue
        if named:
            baseline[named[1]] = (line, block)
        elif kinds == ["configuration"]:
            yield from configured(page, line, block)
        elif kinds:
            for error in jsonschema.Draft202012Validator(schema(kinds[0])).iter_errors(value):
                yield f"{page}:{line}: {error.json_path}: {error.message}"
        else:
            yield (f"{page}:{line}: is this a configuration or a data file? Name its path in a comment in its first line, "
                   f"or put <!-- shape: sample --> before it")
    if baseline:
        yield from loaded(page, baseline)


def check(*arguments, cwd):
    done = subprocess.run([PROGRAM, "check", *arguments, "--format", "json"], capture_output=True, text=True, cwd=cwd)
    if not done.stdout:
        return [done.stderr.strip()]
    return [f"{problem['place']}: {problem['message']}" for problem in json.loads(done.stdout)["problems"]]


def configured(page, line, block):
    """Parts of a configuration that stand elsewhere on the page are no problem; what stands here must hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "holdfast.yaml")
        path.write_text(block + "\n")
        for problem in check("--config", str(path), cwd=TOP):
            if not any(part in problem for part in ELSEWHERE):
                yield f"{page}:{line}: {problem}"


ELSEWHERE = ["unknown person", "mode remediate needs keys"]


def loaded(page, files):
    """The files of a page's baseline, beside the shipped one."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (_, block) in files.items():
            path = pathlib.Path(folder, name if name.startswith("tune/") else f"baseline/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block + "\n")
        folders = sorted(str(path) for path in pathlib.Path(folder).iterdir())
        for problem in check(*folders, cwd=TOP):
            name = next((name for name in files if f"/{name}:" in problem), None)
            if name:
                yield f"{page}:{files[name][0]}: {problem}"


def anchors(text):
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(page, text, top):
    plain = re.sub(r"(?ms)^ *```.*?^ *```|`[^`\n]*`", lambda found: "\n" * found[0].count("\n"), text)
    for found in re.finditer(r"\]\(([^)\s]+)\)", plain):
        target = found[1]
        if re.match(r"\w+:", target):
            continue
        counts["links"] += 1
        path, _, anchor = target.partition("#")
        line = plain[:found.start()].count("\n") + 1
        file = (top / page).parent / path if path else top / page
        if not file.exists():
            yield f"{page}:{line}: {target} is not there"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            yield f"{page}:{line}: {path or page} has no heading #{anchor}"


def check_runbooks(top):
    codes = re.findall(r'case \w+ = "([a-z-]+)"', (top / "Sources/HoldfastEngine/NoticeCode.swift").read_text())
    pages = {path.stem for path in (top / "runbooks").glob("*.md")} - {"README"}
    index = set(re.findall(r"\]\(([a-z0-9-]+)\.md\)", (top / "runbooks/README.md").read_text()))
    for code in codes:
        if code not in pages or code not in index:
            yield f"runbooks: the notice {code} has no page, or none in the index"
    for page in sorted(pages - index):
        yield f"runbooks: {page}.md is not in the index"


def check_page(page, top, tree):
    text = (top / page).read_text()
    counts["pages"] += 1
    yield from check_commands(page, text, tree)
    yield from check_blocks(page, text)
    yield from check_links(page, text, top)


def pages(top):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=top, capture_output=True,
                            text=True, check=True).stdout.split()
    return sorted(listed)


SAMPLE = {
    "README.md": """# A sample
[gone](gone.md), [no heading](#nowhere)
`holdfast findngs`, `holdfast plan`

    holdfast findings --opened
    holdfast run
    holdfast hold DIGEST --until 5h
    holdfast findings --format yaml
    holdfast plan A B
    holdfast report dry-run --since -7d

```yaml
mode: dryrun
```
```yaml
# rules/aws/s3/sample.yaml
titel: no rule
```
```yaml
what: is this
```
```yaml
types: {AWS::S3::Bucket: {idd: "{Name}"}}
```
```yaml
a: [broken
```
""",
    "runbooks/README.md": "nothing\n", "runbooks/nobodys.md": "# Nobody's\n",
    "Sources/HoldfastEngine/NoticeCode.swift": 'case gone = "gone-code"\n',
}
WANTED = ["gone.md is not there", "no heading #nowhere", 'has no subcommand "findngs"', "has no option --opened",
          "lacks --config", "lacks --reason", "--format cannot be yaml", "takes no argument number 2",
          "no value that begins with a hyphen", "holdfast.yaml:1:7",
          'unknown key "titel"', "configuration or a data file", "'idd' was unexpected", "expected ',' or ']'", "gone-code", "nobodys.md"]


def sample(tree):
    """Every kind of fault is found in a page that has them all."""
    before = dict(counts)
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        for name, text in SAMPLE.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
        found = [*check_page("README.md", top, tree), *check_runbooks(top)]
    counts.update(before)
    return [wanted for wanted in WANTED if not any(wanted in fault for fault in found)]


def main():
    tree = program()
    blind = sample(tree)
    if blind:
        sys.exit(f"the check does not see what is wrong in its own sample: {blind}")
    faults = [fault for page in pages(TOP) for fault in check_page(page, TOP, tree)] + list(check_runbooks(TOP))
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(f"{len(faults)} faults in the documentation")
    print("documentation: {pages} pages, {commands} commands, {blocks} YAML blocks, {links} links hold".format(**counts))


if __name__ == "__main__":
    main()
