"""Users, roles and policies of IAM."""

import json

from drift.cases import Planted, at, but, case

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
LITTLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}


def iam(clients):
    return clients.aws("iam")


def user(clients):
    client, name = iam(clients), f"user-{clients.number()}"
    client.create_user(UserName=name, Path="/team/")

    def show():
        keys = client.list_access_keys(UserName=name)["AccessKeyMetadata"]
        names = client.list_user_policies(UserName=name)["PolicyNames"]
        own = {p: client.get_user_policy(UserName=name, PolicyName=p)["PolicyDocument"] for p in names}
        attached = client.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        return {
            "keys": {key["AccessKeyId"]: key["Status"] for key in keys},
            "own": own,
            "attached": sorted(policy["PolicyArn"] for policy in attached),
        }

    return client, name, show


def role(clients, trust):
    client, name = iam(clients), f"role-{clients.number()}"
    client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust, indent=1))

    def show():
        attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return {
            "trust": client.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
            "attached": sorted(policy["PolicyArn"] for policy in attached),
        }

    return client, name, show


def trusting(*principals):
    statements = [
        {"Sid": f"S{number}", "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        for number, principal in enumerate(principals)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


@case("aws-iam-key-inactive")
def old_keys(clients):
    client, name, show = user(clients)
    first = client.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    second = client.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    client.update_access_key(UserName=name, AccessKeyId=second, Status="Inactive")

    def promised(before):
        return but(before, keys={first: "Inactive", second: "Inactive"})

    return Planted("AWS::IAM::User", name, show, promised, region="", days=120)


@case("aws-iam-user-detach-admin")
def admin_user(clients):
    client, name, show = user(clients)
    client.attach_user_policy(UserName=name, PolicyArn=ADMIN)
    client.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    def promised(before):
        return but(before, attached=["arn:aws:iam::aws:policy/ReadOnlyAccess"])

    return Planted("AWS::IAM::User", name, show, promised, region="")


@case("aws-iam-user-no-own-policies")
def own_policies(clients):
    client, name, show = user(clients)
    client.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    client.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=json.dumps(LITTLE))
    client.put_user_policy(UserName=name, PolicyName="other", PolicyDocument=json.dumps(LITTLE, indent=2))
    return Planted(
        "AWS::IAM::User", name, show, lambda before: {**before, "own": {}, "attached": []}, region=""
    )


@case("aws-iam-role-detach-admin")
def admin_role(clients):
    client, name, show = role(clients, trusting({"Service": "ec2.amazonaws.com"}))
    client.attach_role_policy(RoleName=name, PolicyArn=ADMIN)
    return Planted("AWS::IAM::Role", name, show, lambda before: {**before, "attached": []}, region="")


@case("aws-iam-role-trust-only-us", "one of two")
def stranger_trusted(clients):
    own = f"arn:aws:iam::{clients.account}:root"
    trust = trusting({"AWS": [own, "arn:aws:iam::999988887777:root"]}, {"Service": "ec2.amazonaws.com"})
    _, name, show = role(clients, trust)

    def promised(before):
        return but(before, trust=at(before["trust"], ["Statement", 0, "Principal", "AWS"], [own]))

    return Planted(
        "AWS::IAM::Role", name, show, promised, region="", lists={"our-accounts": [clients.account]}
    )


@case("aws-iam-role-trust-only-us", "a statement")
def everyone_trusted(clients):
    _, name, show = role(clients, trusting({"Service": "ec2.amazonaws.com"}, {"AWS": "*"}))

    def promised(before):
        return but(before, trust={**before["trust"], "Statement": before["trust"]["Statement"][:1]})

    return Planted(
        "AWS::IAM::Role", name, show, promised, region="", lists={"our-accounts": [clients.account]}
    )


@case("aws-iam-policy-earlier-version")
def admin_version(clients):
    client = iam(clients)
    name = f"policy-{clients.number()}"
    arn = client.create_policy(PolicyName=name, PolicyDocument=json.dumps(LITTLE))["Policy"]["Arn"]
    client.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(EVERYTHING), SetAsDefault=True)

    def show():
        versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
        return {"default": {v["VersionId"]: v["IsDefaultVersion"] for v in versions}}

    return Planted(
        "AWS::IAM::ManagedPolicy", arn, show, lambda before: {"default": {"v1": True, "v2": False}}, region=""
    )


WEAK = {"MinimumPasswordLength": 8, "RequireSymbols": True, "AllowUsersToChangePassword": True}


def passwords(clients, policy):
    client = iam(clients)
    try:
        client.delete_account_password_policy()
    except client.exceptions.NoSuchEntityException:
        pass
    if policy:
        client.update_account_password_policy(**policy)

    def show():
        try:
            found = client.get_account_password_policy()["PasswordPolicy"]
            # moto says 0 and false of what AWS leaves out.
            return {name: value for name, value in found.items() if value or name not in ("MaxPasswordAge", "HardExpiry")}
        except client.exceptions.NoSuchEntityException:
            return {}

    return show


@case("aws-iam-long-passwords", "weak")
def weak_passwords(clients):
    show = passwords(clients, WEAK)
    return Planted(
        "AWS::IAM::AccountPasswordPolicy", None, show,
        lambda before: {**before, "MinimumPasswordLength": 14, "PasswordReusePrevention": 24}, region="")


@case("aws-iam-long-passwords", "none")
def any_passwords(clients):
    show = passwords(clients, None)
    # What a request does not name has its default.
    plain = {"RequireSymbols": False, "RequireNumbers": False, "RequireUppercaseCharacters": False,
             "RequireLowercaseCharacters": False, "AllowUsersToChangePassword": False, "ExpirePasswords": False}
    return Planted(
        "AWS::IAM::AccountPasswordPolicy", None, show,
        lambda before: {**plain, "MinimumPasswordLength": 14, "PasswordReusePrevention": 24}, region="")
