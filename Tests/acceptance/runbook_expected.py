"""What each command of the runbooks ends with and prints, and which estate each page is typed in."""
SICK = ["account-unknown", "data-broken", "dead-letters", "dirty-too-old", "discovery-failing",
        "events-from-future", "message-failed", "prompt-failed", "read-denied", "region-unknown", "source-failing",
        "source-gap", "README", "reload-refused", "reload-waits", "anchor-failing"]
SOUND = ["approval-waiting", "approver-at-3-am", "baseline-findings", "flapping", "run-failed", "hold-ended", "run-stuck",
         "budget-spent", "campaign-stopped", "breaker-open", "halt-and-resume", "incident-replay", "rotate-credentials",
         "service-down", "drill-failed", "drill-late", "restore-from-backup", "store-lost"]
PAGES = {**{name: "sick" for name in SICK}, **{name: "sound" for name in SOUND}, "first-rollout": "rollout"}

# These are raised in no estate here: their pages' commands are typed where there is another drift or run.
NOT_RAISED = {"dirty-too-old", "run-stuck", "budget-spent", "campaign-stopped", "hold-ended", "source-gap",
              "drill-failed", "drill-late"}

PLAN = r"PutPublicAccessBlock"
SHOWN = r"(?s)COVERAGE\n.*events .*TIMELINE"
# Beginnings of commands, as they are typed; the longest that fits counts. The exit code, and what is printed.
EXPECTED = {
    "holdfast accounts": (0, r"111122223333\b.*\bdev\b"),
    "holdfast approvals": (0, rf"(?s)What may break:.*s3\.{PLAN}.*Undo: "),
    "holdfast approvals open": (0, r"http://127\.0\.0\.1:\d+/sign-in/link/\w+"),
    "holdfast approve": (0, r"the plan \w{12} approved by ann\.lee"),
    "holdfast audit list": (0, r"\n\d+\t\S+Z\t[a-z-]+\t"),
    "holdfast audit list --kind halt": (0, r"writes to the wrong account"),
    "holdfast audit list --kind message-given-up": (0, r"^$"),
    "holdfast audit verify": (0, r"intact|hold|verif"),
    "holdfast campaign ": (0, r"campaign c-\w+ would fix \d+ findings?; somebody else approves it"),
    "holdfast campaigns": (0, r"^c-\w+\tproposed\t"),
    "holdfast catalog missing": (0, r""),
    # Of Azure and Google Cloud there are no models.
    "holdfast catalog prove": (1, r"aws/endpoints\.json: \d+ bytes"),
    "holdfast check": (0, r"^ok: \d+ types, \d+ operations, \d+ rules, \d+ playbooks\n(?s:\nIngested\n.*Approved\n|$)"),
    "holdfast diff": (0, r"appeared  arn:aws:s3:::waits-0"),
    "holdfast doctor": (0, r"(?s)ok +configuration.*ok +credential"),
    "holdfast doctor --send": (0, r"ok +prompt"),
    "holdfast audit list --kind drill-ended": (0, r"^$"),
    "holdfast evaluate --help": (0, r"USAGE: holdfast evaluate"),
    "holdfast exempt --help": (0, r"USAGE: holdfast exempt"),
    "holdfast exempt --preview": (0, r"would silence \d+ finding"),
    "holdfast exempt --rule": (0, r"it would silence 1 finding"),
    "holdfast explain": (0, r"dead letter: .*log\.jsonl"),
    "holdfast findings --open": (0, r"\topen\taws/s3/bucket-blocks-public-access\t|\"evidence\" *: *\"reported\""),
    "holdfast findings": (0, r"aws/s3/bucket-blocks-public-access"),
    "holdfast halt": (0, r"halted: nothing is written there until somebody resumes it"),
    "holdfast hold": (0, r"put on hold by ann\.lee"),
    "holdfast init": (0, r"wrote holdfast\.yaml"),
    "holdfast permissions": (0, r'"s3:GetBucketPolicy"'),
    "holdfast permissions --cloud aws --write": (0, r'"s3:PutBucketPublicAccessBlock"'),
    "holdfast permissions --write": (0, r'"s3:PutBucketPublicAccessBlock"'),
    "holdfast plan": (0, rf"(?s)1\. .*{PLAN}.*Undo: .*Digest: \w{{64}}"),
    "holdfast refuse": (0, r"the plan \w{12} refused by ann\.lee"),
    "holdfast replay --source": (0, SHOWN),
    "holdfast replay verify": (0, r"signed by CN=incident response.*\n.*verifies"),
    "holdfast report dry-run": (0, rf"{PLAN}|aws-s3-block-public-access"),
    "holdfast resource ": (0, r"(?s)^AWS::S3::Bucket arn:aws:s3:::.*PublicAccessBlockConfiguration"),
    "holdfast resources": (0, r"AWS::S3::Bucket"),
    "holdfast resume": (0, r"goes on|\tann\.lee\t"),
    "holdfast rollout": (0, r"aws-s3-block-public-access"),
    "holdfast rollout open": (0, r"was opened by ann\.lee; one more person must"),
    "holdfast run --config": (0, r"active"),
    "holdfast runs": (0, r"^r-\w+\t[a-z-]+\taws-s3-block-public-access\tarn:aws:s3:::"),
    "holdfast runs r-": (0, r'"call": "s3\.PutPublicAccessBlock"'),
    "holdfast scan": (0, r"aws/s3/bucket-blocks-public-access"),
    "holdfast status": (0, r"events"),
    "holdfast token --help": (0, r"USAGE: holdfast token"),
    "holdfast token --name": (0, r"(?s)hf_\w+.*sha256"),
    "holdfast undo --help": (0, r"USAGE: holdfast undo"),
    "holdfast undo": (0, r"run r-\w+ is being undone"),
    "holdfast verify": (0, r"."),
    "holdfast why": (0, r"(?s)✓|✗.*the first thing that would let it go on"),
    "aws": (0, r"PublicKeyList"),
    "chmod": (0, r"^$"),
    "curl -s": (0, r"ready|ok"),
    "install -o": (0, r"^$"),
    "journalctl": (0, r"."),
    "mkdir": (0, r"^$"),
    "mv": (0, r"^$"),
    "openssl rand": (0, r"^\w{64}$"),
    "openssl req": (0, r"-----"),
    "rm": (0, r"^$"),
    "sqlite3 /var/backups": (0, r"^ok$"),
    "sqlite3 /var/lib": (0, r"^$"),
    "systemctl start": (0, r"active \(running\)"),
    "systemctl restart": (0, r"active \(running\)"),
    "systemctl status": (0, r"active \(running\)"),
    "systemctl stop": (0, r"inactive"),
    "timedatectl": (0, r"System clock synchronized: yes"),
    "touch": (0, r"^$"),
}
# Where a page's own situation makes it another: (page, command as written).
ON_PAGE = {
    # drill.py holds drills; nothing in these estates is there for one.
    **{(page, "holdfast drill PLAYBOOK --resource ID"): (1, r"has no label holdfast:drill")
       for page in ("drill-failed", "drill-late")},
    ("data-broken", "holdfast check --config FILE"): (1, r"broken\.yaml:\d+:\d+: unknown key"),
    ("incident-replay", "holdfast replay --source file ./bucket --from 2026-11-20 --tune ./tune --format json | jq .backtest"):
        (0, r"severity critical -> low"),
    ("reload-refused", "holdfast reload"): (1, r"refused"),
    ("reload-refused", "holdfast check --config FILE"): (1, r"broken\.yaml:\d+:\d+: unknown key"),
    # First it waits, and when it was confirmed there is nothing left to wait for.
    ("reload-waits", "holdfast reload"): [(1, r"waits"), (0, r"reloaded")],
    ("reload-waits", "holdfast reload --config FILE"): (1, r"waits"),
    ("reload-waits", "holdfast reload --confirm --config FILE"): (0, r"reloaded: \d+ of \d+ resources change"),
}


def expected(page, written, typed):
    if (page, written) in ON_PAGE:
        found = ON_PAGE[page, written]
        return found.pop(0) if isinstance(found, list) else found
    if typed.startswith("holdfast notices"):
        return (0, r"\t" if page in NOT_RAISED | {"README"} else rf"(?m)^{page}\t")
    fitting = [start for start in EXPECTED if typed.startswith(start)]
    if not fitting:
        return None
    return (0, "(?i)^<!doctype html>") if "--format html" in typed else EXPECTED[max(fitting, key=len)]
