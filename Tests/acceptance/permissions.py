"""What `holdfast permissions` prints passes a linter of AWS policies, and names what is used and nothing else, by another
reading of the same files: the calls of types that rules name, and of playbooks. Run it with the Python of
Tests/servers/python.sh."""
import json
import re
import subprocess
import tempfile

import parliament
import yaml

from program import PROGRAM, TOP


def files(folder):
    return [(path, yaml.load(path.read_text(), yaml.BaseLoader)) for path in sorted((TOP / folder).rglob("*.yaml"))]


CATALOG = [file for _, file in files("catalog")]
CALLS = {name: {call["permission"], *call.get("also-needs", [])}
         for file in CATALOG for name, call in (file.get("calls") or {}).items()}
TYPES = {name: type for file in CATALOG for name, type in (file.get("types") or {}).items()}
DISCOVERY = {name: plan for file in CATALOG for name, plan in (file.get("discovery") or {}).items()}


def listed(value):
    return value if isinstance(value, list) else [value]


def words(value, path=()):
    """Every key and text in a tree."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    else:
        yield value


def asked(calls):
    return {permission for call in calls for permission in CALLS[call]}


def read_by_rules():
    """Permissions of the calls that read or list the types that rules are for, or are related to."""
    types = set()
    for path, rule in files("baseline/rules"):
        own = [name for name in listed(rule.get("type", rule.get("types", []))) if name in TYPES]
        types.update(own)
        expected = set(words(rule.get("expect"))) | set(words(rule.get("when")))
        for name in own:
            for relation, other in (TYPES[name].get("relations") or {}).items():
                if relation in expected:
                    types.add(other.get("to") or other.get("from"))
    steps = [step for name in types for step in listed(TYPES[name].get("read", []))]
    lists = [TYPES[name]["list"] for name in types if "list" in TYPES[name]]
    return asked(step["call"] for step in steps + lists)


INVERSES = {name: call["inverse-when-absent"] for file in CATALOG for name, call in (file.get("calls") or {}).items()
            if "inverse-when-absent" in call}


def written_by_playbooks():
    """Of the calls of steps, of their undos, and of those that take away again what was not there before."""
    named = set()
    for _, playbook in files("playbooks"):
        named.update(word for word in words(playbook) if word in CALLS)
        steps = [step for part in [playbook, *playbook.get("alternatives", [])] for step in part["steps"]]
        named.update(INVERSES[step["do"]] for step in steps
                     if step["undo"] in ("restore", "inverse-edit") and step["do"] in INVERSES)
    return asked(named)


def discovered(kinds):
    calls = {step["call"] for kind in kinds for step in DISCOVERY[kind].values() if isinstance(step, dict)}
    return asked(calls)


def printed(*arguments):
    done = subprocess.run([PROGRAM, "permissions", "--format", "json", *arguments], cwd=TOP, capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


def lint(part):
    found = parliament.analyze_policy_string(json.dumps(part["document"])).findings
    # Everything in an account is looked at, so all resources are meant; and who may mend the policies of buckets and
    # roles could spoil them too: the one cannot be had without the other.
    inherent = ["RESOURCE_STAR"]
    if "Write" in part["name"]:
        inherent += ["RESOURCE_POLICY_PRIVILEGE_ESCALATION", "PRIVILEGE_ESCALATION", "PERMISSIONS_MANAGEMENT_ACTIONS"]
    serious = [f for f in found if f.issue not in inherent]
    assert not serious, "\n".join(map(str, serious))
    assert len(json.dumps(part["document"], separators=(",", ":"))) <= 6144


def names(part):
    if part["cloud"] == "aws":
        lint(part)
        return part["document"]["Statement"][0]["Action"]
    if part["cloud"] == "azure":
        return part["document"]["Actions"]
    return re.findall(r"^- (.+)$", part["document"], re.M)


def check(parts, word, used):
    own = [part for part in parts if part["name"].startswith(word)]
    assert {part["cloud"] for part in own} == {"aws", "azure", "gcp"}, word
    given = [name for part in own for name in names(part)]
    assert all(names(part) == sorted(set(names(part))) for part in own)
    assert set(given) == used and len(given) == len(used), f"{word}: {sorted(set(given) ^ used)}"
    counts = ", ".join(f"{part['cloud']} {len(names(part))}" for part in own)
    print(f"{word}: {counts} permissions, all used and none missing; parliament finds nothing", flush=True)


def main():
    parts = printed()
    check(parts, "HoldfastRead", read_by_rules())
    check(parts, "HoldfastWrite", written_by_playbooks())
    assert not any(part["name"] == "HoldfastDiscover" for part in parts)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/holdfast.yaml", "w") as file:
            json.dump({"data": {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")},
                       "discover": {"aws-organization": {"read-role": "arn:aws:iam::{account}:role/holdfast-read"},
                                    "azure-management-group": {"group": "company"},
                                    "gcp-organization": {"organization": "1"}},
                       "classify": [{"match": {"tag:stage": "dev"}, "environment": "dev"}]}, file)
        parts = printed("--config", f"{folder}/holdfast.yaml", "--read")
        check(parts, "HoldfastDiscover", discovered(DISCOVERY))


main()
