"""Terraform's AWS provider as a second judge of drift: an estate that it made on moto and boto3 changed by hand. What
`holdfast scan` opens is on the resources that `terraform plan` wants to change, and every change is seen by both.

Skipped, and said so, where there is no terraform, or no AWS provider on the disk: below HOLDFAST_TERRAFORM_PLUGINS,
Terraform's own folders for mirrors, or /opt. Run it with the Python of Tests/servers/python.sh."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import boto3

from program import PROGRAM, TOP
from scan import moto

REGION = "eu-west-1"
SERVICES = ["s3", "ec2", "iam", "sts", "kms"]
PLACES = [os.environ.get("HOLDFAST_TERRAFORM_PLUGINS"), "~/.terraform.d", "/usr/local/share/terraform", "/usr/share/terraform",
          "/opt"]

ESTATE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "%(region)s"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true
  endpoints {
%(endpoints)s
  }
}
resource "aws_s3_bucket" "open" { bucket = "open-bucket" }
resource "aws_s3_bucket_public_access_block" "open" {
  bucket                  = aws_s3_bucket.open.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket" "quiet" { bucket = "quiet-bucket" }
resource "aws_s3_bucket_public_access_block" "quiet" {
  bucket                  = aws_s3_bucket.quiet.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_vpc" "main" { cidr_block = "10.9.0.0/16" }
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_security_group" "quiet" {
  name   = "quiet"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_iam_role" "deploy" {
  name               = "deploy"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_kms_key" "data" {
  description         = "data"
  enable_key_rotation = true
}
"""
TYPES = ["AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "AWS::IAM::Role", "AWS::KMS::Key"]


def mirror():
    """MIRROR/host/hashicorp/aws/version/platform/terraform-provider-aws…"""
    for place in filter(None, PLACES):
        found = next(pathlib.Path(place).expanduser().rglob("hashicorp/aws/*/*/terraform-provider-aws*"), None)
        if found:
            return str(found.parents[5])
    return None


class Terraform:
    def __init__(self, folder, endpoint, plugins):
        self.folder = folder
        endpoints = "\n".join(f'    {service} = "{endpoint}"' for service in SERVICES)
        with open(f"{folder}/main.tf", "w") as file:
            file.write(ESTATE % {"region": REGION, "endpoints": endpoints})
        self.run("init", "-input=false", f"-plugin-dir={plugins}")
        self.run("apply", "-input=false", "-auto-approve")

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run(["terraform", *arguments], cwd=self.folder, capture_output=True, text=True,
                              env={**os.environ, "CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"})
        if done.returncode not in codes:
            sys.exit(f"terraform {arguments[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done

    def changed(self):
        """The resources of ours that terraform wants to change, as holdfast names them; and its exit code."""
        code = self.run("plan", "-input=false", "-detailed-exitcode", "-out=plan", codes=(0, 2)).returncode
        plan = json.loads(self.run("show", "-json", "plan").stdout)
        changes = [c for c in plan["resource_changes"] if c["change"]["actions"] != ["no-op"]]
        return {self.name(c) for c in changes}, code

    @staticmethod
    def name(change):
        """What the block's resource is called in ARNs; of a part of a bucket the bucket."""
        known = change["change"]["before"] or change["change"]["after"]
        return known.get("arn") or f"arn:aws:s3:::{known['bucket']}"


def scan(folder, environment, *more):
    done = subprocess.run([PROGRAM, "scan", "--config", "holdfast.yaml", "--format", "jsonl", "--quiet", "--type", *TYPES, *more],
                          cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the scan ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return {(f["id"], f["rule"]) for f in map(json.loads, done.stdout.splitlines())}


def drift(endpoint):
    def client(service):
        return boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test",
                            aws_secret_access_key="test")
    client("s3").delete_public_access_block(Bucket="open-bucket")
    ec2 = client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["web"]}])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    client("iam").update_assume_role_policy(RoleName="deploy", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}))
    kms = client("kms")
    key = kms.list_keys()["Keys"][0]
    kms.disable_key_rotation(KeyId=key["KeyId"])
    return {"arn:aws:s3:::open-bucket", f"security-group/{group['GroupId']}", "role/deploy", key["KeyArn"]}


def main():
    plugins = mirror()
    if not plugins or not shutil.which("terraform"):
        print("SKIPPED: drift as terraform sees it; there is no terraform with its AWS provider on the disk")
        return
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        terraform = Terraform(folder, endpoint, plugins)
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                       "AWS_ENDPOINT_URL": endpoint}
        with open(f"{folder}/holdfast.yaml", "w") as file:
            json.dump({"store": {"sqlite": "./holdfast.db"}, "limits": {"calls-per-second": 1000},
                       "data": {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")},
                       "accounts": [{"aws": "123456789012", "environment": "dev", "regions": [REGION]}]}, file)
        before, code = terraform.changed()
        assert (before, code) == (set(), 0), (before, code)
        known = scan(folder, environment)
        made = drift(endpoint)
        changed, code = terraform.changed()
        assert code == 2, code
        new = scan(folder, environment, "--again") - known
        ours = {id for id, _ in new}
        assert len(changed) == len(made) and all(any(id.endswith(name) for id in changed) for name in made), (changed, made)
        assert ours == changed, f"terraform changes {sorted(changed)}\nholdfast finds {sorted(new)}"
        print(f"terraform and holdfast agree on {len(ours)} resources that drifted, of {len(known)} findings before; "
              + ", ".join(sorted({rule for _, rule in new})))


main()
