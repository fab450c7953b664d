import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

private let testData = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"].map { URL(filePath: $0) }

/// Recorded states that others wrote, some with their own verdict.
@Suite("Facets of recorded states", .enabled(if: testData != nil, "HOLDFAST_TEST_DATA is not set"))
struct FacetRealStatesTests {
    private func file(_ path: String) throws -> URL { try #require(testData).appending(path: path) }

    private func json(_ url: URL) throws -> JSON { try JSON.parse(Array(try Data(contentsOf: url))) }

    private func recorded(_ folder: String, named part: String) throws -> [JSON] {
        let files = try #require(FileManager.default.enumerator(at: file(folder), includingPropertiesForKeys: nil))
        let urls = files.compactMap { $0 as? URL }.filter { $0.pathExtension == "json" && $0.path.contains(part) }
        return try urls.sorted { $0.path < $1.path }.map(json)
    }

    /// Every map in here of which the test holds.
    private func maps(in json: JSON, where test: (JSONObject) -> Bool) -> [JSON] {
        switch json {
        case .object(let object):
            if test(object) { return [json] }
            return object.members.flatMap { maps(in: $0.value, where: test) }
        case .array(let elements): return elements.flatMap { maps(in: $0, where: test) }
        default: return []
        }
    }

    // MARK: Verdicts of others

    /// rule -> our reading of the state: `true` where it is as that rule wants it.
    private static let oracles: [String: @Sendable (JSON) throws -> Bool] = [
        "AWS.NetworkACL.RestrictedSSH": { state in
            let items = try parts(of: Facet.openings.value(of: StateValue(known: state), type: "AWS::EC2::NetworkAcl"))
            return try !items.items.contains { item in
                let texts = item.value[PropertyPath(names: "from")].json.array?.compactMap(\.string) ?? []
                return try PortSet(item.value[PropertyPath(names: "ports")].json).contains(22)
                    && Peers(texts: texts).addresses.coversInternet
            }
        },
        "AWS.KMS.RestrictsUsage": { try !isPublic($0, "AWS::KMS::Key", "Policy") },
        "AWS.Lambda.PublicAccess": { try !isPublic($0, "AWS::Lambda::Function", "Policy.Policy") },
        "AWS.S3.Bucket.PrincipalRestrictions": { try !isPublic($0, "AWS::S3::Bucket", "Policy") },
        "AWS.IAM.Role.RestrictsUsage": { try !isPublic($0, "AWS::IAM::Role", "AssumeRolePolicyDocument") },
        "AWS.IAM.Policy.AdministrativePrivileges": { state in
            let grants = try grants(state, "AWS::IAM::ManagedPolicy", "PolicyDocument")
            return !grants.contains { grant in
                ["action", "resource"].allSatisfy { name in
                    grant.value[PropertyPath(names: name)].json.array?.contains("*") == true
                }
            }
        },
        "AWS.S3.Bucket.PublicWrite": { state in
            let bucket: JSON = ["Acl": ["Grants": state["Grants"] ?? .null, "Owner": state["Owner"] ?? .null]]
            return try !grants(bucket, "AWS::S3::Bucket", "Acl").contains { grant in
                let principal = grant.value[PropertyPath(names: "principal")].json
                let action = grant.value[PropertyPath(names: "action")].json.array?.first
                return (principal == "*" || principal == "authenticated")
                    && (action == "acl:WRITE" || action == "acl:WRITE_ACP" || action == "acl:FULL_CONTROL")
            }
        },
    ]

    private static func grants(_ state: JSON, _ type: String, _ path: String) throws -> [FacetItem] {
        let path = try #require(PropertyPath(path))
        let (items, open) = try parts(of: Facet.grants.value(of: StateValue(known: state), type: type, path: path))
        #expect(open == nil)
        return items
    }

    private static func isPublic(_ state: JSON, _ type: String, _ path: String) throws -> Bool {
        try grants(state, type, path).contains { $0.value[PropertyPath(names: "principal")].json == "*" }
    }

    @Test("Recorded states of AWS get the verdicts that others gave them")
    func verdicts() throws {
        let text = try String(contentsOf: file("panther-rules/tests-policies.dev.jsonl"), encoding: .utf8)
        var compared = 0
        for line in text.split(separator: "\n") {
            let test = try JSON.parse(String(line))
            guard let rule = test["rule"]?.string, let oracle = Self.oracles[rule], let state = test["event"] else {
                continue
            }
            #expect(try oracle(state) == test["expected"]?.bool, "\(rule): \(test["test"]?.string ?? "")")
            compared += 1
        }
        #expect(compared > 25)
    }

    // MARK: Recorded answers of clouds

    @Test("Recorded network security groups open to the internet what a walk over their priorities lets in")
    func networkSecurityGroups() throws {
        let answers = try recorded("c7n-azure-cassettes", named: "NetworkSecurityGroup")
        let groups = answers.flatMap { maps(in: $0) { JSON.object($0)["properties"]?["securityRules"]?.array != nil } }
        #expect(groups.count > 20)
        for group in groups {
            let value = Facet.openings.value(
                of: StateValue(known: group), type: "Microsoft.Network/networkSecurityGroups")
            let (items, open) = try parts(of: value)
            #expect(open == nil)
            #expect(items.allSatisfy { $0.value.unknownReason == nil })
            #expect(items.allSatisfy { $0.source.actual["properties"]?["access"] == "Allow" })
            for port in [21, 22, 80, 85, 88, 443, 3389, 8080, 8085, 8086] {
                let says = items.contains { item in
                    let texts = item.value[PropertyPath(names: "from")].json.array?.compactMap(\.string) ?? []
                    let name = item.value[PropertyPath(names: "protocol")].json
                    return (name == "any" || name == "tcp") && Peers(texts: texts).addresses.coversInternet
                        && (try? PortSet(item.value[PropertyPath(names: "ports")].json).contains(UInt16(port))) == true
                }
                #expect(says == letsIn(group, port), "\(group["name"]?.string ?? "") \(port)")
            }
        }
    }

    /// Whether a TCP packet from anywhere to the port comes in.
    private func letsIn(_ group: JSON, _ port: Int) -> Bool {
        var rules: [JSON] = []
        for list in ["securityRules", "defaultSecurityRules"] {
            rules += (group["properties"]?[list]?.array ?? []).compactMap { $0["properties"] }
        }
        let deciding = rules.filter { rule in
            let from = rule["sourceAddressPrefix"]?.string ?? ""
            let name = rule["protocol"]?.string?.lowercased() ?? ""
            guard rule["direction"] == "Inbound", ["*", "tcp"].contains(name) else { return false }
            return ["*", "Internet", "0.0.0.0/0"].contains(from) && ports(of: rule).contains { $0.contains(port) }
        }
        let first = deciding.min { ($0["priority"]?.int ?? 0) < ($1["priority"]?.int ?? 0) }
        return first?["access"] == "Allow"
    }

    private func ports(of rule: JSON) -> [ClosedRange<Int>] {
        var texts = rule["destinationPortRanges"]?.array?.compactMap(\.string) ?? []
        if let one = rule["destinationPortRange"]?.string { texts.append(one) }
        return texts.map { text in
            let ends = text.split(separator: "-").compactMap { Int($0) }
            return (ends.first ?? 0)...(ends.last ?? 65535)
        }
    }

    @Test("Recorded firewalls are known in full, and open to their ranges only")
    func firewalls() throws {
        let answers = try recorded("c7n-gcp-flights", named: "flights/firewall-")
        let firewalls = answers.flatMap { maps(in: $0) { $0["allowed"] != nil && $0["sourceRanges"] != nil } }
        #expect(!firewalls.isEmpty)
        for firewall in firewalls {
            let value = Facet.openings.value(of: StateValue(known: firewall), type: "compute.googleapis.com/Firewall")
            let (items, open) = try parts(of: value)
            #expect(open == nil && !items.isEmpty)
            let ranges = try IPSet(#require(firewall["sourceRanges"]))
            for item in items {
                #expect(item.value.unknownReason == nil)
                let texts = item.value[PropertyPath(names: "from")].json.array?.compactMap(\.string) ?? []
                #expect(Peers(texts: texts).addresses == ranges)
            }
        }
    }

    @Test("Recorded bindings and policies are read in full")
    func policies() throws {
        let answers = try recorded("c7n-gcp-flights", named: "IamPolicy")
        let bindings = answers.flatMap { maps(in: $0) { $0["bindings"]?.array != nil } }
        #expect(!bindings.isEmpty)
        for policy in bindings {
            let value = Facet.grants.value(
                of: StateValue(known: policy), type: "cloudresourcemanager.googleapis.com/Project")
            let (items, open) = try parts(of: value)
            #expect(open == nil && items.allSatisfy { $0.value.unknownReason == nil })
            let members = policy["bindings"]?.array?.flatMap { $0["members"]?.array ?? [] } ?? []
            #expect(items.count == members.filter { $0.string?.hasPrefix("deleted:") == false }.count)
        }
        let policies = try recorded("c7n-aws-placebo", named: "GetBucketPolicy_").flatMap {
            maps(in: $0) { $0["Policy"]?.string != nil }
        }
        #expect(!policies.isEmpty)
        for answer in policies {
            let path = PropertyPath(names: "Policy")
            let value = Facet.grants.value(of: StateValue(known: answer), type: "AWS::S3::Bucket", path: path)
            let (items, open) = try parts(of: value)
            #expect(open == nil && items.allSatisfy { $0.value.unknownReason == nil })
        }
    }
}
