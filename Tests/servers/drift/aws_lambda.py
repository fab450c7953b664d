"""Functions of Lambda."""

import io
import json
import zipfile

from drift.cases import Planted, case


def function(clients):
    client, name = clients.aws("lambda"), f"function-{clients.number()}"
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = clients.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", "def run(event, context): pass")
    client.create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="a.run", Code={"ZipFile": packed.getvalue()})
    return client, name


@case("aws-lambda-remove-public-permissions")
def open_function(clients):
    client, name = function(clients)
    client.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceAccount=clients.account)
    client.add_permission(FunctionName=name, StatementId="all", Action="lambda:InvokeFunction", Principal="*")

    def show():
        found = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
        return {"statements": sorted(found, key=lambda statement: statement["Sid"])}

    def promised(before):
        return {"statements": [statement for statement in before["statements"] if statement["Sid"] == "s3"]}

    return Planted("AWS::Lambda::Function", name, show, promised)


@case("aws-lambda-url-asks-who-calls")
def open_url(clients):
    client, name = function(clients)
    client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"AllowOrigins": ["https://example.com"]})

    def show():
        found = client.get_function_url_config(FunctionName=name)
        return {"auth": found["AuthType"], "cors": found.get("Cors")}

    return Planted("AWS::Lambda::Function", name, show, lambda before: {**before, "auth": "AWS_IAM"})
