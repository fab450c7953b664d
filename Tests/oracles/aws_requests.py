"""Prints what boto3 would send, one request a line.

usage: aws_requests.py SEED COUNT CALL...     (CALL: s3.PutBucketPolicy; COUNT requests for each)
"""
import base64
import hashlib
import json
import sys
import urllib.parse

import botocore.awsrequest
import botocore.session
from botocore.config import Config

from aws_shapes import Maker, plain

REGIONS = ["eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "ap-southeast-2", "us-iso-east-1"]
IGNORED = {"user-agent", "x-amz-date", "authorization", "content-length", "x-amz-content-sha256", "expect",
           "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-security-token", "x-amz-user-agent", "accept-encoding",
           "transfer-encoding"}


class Sent(Exception):
    pass


def main(seed, count, calls):
    session = botocore.session.get_session()
    clients = {}
    caught = []

    def stop(request, **_):
        caught.append(request)
        raise Sent

    def client(service, region):
        if (service, region) not in clients:
            made = session.create_client(
                service, region_name=region, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, s3={"us_east_1_regional_endpoint": "regional"}))
            made.meta.events.register("before-send", stop)
            clients[service, region] = made
        return clients[service, region]

    for call in calls:
        service, operation = call.split(".")
        model = session.get_service_model(service).operation_model(operation)
        for number in range(count):
            maker = Maker(f"{seed} {call} {number}")
            region = maker.random.choice(REGIONS)
            parameters = maker.structure(model.input_shape) if model.input_shape else {}
            if "ChecksumAlgorithm" in parameters or model.http_checksum.get("requestChecksumRequired"):
                parameters["ChecksumAlgorithm"] = "SHA256"
            # Checksums that the caller gives in place of ours are not offered.
            for name in [n for n in parameters if n.startswith("Checksum") and n != "ChecksumAlgorithm"] + ["ContentMD5"]:
                parameters.pop(name, None)
            if model.has_streaming_input:
                parameters = whole(parameters)
            try:
                client(service, region)._make_api_call(operation, parameters)
            except Sent:
                pass
            print(json.dumps(described(call, region, parameters, caught.pop())))


def whole(parameters):
    """Of an object that is written: what the catalog sends, its body in one piece with the caller's own checksum."""
    sent = ["Bucket", "Key", "Body", "ContentType", "ObjectLockMode", "ObjectLockRetainUntilDate"]
    parameters = {"Body": b"1 0f\n", **{name: parameters[name] for name in sent if name in parameters}}
    checksum = base64.b64encode(hashlib.sha256(parameters["Body"]).digest()).decode()
    return {**parameters, "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}


def described(call, region, parameters, request):
    url = urllib.parse.urlsplit(request.url)
    body = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    body = body.encode() if isinstance(body, str) else bytes(body)
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    scope = text(request.headers["Authorization"]).split("Credential=")[1].split(",")[0].split("/")
    return {
        "call": call, "region": region, "parameters": plain(parameters), "method": request.method,
        "host": f"{url.scheme}://{url.netloc}", "path": url.path,
        "query": sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
        "headers": {name.lower(): text(value) for name, value in request.headers.items()
                    if name.lower() not in IGNORED},
        "body": base64.b64encode(body).decode(), "signed": [scope[2], scope[3]],
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
