#!/usr/bin/env python3
"""Prints requests and the signatures that botocore gives them, one JSON object a line.

usage: aws_signatures.py COUNT SEED

Three quarters of the requests are made by botocore's own clients from random parameters (S3, EC2 and IAM query,
CloudTrail and SSM JSON 1.1, Lambda and EKS REST-JSON); the rest are written by hand, with what clients rarely make:
repeated and padded headers, queries without order or values, dots and slashes in paths, presigned URLs.
Nothing is sent. Times, keys and parameters come from the seed.
"""
import base64
import datetime
import json
import random
import sys

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.utils import percent_encode

count, seed = int(sys.argv[1]), int(sys.argv[2])
dice = random.Random(seed)
moment = None
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: moment

PIECES = ["a", "Zq9", "-._~", " ", "+", "/", ":", "=", "&", "%", "%2F", "é", "ሴ", "日本", "😀", "!", "'", "(", ")", "*", ",",
          ";", "@", "$", "[", "]", "\"", "<", ">", "\\", "^", "|", "..", ".", "//", "  "]


def text(most=6):
    return "".join(dice.choice(PIECES) for _ in range(dice.randint(1, most)))


def word():
    return "".join(dice.choice("abcdefghijklmnop0123456789-") for _ in range(dice.randint(3, 12))).strip("-") + "x"


def arn(service, kind):
    return f"arn:aws:{service}:eu-west-1:012345670123:{kind}{text()}"


def calls():
    bucket = word()
    yield "s3", "get_object", dict(Bucket=bucket, Key=text(), VersionId=text())
    yield "s3", "get_public_access_block", dict(Bucket=bucket)
    yield "s3", "get_bucket_policy", dict(Bucket=bucket)
    yield "s3", "list_objects_v2", dict(Bucket=bucket, Prefix=text(), Delimiter=dice.choice(["/", "+", " "]))
    yield "s3", "put_bucket_policy", dict(Bucket=bucket, Policy=json.dumps({"x": text()}))
    yield "s3", "put_object", dict(Bucket=bucket, Key=text(), Body=text().encode(), Metadata={word(): "v  w"})
    yield "s3", "put_public_access_block", dict(Bucket=bucket,
                                               PublicAccessBlockConfiguration=dict(BlockPublicAcls=True))
    yield "s3", "list_buckets", {}
    yield "ec2", "describe_instances", dict(Filters=[dict(Name=text(), Values=[text(), text()])])
    yield "ec2", "authorize_security_group_ingress", dict(GroupId=text(), CidrIp="0.0.0.0/0", IpProtocol="tcp")
    yield "ec2", "describe_security_groups", dict(NextToken=text(), MaxResults=dice.randint(5, 1000))
    yield "iam", "get_role", dict(RoleName=text())
    yield "iam", "create_policy", dict(PolicyName=text(), PolicyDocument=json.dumps({"Statement": text()}))
    yield "iam", "list_users", dict(PathPrefix="/" + text(), Marker=text())
    yield "cloudtrail", "lookup_events", dict(
        LookupAttributes=[dict(AttributeKey="EventName", AttributeValue=text())])
    yield "cloudtrail", "get_trail_status", dict(Name=text())
    yield "ssm", "get_parameters", dict(Names=[text(), text()])
    yield "ssm", "put_parameter", dict(Name=text(), Value=text(), Type="String")
    yield "lambda", "get_policy", dict(FunctionName=arn("lambda", "function:"), Qualifier=text())
    yield "lambda", "list_tags", dict(Resource=arn("lambda", "function:"))
    yield "lambda", "get_function", dict(FunctionName=text())
    yield "lambda", "remove_permission", dict(FunctionName=text(), StatementId=text())
    yield "eks", "describe_cluster", dict(name=text())
    yield "eks", "list_tags_for_resource", dict(resourceArn=arn("eks", "cluster/"))
    yield "eks", "tag_resource", dict(resourceArn=arn("eks", "nodegroup/"), tags={text(): text()})
    yield "eks", "update_cluster_config", dict(name=text(), clientRequestToken="t",
                                               resourcesVpcConfig=dict(endpointPublicAccess=False))


def new_keys():
    global moment
    moment = datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=dice.randint(0, 2_000_000_000))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+"
    token = "".join(dice.choice(alphabet + "=") for _ in range(200)) if dice.random() < 0.5 else None
    return Credentials("AKIA" + word().upper(), "".join(dice.choice(alphabet) for _ in range(40)), token)


def show(kind, service, region, keys, request, body, signature, lifetime=0):
    if isinstance(body, str):
        body = body.encode()
    print(json.dumps(dict(
        kind=kind, service=service, region=region, access=keys.access_key, secret=keys.secret_key, token=keys.token,
        time=int(moment.replace(tzinfo=datetime.timezone.utc).timestamp()), method=request["method"],
        url=request["url"], headers=request["headers"], body=base64.b64encode(body or b"").decode(),
        signature=signature, lifetime=lifetime)))


ADDED = {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
session = botocore.session.Session()
clients = {}


class Stop(Exception):
    """Thrown with a signed request in place of sending it."""


def stop(request, **_):
    raise Stop(request)


def client_request(service, operation, parameters):
    region = dice.choice(["eu-west-1", "us-east-1", "ap-southeast-2"])
    name = (service, region)
    if name not in clients:
        clients[name] = session.create_client(
            service, region_name=region, aws_access_key_id="x", aws_secret_access_key="x",
            config=Config(parameter_validation=True, request_checksum_calculation="when_required",
                          s3=dict(payload_signing_enabled=True, addressing_style="auto"), retries=dict(max_attempts=0)))
        clients[name].meta.events.register("before-send", stop)
    client = clients[name]
    keys = new_keys()
    client._request_signer._credentials = keys
    try:
        getattr(client, operation)(**parameters)
    except Stop as stopped:
        request = stopped.args[0]
    authorization = as_text(request.headers["Authorization"])
    scope = authorization.split("Credential=")[1].split(",")[0].split("/")
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = [[k, as_text(v)] for k, v in request.headers.items()
               if k.lower() not in ADDED and (k.lower() in signed or k.lower() == "user-agent")]
    body = request.body
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    show("header", scope[3], scope[2], keys, dict(method=request.method, url=request.url, headers=headers), body,
         authorization)


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


def written_request():
    keys = new_keys()
    s3 = dice.random() < 0.4
    service = "s3" if s3 else dice.choice(["eks", "lambda", "execute-api"])
    region = dice.choice(["eu-west-1", "us-gov-west-1", "cn-north-1"])
    path = "/" + "/".join(dice.choice(["a", "..", ".", "", "x y", "ሴ", "a:b", "%41", "c+d", "é"])
                          for _ in range(dice.randint(0, 6)))
    path = percent_encode(path, safe="/~%:+" if not s3 else "/~%")
    pairs = []
    for _ in range(dice.randint(0, 5)):
        pairs.append(percent_encode(text(2)) + dice.choice(["", "=", "=" + percent_encode(text(2)), "=" + word()]))
    presigned = dice.random() < 0.4
    if presigned:  # botocore's own presigning keeps one value of each name
        pairs = list({p.split("=")[0]: p for p in pairs}.values())
    url = f"https://{service}.example.com{dice.choice(['', ':8443', ':443'])}{path}"
    if pairs or dice.random() < 0.1:
        url += "?" + "&".join(pairs)
    method = "GET" if presigned else dice.choice(["GET", "PUT", "DELETE", "POST"])
    body = b"" if presigned or method in ("GET", "DELETE") else text().encode()
    request = AWSRequest(method=method, url=url, data=body)
    headers = []
    for _ in range(dice.randint(0, 4)):
        headers.append([dice.choice(["X-Custom", "x-amz-meta-Q", "If-Match", "User-Agent", "Expect", "X-Amzn-Trace-Id"]),
                        dice.choice(["v", "  lead", "trail  ", "a   b", "\"q  r\"", "tab\tbed", "a,b", ""])])
    for name, value in headers:
        request.headers.add_header(name, value)
    given = dict(method=method, url=url, headers=headers)
    if presigned:
        lifetime = dice.randint(1, 604800)
        kind = botocore.auth.S3SigV4QueryAuth if s3 else botocore.auth.SigV4QueryAuth
        kind(keys, service, region, expires=lifetime).add_auth(request)
        show("query", service, region, keys, given, body, request.url.split("X-Amz-Signature=")[1], lifetime)
    else:
        kind = botocore.auth.S3SigV4Auth if s3 else botocore.auth.SigV4Auth
        kind(keys, service, region).add_auth(request)
        show("header", service, region, keys, given, body, request.headers["Authorization"])


made = 0
while made < count * 3 // 4:
    for call in calls():
        if made < count * 3 // 4:
            client_request(*call)
            made += 1
while made < count:
    written_request()
    made += 1
