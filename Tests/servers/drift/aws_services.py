"""Keys, databases and trails."""

import json

from drift.cases import Planted, but, case


def key(clients):
    client = clients.aws("kms")
    name = client.create_key(Description="made")["KeyMetadata"]["KeyId"]

    def show():
        found = client.describe_key(KeyId=name)["KeyMetadata"]
        usable = found["KeyState"] in ("Enabled", "Disabled")
        return {
            "state": found["KeyState"],
            "policy": client.get_key_policy(KeyId=name, PolicyName="default")["Policy"],
            "rotates": usable and client.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"],
        }

    return client, name, show


@case("aws-kms-keep-key", "deleting")
def dying_key(clients):
    client, name, show = key(clients)
    client.schedule_key_deletion(KeyId=name, PendingWindowInDays=7)
    return Planted("AWS::KMS::Key", name, show, lambda before: {**before, "state": "Enabled"})


@case("aws-kms-keep-key", "disabled")
def sleeping_key(clients):
    client, name, show = key(clients)
    client.disable_key(KeyId=name)
    return Planted("AWS::KMS::Key", name, show, lambda before: {**before, "state": "Enabled"})


@case("aws-kms-rotate")
def old_key(clients):
    _, name, show = key(clients)
    return Planted("AWS::KMS::Key", name, show, lambda before: {**before, "rotates": True})


@case("aws-kms-remove-public-statements")
def open_key(clients):
    client, name, show = key(clients)
    own = {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{clients.account}:root"},
           "Action": "kms:*", "Resource": "*"}
    everybody = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [own, everybody]}, indent=1)
    client.put_key_policy(KeyId=name, PolicyName="default", Policy=text)
    left = json.dumps({"Statement": [own], "Version": "2012-10-17"}, separators=(",", ":"), sort_keys=True)
    return Planted("AWS::KMS::Key", name, show, lambda before: {**before, "policy": left})


def database(clients, **settings):
    client, name = clients.aws("rds"), f"db-{clients.number()}"
    client.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="root", MasterUserPassword="a-password-1", **settings)

    def show():
        found = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return {"public": found.get("PubliclyAccessible"), "upgrades": found["AutoMinorVersionUpgrade"],
                "backups": found["BackupRetentionPeriod"], "protected": found["DeletionProtection"]}

    return name, show


@case("aws-rds-not-public")
def public_database(clients):
    name, show = database(clients, PubliclyAccessible=True)
    return Planted("AWS::RDS::DBInstance", name, show, lambda before: {**before, "public": False})


@case("aws-rds-minor-upgrades")
def old_database(clients):
    name, show = database(clients, AutoMinorVersionUpgrade=False)
    return Planted("AWS::RDS::DBInstance", name, show, lambda before: {**before, "upgrades": True})


def trail(clients, **settings):
    client, name = clients.aws("cloudtrail"), f"trail-{clients.number()}"
    clients.aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.create_trail(Name=name, S3BucketName=name, **settings)
    client.start_logging(Name=name)

    def show():
        found = client.get_trail(Name=name)["Trail"]
        return {"trail": found, "logs": client.get_trail_status(Name=name)["IsLogging"]}

    return client, name, show


def trail_with(**changes):
    return lambda before: {**before, "trail": but(before["trail"], **changes)}


@case("aws-trail-start-logging")
def stopped_trail(clients):
    client, name, show = trail(clients)
    client.stop_logging(Name=name)
    return Planted("AWS::CloudTrail::Trail", name, show, lambda before: {**before, "logs": True})


@case("aws-trail-all-regions")
def narrow_trail(clients):
    _, name, show = trail(clients, IncludeGlobalServiceEvents=False)
    promised = trail_with(IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True)
    return Planted("AWS::CloudTrail::Trail", name, show, promised)


@case("aws-trail-global-services")
def local_trail(clients):
    _, name, show = trail(clients, IncludeGlobalServiceEvents=False)
    return Planted("AWS::CloudTrail::Trail", name, show, trail_with(IncludeGlobalServiceEvents=True))


@case("aws-trail-sign-files")
def unsigned_trail(clients):
    _, name, show = trail(clients)
    return Planted("AWS::CloudTrail::Trail", name, show, trail_with(LogFileValidationEnabled=True))
