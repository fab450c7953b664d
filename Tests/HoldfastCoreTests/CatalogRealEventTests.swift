import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

/// Real audit events, from the folder that HOLDFAST_TEST_DATA names.
private enum RealEvents {
    static let folder = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"].map { URL(filePath: $0) }

    /// CloudTrail's records in a file: however they are wrapped, and one to a line or all in one document.
    static func cloudTrail(_ path: String) throws -> [ChangeEvent] {
        let url = try #require(folder).appending(path: path)
        let bytes = [UInt8](try Data(contentsOf: url))
        if let whole = try? JSON.parse(bytes) { return records(in: whole).map(event) }
        return bytes.split(separator: UInt8(ascii: "\n")).flatMap { line in
            (try? JSON.parse(Array(line))).map { records(in: $0).map(event) } ?? []
        }
    }

    static func files(under path: String) throws -> [String] {
        let root = try #require(folder).appending(path: path)
        let found = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".json") || $0.hasSuffix(".jsonl") }.sorted().map { "\(path)/\($0)" }
    }

    private static func records(in json: JSON) -> [JSON] {
        switch json {
        case .array(let elements): return elements.flatMap(records)
        case .object(let object):
            if object["eventName"] != nil, object["eventSource"] != nil { return [json] }
            return object.members.flatMap { records(in: $0.value) }
        case .string(let text):
            guard text.hasPrefix("{"), let inner = try? JSON.parse(text) else { return [] }
            return records(in: inner)
        default: return []
        }
    }

    private static func event(_ body: JSON) -> ChangeEvent {
        let code = body["errorCode"]?.string
        return ChangeEvent(
            id: body["eventID"]?.string ?? "", cloud: .aws, time: Timestamp(seconds: 0),
            account: body["recipientAccountId"]?.scalarText ?? body["userIdentity"]?["accountId"]?.scalarText ?? "",
            region: body["awsRegion"]?.string ?? "", actor: Principal(name: ""), sourceIP: "",
            action: "\(body["eventSource"]?.string ?? "")/\(body["eventName"]?.string ?? "")",
            outcome: code.map { .failure($0) } ?? .success, readOnly: body["readOnly"] == .bool(true), via: .unknown,
            userAgent: "", body: body)
    }
}

@Suite("The catalog on real events", .enabled(if: RealEvents.folder != nil))
struct CatalogRealEventTests {
    let catalog = ShippedCatalog.loaded.catalog

    /// The other tool's class of a resource -> our type.
    static let types = [
        "vms": "AWS::EC2::Instance", "?": "AWS::EC2::Instance", "security_groups": "AWS::EC2::SecurityGroup",
        "cloud_networks": "AWS::EC2::VPC",
    ]

    @Test("What another tool found affected by CloudTrail events is affected here too")
    func oracle() throws {
        let folder = "aws-eventbridge-manageiq"
        let files = try RealEvents.files(under: folder)
        let oracle = try #require(RealEvents.folder).appending(path: "\(folder)/ORACLE-targets.dev.jsonl")
        var expected = 0
        var missed: [String] = []
        for line in try String(contentsOf: oracle, encoding: .utf8).split(separator: "\n") {
            let row = try JSON.parse(String(line))
            let name = row["file"]?.string ?? ""
            guard name.hasPrefix("cloud_watch/AWS_API_CALL_") else { continue }
            let path = try #require(files.first { $0.hasSuffix(name) })
            let found = Set(
                try RealEvents.cloudTrail(path).flatMap { catalog.changes(for: $0).changes.map(\.resource) })
            for target in row["targets"]?.array ?? [] {
                guard let type = target.array?[0].string.flatMap({ Self.types[$0] }), let id = target.array?[1].string
                else { continue }
                expected += 1
                if !found.contains(where: { $0.type == type && $0.id.hasSuffix("/\(id)") }) {
                    missed.append("\(name): \(type) \(id)")
                }
            }
        }
        #expect(expected == 17)
        #expect(missed.isEmpty, "\(missed.joined(separator: "\n"))")
    }

    @Test("A stopped trail and a backdoor role are reported with what makes them so")
    func stratus() throws {
        let logs = "aws-cloudtrail-stratus/docs/detonation-logs"
        let trail = try RealEvents.cloudTrail("\(logs)/aws.defense-evasion.cloudtrail-stop.json")
            .flatMap { catalog.changes(for: $0).changes }.filter { $0.resource.type == "AWS::CloudTrail::Trail" }
        #expect(trail.contains { $0.changes == [.set(PropertyPath(names: "IsLogging"), false)] })

        let role = try RealEvents.cloudTrail("\(logs)/aws.persistence.iam-create-backdoor-role.json")
            .flatMap { catalog.changes(for: $0).changes }.filter { $0.resource.type == "AWS::IAM::Role" }
        #expect(Set(role.map(\.resource)).count == 1)
        let document = role.lazy.flatMap(\.changes).compactMap { change -> JSON? in
            guard case .set(PropertyPath(names: "AssumeRolePolicyDocument"), let value) = change else { return nil }
            return value["Statement"]
        }.first
        #expect(document?.array?.isEmpty == false)
        let attached = PropertyPath(names: "ManagedPolicyArns")
        #expect(role.flatMap(\.changes).contains { if case .put(attached, _, _) = $0 { true } else { false } })
    }

    @Test(
        "Of every known write that went well the resource is known",
        arguments: [
            "aws-cloudtrail-cribl", "aws-cloudtrail-invictus", "aws-cloudtrail-stratus", "aws-eventbridge-manageiq",
            "c7n-aws-events", "plaso-3cloud-jsonl",
        ])
    func resolved(folder: String) throws {
        var known = 0
        for file in try RealEvents.files(under: folder) {
            for event in try RealEvents.cloudTrail(file) where !event.readOnly && event.outcome.isSuccess {
                guard case .known(let changes, let unresolved) = catalog.changes(for: event) else { continue }
                known += 1
                #expect(unresolved.isEmpty, "\(file): \(event.action): \(unresolved)")
                #expect(!changes.isEmpty, "\(file): \(event.action) names nothing")
            }
        }
        #expect(known > 0)
    }
}
