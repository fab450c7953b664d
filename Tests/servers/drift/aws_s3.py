"""Buckets of S3, and the block of all public access of an account."""

import json

from botocore.exceptions import ClientError

from drift.cases import Planted, at, but, case

ALL = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
HALF = {**ALL, "IgnorePublicAcls": False, "BlockPublicPolicy": False}
BUCKET = "AWS::S3::Bucket"
STRANGER = "arn:aws:iam::999988887777:root"


def ask(call, member, **names):
    """What a call gives; `None` where the client says that there is nothing."""
    try:
        return call(**names).get(member)
    except ClientError as error:
        assert error.response["Error"]["Code"].startswith("NoSuch") or "NotFound" in str(error), error
        return None


def bucket(clients, tls=True):
    s3, name = clients.aws("s3"), f"bucket-{clients.number()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3, name


def shown(s3, name):
    acl = s3.get_bucket_acl(Bucket=name)
    encryption = ask(s3.get_bucket_encryption, "ServerSideEncryptionConfiguration", Bucket=name)
    return {
        "policy": ask(s3.get_bucket_policy, "Policy", Bucket=name),
        "block": ask(s3.get_public_access_block, "PublicAccessBlockConfiguration", Bucket=name),
        "acl": sorted(json.dumps(grant, sort_keys=True) for grant in acl["Grants"]),
        "encryption": encryption,
    }


def planted(s3, name, promised, **more):
    return Planted(BUCKET, name, lambda: shown(s3, name), promised, **more)


def account_block(clients, configuration):
    control = clients.aws("s3control")
    if configuration is None:
        control.delete_public_access_block(AccountId=clients.account)
    else:
        control.put_public_access_block(
            AccountId=clients.account, PublicAccessBlockConfiguration=configuration
        )
    return control


@case("aws-s3-block-public-access", "absent")
def no_block(clients):
    s3, name = bucket(clients)
    return planted(s3, name, lambda before: but(before, block=ALL))


@case("aws-s3-block-public-access", "half on")
def half_block(clients):
    s3, name = bucket(clients)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=HALF)
    return planted(s3, name, lambda before: but(before, block=ALL))


@case("aws-s3-account-block-public-access", "absent")
def no_account_block(clients, configuration=None):
    control = account_block(clients, configuration)

    def show():
        return {"block": ask(control.get_public_access_block, "PublicAccessBlockConfiguration",
                             AccountId=clients.account)}

    return Planted("AWS::S3::AccountPublicAccessBlock", None, show, lambda before: {"block": ALL}, region="")


@case("aws-s3-account-block-public-access", "half on")
def half_account_block(clients):
    return no_account_block(clients, HALF)


def policy(*statements):
    """With spaces, and members in an order that no writer of ours would choose."""
    return json.dumps({"Statement": list(statements), "Version": "2012-10-17", "Id": "kept"}, indent=1)


def statement(name, sid, principal, **more):
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{name}/*", **more}


def with_policy(clients, *made):
    account_block(clients, None)
    s3, name = bucket(clients)
    text = policy(*[make(name) for make in made])
    s3.put_bucket_policy(Bucket=name, Policy=text)
    return s3, name


def canonical(statements):
    return json.dumps({"Id": "kept", "Statement": statements, "Version": "2012-10-17"}, separators=(",", ":"),
                      sort_keys=True)


def keeping(*indexes):
    """After the fix these statements are left, of what was there."""

    def promised(before):
        statements = json.loads(before["policy"])["Statement"]
        return but(before, policy=canonical([statements[index] for index in indexes]))

    return promised


@case("aws-s3-remove-public-statements", "beside others")
def public_statement(clients):
    s3, name = with_policy(
        clients,
        lambda name: statement(name, "Ours", {"AWS": f"arn:aws:iam::{clients.account}:root"}),
        lambda name: statement(name, "All", "*"),
    )
    added = statement(name, "Theirs", {"AWS": STRANGER})

    def meddle():
        found = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({**found, "Statement": found["Statement"] + [added]}))

    def kept(before):
        return but(before, policy=canonical(json.loads(before["policy"])["Statement"] + [added]))

    return planted(s3, name, keeping(0), meddle=meddle, kept=kept)


@case("aws-s3-remove-public-statements", "alone")
def only_statement(clients):
    s3, name = with_policy(clients, lambda name: statement(name, "All", "*"))
    return planted(s3, name, lambda before: {**before, "policy": None})


@case("aws-s3-policy-only-us", "one of two")
def strangers(clients):
    own = f"arn:aws:iam::{clients.account}:root"
    s3, name = with_policy(clients, lambda name: statement(name, "Both", {"AWS": [own, STRANGER]}))

    def promised(before):
        statements = json.loads(before["policy"])["Statement"]
        left = at(statements, [0, "Principal", "AWS"], [own])
        return but(before, policy=canonical(left))

    return planted(s3, name, promised, lists={"our-accounts": [clients.account]})


@case("aws-s3-policy-only-us", "alone")
def only_strangers(clients):
    s3, name = with_policy(clients, lambda name: statement(name, "Theirs", {"AWS": STRANGER}))
    return planted(
        s3, name, lambda before: {**before, "policy": None}, lists={"our-accounts": [clients.account]}
    )


def tls(name):
    own = f"arn:aws:s3:::{name}"
    return {"Sid": "DenyWithoutTLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [own, own + "/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


@case("aws-s3-require-tls", "no policy")
def no_policy(clients):
    s3, name = bucket(clients)
    made = json.dumps({"Statement": [tls(name)], "Version": "2012-10-17"}, separators=(",", ":"), sort_keys=True)
    return planted(s3, name, lambda before: {**before, "policy": made})


@case("aws-s3-require-tls", "a policy")
def some_policy(clients):
    s3, name = with_policy(
        clients, lambda name: statement(name, "Ours", {"AWS": f"arn:aws:iam::{clients.account}:root"})
    )

    def promised(before):
        return but(before, policy=canonical(json.loads(before["policy"])["Statement"] + [tls(name)]))

    return planted(s3, name, promised)


@case("aws-s3-acl-private")
def public_acl(clients):
    account_block(clients, None)
    s3, name = bucket(clients)
    s3.put_bucket_acl(Bucket=name, ACL="public-read")

    def promised(before):
        return but(before, acl=[grant for grant in before["acl"] if "AllUsers" not in grant])

    return planted(s3, name, promised)


@case("aws-s3-encrypt-by-default")
def no_encryption(clients):
    s3, name = bucket(clients)
    s3.delete_bucket_encryption(Bucket=name)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    own = {"Rules": [rule]}
    return planted(s3, name, lambda before: but(before, encryption=own))
