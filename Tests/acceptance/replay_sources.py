"""A window that comes from a bucket (moto) or from CloudTrail's LookupEvents gives the timeline that the same records give
from files, and each says how it knows that its hours are whole. Needs the tests' Python (Tests/servers/python.sh)."""
import datetime
import gzip
import json
import os
import subprocess
import tempfile
import time

import boto3

import polled
from program import PROGRAM, TOP

REGION, SECONDS = "eu-west-1", 40
DATA = {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")}


def replay(folder, base, source, *paths):
    """The replay of the last two hours as JSON."""
    arguments = [PROGRAM, "replay", *paths, "--source", source, "--from", "-2h", "--format", "json",
                 "--include", "reads,failures,sessions", "--config", f"{folder}/holdfast.yaml"]
    done = subprocess.run(arguments, capture_output=True, text=True,
                          env={**os.environ, **polled.KEYS, "AWS_ENDPOINT_URL": base})
    assert done.returncode == 0, f"--source {source}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


def configure(folder, source):
    with open(f"{folder}/holdfast.yaml", "w") as file:
        json.dump({"sources": [source], "data": DATA, "store": {"sqlite": "./none.db"}}, file)


def timeline(replayed):
    """What happened, without where it was read."""
    rows = [{key: value for key, value in row.items() if key != "place"} for row in replayed["timeline"]]
    assert len(rows) > 50, f"only {len(rows)} rows"
    return rows


def api(folder, events):
    with polled.Server(f"{TOP}/Tests/servers/event_logs.py") as server:
        base = f"http://127.0.0.1:{server.process.stdout.readline().strip()}"
        batch = [{"id": event["eventID"], "time": polled.row(event)["EventTime"], "row": polled.row(event),
                  "shows": polled.row(event)["EventTime"]} for event in events]
        polled.call(f"{base}/control/events", {"log": f"{polled.ACCOUNT}/{REGION}", "events": batch})
        configure(folder, {"cloudtrail-lookup": {"accounts": [polled.ACCOUNT], "regions": [REGION]}})
        return replay(folder, base, "api")


def bucket(folder, events):
    port = polled.free_port()
    with polled.Server("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)):
        base = f"http://127.0.0.1:{port}"
        s3 = boto3.client("s3", endpoint_url=base, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        for _ in range(100):
            try:
                s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
                break
            except Exception:
                time.sleep(0.2)
        for number in range(0, len(events), 25):
            part = events[number:number + 25]
            at = datetime.datetime.fromisoformat(part[-1]["eventTime"].replace("Z", "+00:00"))
            key = (f"AWSLogs/{polled.ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}/"
                   f"{polled.ACCOUNT}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{number:04d}.json.gz")
            s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": part}).encode()))
        configure(folder, {"cloudtrail-s3": {"bucket": "trail", "region": REGION}})
        return replay(folder, base, "s3")


def main():
    began = int(time.time()) - 5400
    events = [polled.record(number, began + number * SECONDS, REGION) for number in range(120)]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/events.jsonl", "w") as file:
            file.write("".join(json.dumps(event) + "\n" for event in events))
        configure(folder, {"stdin": {}})
        wanted = timeline(replay(folder, "http://127.0.0.1:1", "file", f"{folder}/events.jsonl"))
        for name, source in (("api", api), ("s3", bucket)):
            found = source(folder, events)
            assert timeline(found) == wanted, f"--source {name} gives another timeline than the same records in a file"
            states = {stretch["state"] for line in found["coverage"]["strip"] for stretch in line["stretches"]}
            assert states == {"complete"}, (name, found["coverage"])
            print(f"--source {name}: {len(wanted)} rows, as from files; "
                  f"{found['coverage']['strip'][0]['stretches'][0]['known']}", flush=True)


if __name__ == "__main__":
    main()
