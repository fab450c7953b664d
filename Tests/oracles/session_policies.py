"""What a linter of AWS policies finds in each of some policies: a list of its words for each line.

usage: session_policies.py FILE     (one policy a line)
"""
import json
import sys

import parliament

for line in open(sys.argv[1]):
    found = parliament.analyze_policy_string(line).findings
    print(json.dumps(sorted({finding.issue for finding in found})))
