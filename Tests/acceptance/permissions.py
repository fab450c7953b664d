"""What `holdfast permissions` prints passes a linter of AWS policies, and names nothing that no call asks for.
Run it with the Python of Tests/servers/python.sh."""
import json
import re
import subprocess

import parliament
from program import PROGRAM, TOP

done = subprocess.run([PROGRAM, "permissions", "--format", "json"], cwd=TOP, capture_output=True, text=True, check=True)
parts = json.loads(done.stdout)
catalog = "\n".join(path.read_text() for path in sorted((TOP / "catalog").rglob("*.yaml")))
declared = set(re.findall(r'permission: "?([A-Za-z0-9.:/]+)', catalog))
for also in re.findall(r"also-needs: \[([^\]]*)\]", catalog):
    declared |= {name.strip(' "') for name in also.split(",")}
assert {part["cloud"] for part in parts} == {"aws", "azure", "gcp"}
for part in parts:
    text = json.dumps(part["document"])
    if part["cloud"] == "aws":
        found = parliament.analyze_policy_string(text).findings
        # Everything in an account is looked at, so all resources are meant; and who may mend the policies of buckets
        # and roles could spoil them too: the one cannot be had without the other.
        inherent = ["RESOURCE_STAR"]
        if "Write" in part["name"]:
            inherent += ["RESOURCE_POLICY_PRIVILEGE_ESCALATION", "PRIVILEGE_ESCALATION", "PERMISSIONS_MANAGEMENT_ACTIONS"]
        serious = [f for f in found if f.issue not in inherent]
        assert not serious, "\n".join(map(str, serious))
        assert len(json.dumps(part["document"], separators=(",", ":"))) <= 6144
        names = part["document"]["Statement"][0]["Action"]
    elif part["cloud"] == "azure":
        names = part["document"]["Actions"]
    else:
        names = re.findall(r"^- (.+)$", part["document"], re.M)
    assert names == sorted(set(names)) and set(names) <= declared, set(names) - declared
    print(f"{part['cloud']} {part['name']}: {len(names)} permissions, all used" +
          (", and parliament finds nothing" if part["cloud"] == "aws" else ""))
