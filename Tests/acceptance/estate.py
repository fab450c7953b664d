"""An estate of 2,000 resources in three accounts on moto, and what boto3 reads of it in the catalog's own paths."""
import collections
import json

ACCOUNTS = ["111122223333", "444455556666", "012345670123"]
REGION = "eu-west-1"
ROLE = "arn:aws:iam::%s:role/holdfast-read"


def credentials(endpoint, account):
    """Keys of the role that Holdfast takes on as well."""
    import boto3
    sts = boto3.client("sts", aws_access_key_id="test", aws_secret_access_key="test", endpoint_url=endpoint,
                       region_name=REGION)
    return sts.assume_role(RoleArn=ROLE % account, RoleSessionName="estate")["Credentials"]


def session(endpoint, account):
    """boto3 clients in one account."""
    import boto3
    keys = credentials(endpoint, account)
    own = dict(endpoint_url=endpoint, region_name=REGION, aws_access_key_id=keys["AccessKeyId"],
               aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    return lambda service: boto3.client(service, **own)


def build(endpoint, account, groups, buckets, roles):
    client = session(endpoint, account)
    ec2, s3, iam = client("ec2"), client("s3"), client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number in range(groups):
        group = ec2.create_security_group(GroupName=f"group-{number}", Description="made", VpcId=vpc)["GroupId"]
        cidr = "0.0.0.0/0" if number % 10 == 0 else f"10.{number % 250}.0.0/16"
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": cidr}]}])
    for number in range(buckets):
        name = f"bucket-{account}-{number}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        if number % 5 == 0:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{name}/*"}]}))
        if number % 3 == 0:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
                "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False,
                "RestrictPublicBuckets": number % 2 == 0})
        if number % 4 == 0:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "n", "Value": str(number)}]})
    for number in range(roles):
        principal = {"AWS": "*"} if number % 10 == 0 else {"Service": "ec2.amazonaws.com"}
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}))
        if number % 2 == 0:
            iam.put_role_policy(RoleName=f"role-{number}", PolicyName="inline", PolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))


def expected(endpoint, account):
    """Id -> what boto3 says of it, by the paths of the catalog; only resources that `build` made."""
    client = session(endpoint, account)
    return {**groups(client("ec2"), account), **buckets(client("s3"), account), **roles(client("iam"))}


def groups(ec2, account):
    found, rules = {}, {}
    for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]:
        rules.setdefault(rule["GroupId"], []).append(rule)
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        own = rules.get(group["GroupId"], [])
        found[f"arn:aws:ec2:{REGION}:{account}:security-group/{group['GroupId']}"] = {
            "GroupName": group["GroupName"], "GroupDescription": group["Description"], "VpcId": group.get("VpcId"),
            "SecurityGroupIngress": sorted((r["SecurityGroupRuleId"], r["IpProtocol"], r.get("FromPort"), r.get("ToPort"),
                                            r.get("CidrIpv4")) for r in own if not r["IsEgress"])}
    return found


def buckets(s3, account):
    found = {}
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]

        def ask(call, member, absent):
            try:
                return getattr(s3, call)(Bucket=name).get(member)
            except s3.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == absent, error
        policy = ask("get_bucket_policy", "Policy", "NoSuchBucketPolicy")
        found[f"arn:aws:s3:::{name}"] = {
            "Policy": json.loads(policy) if policy else None,
            "PublicAccessBlockConfiguration": ask(
                "get_public_access_block", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"),
            "Versioning": s3.get_bucket_versioning(Bucket=name).get("Status"),
            "Tags": ask("get_bucket_tagging", "TagSet", "NoSuchTagSet")}
    return found


def roles(iam):
    found = {}
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            inline = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            found[role["Arn"]] = {
                "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
                "Policies": sorted((name, json.dumps(iam.get_role_policy(
                    RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"], sort_keys=True)) for name in inline)}
    return found


def observed(row):
    """The same of one resource as Holdfast knows it."""
    state = collections.defaultdict(lambda: None, row["configuration"])
    if row["type"] == "AWS::EC2::SecurityGroup":
        return {"GroupName": state["GroupName"], "GroupDescription": state["GroupDescription"], "VpcId": state["VpcId"],
                "SecurityGroupIngress": sorted((r["SecurityGroupRuleId"], r["IpProtocol"], r.get("FromPort"), r.get("ToPort"),
                                                r.get("CidrIp")) for r in state["SecurityGroupIngress"] or [])}
    if row["type"] == "AWS::S3::Bucket":
        return {"Policy": state["Policy"], "PublicAccessBlockConfiguration": state["PublicAccessBlockConfiguration"],
                "Versioning": (state["VersioningConfiguration"] or {}).get("Status"), "Tags": state["Tags"]}
    return {"AssumeRolePolicyDocument": state["AssumeRolePolicyDocument"],
            "Policies": sorted((p["PolicyName"], json.dumps(p["PolicyDocument"], sort_keys=True))
                               for p in state["Policies"] or [])}
