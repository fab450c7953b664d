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
    added = {**everybody, "Sid": "Theirs", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}}

    def meddle():
        found = json.loads(client.get_key_policy(KeyId=name, PolicyName="default")["Policy"])
        text = json.dumps({**found, "Statement": [added] + found["Statement"]})
        client.put_key_policy(KeyId=name, PolicyName="default", Policy=text)

    def kept(before):
        # What was second goes back to the second place.
        whole = {"Statement": [added, everybody, own], "Version": "2012-10-17"}
        return {**before, "policy": json.dumps(whole, separators=(",", ":"), sort_keys=True)}

    return Planted(
        "AWS::KMS::Key", name, show, lambda before: {**before, "policy": left}, meddle=meddle, kept=kept)


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


@case("aws-rds-snapshot-not-public")
def shared_database(clients):
    name, _ = database(clients)
    client, snapshot = clients.aws("rds"), f"snapshot-{name}"
    client.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=name)
    client.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=snapshot, AttributeName="restore", ValuesToAdd=["all", "999988887777"])

    def show():
        found = client.describe_db_snapshot_attributes(DBSnapshotIdentifier=snapshot)["DBSnapshotAttributesResult"]
        return {"shares": sorted(value for part in found["DBSnapshotAttributes"] for value in part["AttributeValues"])}

    return Planted("AWS::RDS::DBSnapshot", snapshot, show, lambda before: {"shares": ["999988887777"]})


@case("aws-config-start-recorder")
def stopped_recorder(clients):
    client = clients.aws("config")
    role = f"arn:aws:iam::{clients.account}:role/config"
    recorder = {"name": "default", "roleARN": role, "recordingGroup": {"allSupported": True}}
    client.put_configuration_recorder(ConfigurationRecorder=recorder)
    clients.aws("s3").create_bucket(
        Bucket=f"config-{clients.number()}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    if not client.describe_delivery_channels()["DeliveryChannels"]:
        client.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config"})
    client.start_configuration_recorder(ConfigurationRecorderName="default")
    client.stop_configuration_recorder(ConfigurationRecorderName="default")

    def show():
        return {"recording": client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]["recording"]}

    return Planted(
        "AWS::Config::ConfigurationRecorder", "default", show, lambda before: {"recording": True})


@case("aws-guardduty-switch-on")
def blind_detector(clients):
    client = clients.aws("guardduty")
    found = client.list_detectors()["DetectorIds"]
    name = found[0] if found else client.create_detector(Enable=True)["DetectorId"]
    client.update_detector(DetectorId=name, Enable=False)

    def show():
        found = client.get_detector(DetectorId=name)
        return {"status": found["Status"], "frequency": found.get("FindingPublishingFrequency")}

    return Planted("AWS::GuardDuty::Detector", name, show, lambda before: {**before, "status": "ENABLED"})


@case("aws-secret-remove-public-statements")
def open_secret(clients):
    client, name = clients.aws("secretsmanager"), f"secret-{clients.number()}"
    arn = client.create_secret(Name=name, SecretString="never")["ARN"]
    own = {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{clients.account}:root"},
           "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    everybody = {**own, "Sid": "All", "Principal": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [own, everybody]}, indent=1)
    client.put_resource_policy(SecretId=arn, ResourcePolicy=text)

    def show():
        return {"policy": json.loads(client.get_resource_policy(SecretId=arn)["ResourcePolicy"])}

    def promised(before):
        return {"policy": {**before["policy"], "Statement": before["policy"]["Statement"][:1]}}

    return Planted("AWS::SecretsManager::Secret", arn, show, promised)


@case("aws-rds-protect-from-deletion")
def unprotected_database(clients):
    name, show = database(clients, DeletionProtection=False)
    return Planted("AWS::RDS::DBInstance", name, show, lambda before: {**before, "protected": True})
