"""Prints answers of AWS and what boto3 reads in them, one a line: made of the shapes, or moto's.

usage: aws_answers.py made SEED COUNT CALL...    COUNT answers for each call
       aws_answers.py moto SEED COUNT CALL...    each call COUNT times against a moto with a few resources in it
"""
import base64
import datetime
import email.utils
import json
import sys
from xml.sax.saxutils import escape, quoteattr

import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from aws_shapes import Maker, plain


class AnswerMaker(Maker):
    """Writes values of output shapes as the services do, with the forms that they choose among."""

    def body(self, model, value):
        shape, protocol = model.output_shape, model.service_model.resolved_protocol
        headers, inner = {"Content-Type": "x"}, {}
        if shape is None:
            return headers, b""
        payload = shape.serialization.get("payload")
        for name, member in shape.members.items():
            place = member.serialization.get("location")
            key = member.serialization.get("name", name)
            if name not in value or place == "statusCode":
                continue
            if place == "header":
                headers[key] = self.header(member, value[name])
            elif place == "headers":
                headers.update({key + n.strip("é "): v for n, v in value[name].items()})
            elif payload is None or name == payload:
                inner[name] = value[name]
        if payload:
            member, inner = shape.members[payload], inner.get(payload)
            if inner is None:
                return headers, b""
            if member.type_name == "blob":
                return headers, inner
            if member.type_name == "string":
                return headers, inner.encode()
            if "xml" in protocol:
                return headers, self.document(member, inner, member.serialization.get("name", payload))
            return headers, json.dumps(self.json(member, inner)).encode()
        if protocol in ("json", "rest-json"):
            return headers, json.dumps(self.json(shape, inner)).encode()
        if protocol == "rest-xml":
            if model.name == "GetBucketLocation":
                return headers, f"<LocationConstraint>{inner.get('LocationConstraint', '')}</LocationConstraint>".encode()
            return headers, self.document(shape, inner, shape.serialization.get("name", model.name + "Result"))
        return headers, self.query(model, inner, protocol)

    def query(self, model, inner, protocol):
        content = self.members(model.output_shape, inner)[1]
        space = model.service_model.metadata.get("xmlNamespace", "")
        wrapper = model.output_shape.serialization.get("resultWrapper")
        if wrapper:
            content = f"<{wrapper}>{content}</{wrapper}>"
        tail = "<requestId>r</requestId>" if protocol == "ec2" else \
            "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        return (f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{model.name}Response xmlns={quoteattr(space)}>{content}"
                f"{tail}</{model.name}Response>").encode()

    def header(self, member, value):
        if member.type_name == "boolean":
            return str(value).lower()
        if member.type_name == "timestamp":
            return email.utils.format_datetime(value, usegmt=True)
        return str(value)

    def time(self, member, value, numbers):
        form = member.serialization.get("timestampFormat")
        if numbers and form in (None, "unixTimestamp"):
            seconds = value.timestamp()
            return self.random.choice([int(seconds), seconds, seconds + 0.125])
        if form == "rfc822":
            return email.utils.format_datetime(value, usegmt=True)
        text = value.strftime("%Y-%m-%dT%H:%M:%S")
        return text + self.random.choice(["Z", ".000Z", ".123Z", "+00:00", ".5Z"])

    def json(self, shape, value):
        kind = shape.type_name
        if kind == "structure":
            out = {m.serialization.get("name", n): self.json(m, value[n]) for n, m in shape.members.items() if n in value}
            if not shape.is_tagged_union and self.random.random() < 0.2:
                out["SomethingNew"] = {"a": [1]}
            return out
        if kind == "list":
            return [self.json(shape.member, inner) for inner in value]
        if kind == "map":
            return {name: self.json(shape.value, inner) for name, inner in value.items()}
        if kind == "timestamp":
            return self.time(shape, value, numbers=True)
        return base64.b64encode(value).decode() if kind == "blob" else value

    # XML

    def space(self):
        return self.random.choice(["", "", "", "\n  ", "<!-- c -->"])

    def document(self, shape, value, name):
        head = self.random.choice(["", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "<?xml version='1.0'?>"])
        return (head + self.xml(shape, value, name, " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"")).encode()

    def members(self, shape, value):
        attributes, content = "", ""
        for name, member in shape.members.items():
            if name not in value:
                continue
            key = member.serialization.get("name", name)
            if member.serialization.get("xmlAttribute"):
                attributes += f" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" {key}={quoteattr(value[name])}"
                continue
            content += self.space() + self.xml(member, value[name], key)
        return attributes, content + self.space()

    def xml(self, shape, value, name, attributes=""):
        kind = shape.type_name
        if kind == "structure":
            own, content = self.members(shape, value)
            return f"<{name}{attributes}{own}>{content}</{name}>"
        if kind == "list":
            inner = shape.member.serialization.get("name")
            if shape.serialization.get("flattened"):
                return "".join(self.xml(shape.member, item, inner or name) for item in value)
            items = "".join(self.space() + self.xml(shape.member, item, inner or "member") for item in value)
            return f"<{name}{attributes}>{items}</{name}>" if items or self.random.random() < 0.5 else f"<{name}/>"
        if kind == "map":
            key = shape.key.serialization.get("name", "key")
            inner = shape.value.serialization.get("name", "value")
            pairs = ["".join([self.xml(shape.key, n, key), self.xml(shape.value, v, inner)]) for n, v in value.items()]
            if shape.serialization.get("flattened"):
                return "".join(f"<{name}>{pair}</{name}>" for pair in pairs)
            return f"<{name}>" + "".join(f"<entry>{pair}</entry>" for pair in pairs) + f"</{name}>"
        if kind == "timestamp":
            text = self.time(shape, value, numbers=False)
        elif kind == "boolean":
            text = str(value).lower()
        elif kind == "blob":
            text = base64.b64encode(value).decode()
        else:
            text = str(value)
        coded = self.random.choice([escape(text), escape(text).replace("é", "&#233;"),
                                    f"<![CDATA[{text}]]>" if text and "]]>" not in text else escape(text)])
        return f"<{name}{attributes}>{coded}</{name}>"


def line(call, status, headers, body, parsed):
    metadata = parsed.pop("ResponseMetadata", {})
    return json.dumps({
        "call": call, "status": status, "headers": dict(headers), "body": base64.b64encode(body).decode(),
        "parsed": plain(parsed), "request": metadata.get("RequestId"),
    })


def made(seed, count, calls):
    session = botocore.session.get_session()
    for call in calls:
        service, operation = call.split(".")
        model = session.get_service_model(service).operation_model(operation)
        parser = create_parser(model.service_model.resolved_protocol)
        for number in range(count):
            maker = AnswerMaker(f"{seed} {call} {number}", answers=True)
            value = maker.structure(model.output_shape) if model.output_shape else {}
            if model.output_shape is None and model.service_model.resolved_protocol in ("query", "ec2"):
                headers, body = {}, b"<R><ResponseMetadata/></R>"
            else:
                headers, body = maker.body(model, value)
            response = {"status_code": 200, "headers": HeadersDict(headers), "body": body}
            parsed = parser.parse(response, model.output_shape)
            if operation == "GetBucketLocation":
                parsed = {k: v for k, v in value.items() if v}
            print(line(call, 200, headers, body, parsed))


def moto(seed, count, calls):
    import boto3
    import moto
    from botocore.exceptions import ClientError
    with moto.mock_aws():
        known = resources(boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1"))
        session = botocore.session.get_session()
        session.set_credentials("AKIDEXAMPLE", "secret")
        for call in calls:
            service, operation = call.split(".")
            client = session.create_client(service, region_name="eu-west-1")
            caught = []
            client.meta.events.register(
                "response-received", lambda response_dict, parsed_response, **_: caught.append(
                    (response_dict, json.loads(json.dumps(plain(parsed_response), default=str)))))
            model = client.meta.service_model.operation_model(operation)
            for number in range(count):
                maker = Maker(f"{seed} {call} {number}")
                parameters = maker.structure(model.input_shape) if model.input_shape else {}
                for name, value in known.items():
                    if model.input_shape and name in model.input_shape.members and number % 3 < 2:
                        parameters[name] = value
                for name in ["Filters", "DryRun", "NextToken", "Marker", "ContinuationToken", "ExpectedBucketOwner",
                             "ChecksumAlgorithm"]:
                    parameters.pop(name, None)
                try:
                    getattr(client, botocore.xform_name(operation))(**parameters)
                except ClientError:
                    pass
                except Exception as reason:
                    print(f"{call}: {type(reason).__name__}", file=sys.stderr)
                if caught and caught[-1][0]:
                    response, parsed = caught[-1]
                    caught.clear()
                    print(line(call, response["status_code"], response["headers"], response["body"], parsed))


def resources(session):
    s3, ec2, iam = session.client("s3"), session.client("ec2"), session.client("iam")
    s3.create_bucket(Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_policy(Bucket="my-bucket", Policy='{"Version": "2012-10-17", "Statement": []}')
    s3.put_bucket_tagging(Bucket="my-bucket", Tagging={"TagSet": [{"Key": "a", "Value": "é <b>"}]})
    s3.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(Bucket="my-bucket", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)
    iam.create_user(UserName="user")
    key = iam.create_access_key(UserName="user")["AccessKey"]["AccessKeyId"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    policy = iam.create_policy(PolicyName="policy", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="role", PolicyArn=policy)
    iam.create_group(GroupName="group")
    trail = session.client("cloudtrail").create_trail(Name="trail", S3BucketName="my-bucket")["Name"]
    kms = session.client("kms").create_key()["KeyMetadata"]["KeyId"]
    session.client("rds").create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="u",
        MasterUserPassword="password1", AllocatedStorage=20)
    session.client("secretsmanager").create_secret(Name="secret", SecretString="s")
    session.client("ssm").put_parameter(Name="parameter", Value="v", Type="String")
    return {
        "Bucket": "my-bucket", "GroupIds": [group], "InstanceIds": [instance], "InstanceId": instance,
        "RoleName": "role", "UserName": "user", "AccessKeyId": key, "PolicyArn": policy, "GroupName": "group",
        "TrailName": trail, "Name": trail, "KeyId": kms, "DBInstanceIdentifier": "db", "SecretId": "secret",
    }


if __name__ == "__main__":
    {"made": made, "moto": moto}[sys.argv[1]](sys.argv[2], int(sys.argv[3]), sys.argv[4:])
