"""Networks, machines and their disks."""

from drift.cases import Planted, but, case

WORLD = "0.0.0.0/0"


def ec2(clients):
    return clients.aws("ec2")


def network(clients):
    return ec2(clients).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def port(number, *ranges, v6=(), **more):
    return {
        "IpProtocol": "tcp",
        "FromPort": number,
        "ToPort": number,
        "IpRanges": [{"CidrIp": cidr} for cidr in ranges],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in v6],
        **more,
    }


def group_rules(client, group):
    """Without their ids, which a rule that is made again does not get back."""
    found = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    kept = ("IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "Description", "PrefixListId")
    rules = [
        {**{name: rule[name] for name in kept if name in rule},
         "group": (rule.get("ReferencedGroupInfo") or {}).get("GroupId", "")}
        for rule in found["SecurityGroupRules"]
    ]
    return {"rules": sorted(rules, key=str)}


@case("aws-sg-close-openings")
def open_group(clients):
    client = ec2(clients)
    group = client.create_security_group(
        GroupName=f"group-{clients.number()}", Description="made", VpcId=network(clients)
    )["GroupId"]
    office = {"CidrIp": "198.51.100.0/24", "Description": "office"}
    client.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[port(22, v6=["::/0"]), {**port(22), "IpRanges": [office, {"CidrIp": WORLD}]}, port(443, WORLD)],
    )

    def promised(before):
        return {
            "rules": [
                rule for rule in before["rules"]
                if rule["IsEgress"] or rule["FromPort"] != 22 or rule.get("CidrIpv4") == "198.51.100.0/24"
            ]
        }

    return Planted("AWS::EC2::SecurityGroup", group, lambda: group_rules(client, group), promised)


@case("aws-sg-empty-default")
def default_group(clients):
    client, vpc = ec2(clients), network(clients)
    groups = client.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    group = next(group["GroupId"] for group in groups if group["GroupName"] == "default")
    return Planted(
        "AWS::EC2::SecurityGroup", group, lambda: group_rules(client, group), lambda before: {"rules": []}
    )


@case("aws-nacl-close-openings")
def open_acl(clients):
    client, vpc = ec2(clients), network(clients)
    acl = client.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    client.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=100, Protocol="6", RuleAction="allow", Egress=False, CidrBlock=WORLD,
        PortRange={"From": 22, "To": 22})
    client.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=200, Protocol="6", RuleAction="allow", Egress=False, CidrBlock="198.51.100.0/24",
        PortRange={"From": 22, "To": 22})

    def show():
        entries = client.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
        return {"entries": sorted(entries, key=lambda entry: (entry["Egress"], entry["RuleNumber"]))}

    def promised(before):
        return {"entries": [entry for entry in before["entries"] if entry["Egress"] or entry["RuleNumber"] != 100]}

    return Planted("AWS::EC2::NetworkAcl", acl, show, promised)


@case("aws-ec2-require-imdsv2")
def old_metadata(clients):
    client = ec2(clients)
    image = client.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, MetadataOptions={"HttpTokens": "optional", "HttpEndpoint": "enabled"})
    name = made["Instances"][0]["InstanceId"]

    def show():
        found = client.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
        # moto forgets the options that a change does not name, which AWS keeps.
        return {"options": {name: found["MetadataOptions"][name] for name in ("HttpTokens", "State")}}

    return Planted(
        "AWS::EC2::Instance", name, show, lambda before: {"options": {**before["options"], "HttpTokens": "required"}}
    )


@case("aws-ebs-encrypt-by-default")
def plain_disks(clients):
    client = ec2(clients)
    client.disable_ebs_encryption_by_default()

    def show():
        return {"on": client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]}

    return Planted("AWS::EC2::EBSEncryptionByDefault", None, show, lambda before: {"on": True})


@case("aws-snapshot-not-public")
def shared_snapshot(clients):
    client = ec2(clients)
    volume = client.create_volume(AvailabilityZone="eu-west-1a", Size=8)["VolumeId"]
    name = client.create_snapshot(VolumeId=volume)["SnapshotId"]
    client.modify_snapshot_attribute(
        SnapshotId=name, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
    client.modify_snapshot_attribute(
        SnapshotId=name, Attribute="createVolumePermission", OperationType="add", UserIds=["999988887777"])

    def show():
        found = client.describe_snapshot_attribute(SnapshotId=name, Attribute="createVolumePermission")
        return {"shares": sorted(found["CreateVolumePermissions"], key=str)}

    def promised(before):
        return {"shares": [share for share in before["shares"] if share.get("Group") != "all"]}

    return Planted("AWS::EC2::Snapshot", name, show, promised)


@case("aws-vpc-flow-logs")
def no_flow_log(clients):
    client, vpc = ec2(clients), network(clients)
    clients.aws("s3").create_bucket(
        Bucket=f"flow-{vpc}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    log = client.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::flow-{vpc}", MaxAggregationInterval=600)["FlowLogIds"][0]

    def show():
        found = client.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
        kept = ("LogDestination", "LogDestinationType", "TrafficType", "MaxAggregationInterval")
        return {"logs": [{name: log[name] for name in kept} for log in found]}

    promised = {
        "logs": [{"LogDestination": f"arn:aws:s3:::flow-{vpc}", "LogDestinationType": "s3", "TrafficType": "ALL",
                  "MaxAggregationInterval": 600}]
    }
    return Planted(
        "AWS::EC2::VPC", vpc, show, lambda before: but(before, **promised),
        gone=("AWS::EC2::FlowLog", log, lambda: client.delete_flow_logs(FlowLogIds=[log])),
    )
