import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

/// What the catalog's reads make of answers that AWS itself once gave.
@Suite("Reads of recorded AWS answers", .enabled(if: ReadCatalog.data != nil))
struct RecordedReadsTests {
    /// What rules read and no recording holds, with the reason.
    static let notRecorded = [
        "AWS::EC2::SecurityGroup SecurityGroupEgress": "no recording of DescribeSecurityGroupRules",
        "AWS::EC2::SecurityGroup SecurityGroupIngress": "no recording of DescribeSecurityGroupRules",
        "AWS::GuardDuty::Detector Enable": "no recording of GetDetector",
        "AWS::IAM::AccountPasswordPolicy PasswordReusePrevention": "the recorded policy does not ask for it",
        "AWS::IAM::Group Policies[].PolicyDocument": "no recording of GetGroupPolicy",
        "AWS::IAM::User Policies": "no recording of ListUserPolicies",
        "AWS::IAM::User Policies[].PolicyDocument": "no recording of GetUserPolicy",
        "AWS::S3::Bucket VersioningConfiguration.MFADelete": "every recorded bucket left it as it was made, without",
    ]

    struct Reading {
        var session: String
        var type: String
        var resource: ResourceID
        var document: JSON
        /// A recorded list named it.
        var isListed: Bool
    }

    @Test("At least nine in ten paths that rules read are filled, and the others are known with their reasons")
    func coverage() throws {
        let catalog = try ReadCatalog.catalog.get()
        let wanted = try ReadCatalog.baseline.get().pathsRead(of: .aws, in: catalog)
        let readings = try Self.readings()
        let documents = Dictionary(grouping: readings, by: \.type)
        let missing = wanted.filter { wanted in
            !(documents[wanted.type] ?? []).contains { $0.document.has(wanted.path) }
        }
        let filled = wanted.count - missing.count
        print("\(filled) of \(wanted.count) paths that rules read are filled from \(readings.count) recorded resources")
        for path in missing { print("not filled: \(path): \(Self.notRecorded[path.description] ?? "?")") }
        #expect(missing.map(\.description) == Self.notRecorded.keys.sorted())
        #expect(filled * 10 >= wanted.count * 9)
    }

    @Test("What a listing serves is the resource that its id names")
    func identity() throws {
        let names = [
            "AWS::EC2::Instance": "InstanceId", "AWS::EC2::Volume": "VolumeId", "AWS::EC2::VPC": "VpcId",
            "AWS::EC2::Subnet": "SubnetId", "AWS::EC2::SecurityGroup": "GroupId", "AWS::EC2::Snapshot": "SnapshotId",
            "AWS::EC2::FlowLog": "Id", "AWS::EC2::NetworkInterface": "Id",
            "AWS::RDS::DBInstance": "DBInstanceIdentifier",
            "AWS::RDS::DBSnapshot": "DBSnapshotIdentifier",
        ]
        var checked: Set<String> = []
        for reading in try Self.readings() where reading.isListed {
            guard let property = names[reading.type], let name = reading.document[property]?.string else { continue }
            #expect(reading.resource.id.hasSuffix(name), "\(reading.session): \(reading.resource.id) reads \(name)")
            checked.insert(reading.type)
        }
        #expect(checked == Set(names.keys))
    }

    // MARK: Replaying

    static func readings() throws -> [Reading] {
        let data = try #require(ReadCatalog.data)
        let catalog = try ReadCatalog.catalog.get()
        let calls = catalog.callNames + [AWSRecording.accountDetails]
        var sessions = try AWSRecording.placebo(data.appending(path: "c7n-aws-placebo/tests"), calls: calls)
        sessions.append(
            try AWSRecording.cloudMapper(
                data.appending(path: "aws-describe-cloudmapper/account-data/demo/us-east-1"), calls: calls))
        let types = try ReadCatalog.types(of: .aws)
        return sessions.flatMap { session in types.flatMap { readings(of: $0, in: session, catalog: catalog) } }
    }

    private static func readings(
        of type: ResourceType, in session: AWSRecording, catalog: Catalog
    ) -> [Reading] {
        let context = ResourceContext(cloud: .aws, account: "644160558196", region: "us-east-1")
        guard type.read.contains(where: { !session.answers(to: $0.call).isEmpty }) else { return [] }
        var found: [(resource: ResourceID, context: ResourceContext, element: JSON)] = []
        if let list = type.list {
            for answer in session.answers(to: list.call) {
                let listed = list.resources(in: answer.body, of: type, at: context).found
                found += listed.map { ($0.resource, $0.context, $0.element) }
            }
        }
        let named = session.answers(to: type.read[0].call).compactMap(\.asked)
        found += named.compactMap { name in
            catalog.resource(type: type.name, named: name, in: context).map { ($0, context, .null) }
        }
        if found.isEmpty {
            let resource = type.single(in: context) ?? ResourceID(type: type.name, id: type.example)
            found = [(resource, context, .null)]
        }
        var replay = AWSReplay(session)
        return found.compactMap { resource, context, element in
            guard var run = ReadRun(resource, of: type, at: context) else { return nil }
            if !element.isNull { run.serve(element) }
            run.finish { replay.answer($0) }
            return Reading(
                session: session.name, type: type.name, resource: resource, document: run.configuration,
                isListed: !element.isNull)
        }
    }
}
