import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

/// The shipped catalog and baseline.
enum Shipped {
    static let data: DataSet = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        func folder(_ name: String) -> [String] { [root.appending(path: name).path] }
        return DataSet(
            DataFolders(catalog: folder("catalog"), baseline: folder("baseline"), playbooks: folder("playbooks")),
            configuration: Configuration(folder: root.path), now: Timestamp(seconds: 1_767_225_600))
    }()
    static var catalog: Catalog { data.catalog }
}

/// What a cloud once answered to somebody, from the folder that HOLDFAST_TEST_DATA names: one session of theirs.
struct RecordedSession {
    var name: String
    var cloud: Cloud
    /// Successful answers by request: `GET path`, in lower case where the cloud's ids are.
    var answers: [String: [JSON]]
    /// Resources that an inventory shows, in no answer of their own API.
    var assets: [Asset] = []

    struct Asset {
        /// `compute.googleapis.com/Firewall`
        var type: String
        var data: JSON
    }

    static let folder = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"].map { URL(filePath: $0) }

    /// What was answered to this request: to the same path, whatever the version of the API and the query.
    func answers(to call: CloudCall, _ parameters: JSONObject) -> [JSON] {
        guard let path = call.recordedPath(parameters) else { return [] }
        return answers[RecordedSession.key(path, cloud)] ?? []
    }

    static func key(_ path: String, _ cloud: Cloud) -> String {
        guard cloud == .gcp else { return path.lowercased() }
        // These recordings are named by the path, with one mark for every separator.
        return path.replacing("/sql/v1beta4/", with: "/v1/").replacing("/", with: "-").replacing(":", with: "-")
    }
}

extension CloudCall {
    /// `GET /subscriptions/…`, without host and query; `nil` where a variable has no value.
    func recordedPath(_ parameters: JSONObject) -> String? {
        let parts = request.split(separator: " ")
        guard parts.count == 2, let form = IDTemplate(String(parts[1].prefix { $0 != "?" })),
            let filled = form.filled({ parameters[$0]?.scalarText }), let url = URL(string: filled)
        else { return nil }
        return "\(parts[0]) \(url.path(percentEncoded: false))"
    }
}

extension RecordedSession {
    /// VCR's cassettes of calls to Azure Resource Manager.
    static func azure() throws -> [RecordedSession] {
        try files(below: "c7n-azure-cassettes/tools/c7n_azure/tests_azure/cassettes").map { url in
            var session = RecordedSession(name: url.lastPathComponent, cloud: .azure, answers: [:])
            for interaction in try json(url)["interactions"]?.array ?? [] {
                guard let method = interaction["request"]?["method"]?.string,
                    let uri = interaction["request"]?["uri"]?.string.flatMap({ URL(string: $0) }),
                    interaction["response"]?["status"]?["code"] == .number(JSONNumber(200)),
                    let body = interaction["response"]?["body"]?["data"]
                else { continue }
                let path = uri.path(percentEncoded: false).replacing("//", with: "/")
                session.answers[key("\(method) \(path)", .azure), default: []].append(body)
                session.takeRules(of: path, body)
            }
            return session
        }
    }

    /// Azure's database servers all show firewall rules alike, and only those of PostgreSQL were recorded: an SQL
    /// server of which nothing else is known gets these.
    private mutating func takeRules(of path: String, _ body: JSON) {
        let path = path.lowercased().replacing("/microsoft.dbforpostgresql/", with: "/microsoft.sql/")
        guard path.hasSuffix("/firewallrules"), path.contains("/microsoft.sql/") else { return }
        answers["get \(path)", default: []].append(body)
        answers["get \(path.dropLast("/firewallrules".count))"] = [[:]]
    }

    /// One folder for each session with Google's APIs, one file for each answer: `get-storage-v1-b-NAME-iam_1.json`.
    static func google() throws -> [RecordedSession] {
        var sessions: [String: RecordedSession] = [:]
        for url in try files(below: "c7n-gcp-flights/tools/c7n_gcp/tests/data/flights") {
            let recorded = try json(url)
            guard let body = recorded["body"], recorded["headers"]?["status"]?.scalarText == "200" else { continue }
            let name = url.deletingLastPathComponent().lastPathComponent
            let file = url.lastPathComponent
            guard let mark = file.firstIndex(of: "-"), let end = file.lastIndex(of: "_") else { continue }
            let path = file[mark..<end].replacing("-sql-v1beta4-", with: "-v1-")
            let request = "\(file[..<mark].uppercased()) \(path)"
            sessions[name, default: RecordedSession(name: name, cloud: .gcp, answers: [:])]
                .answers[request, default: []].append(body)
        }
        return sessions.values.sorted { $0.name < $1.name }
    }

    /// Google's inventory shows resources as their own APIs do, `{"asset_type", "resource": {"data"}}`: one session
    /// of what two public collections of such exports have.
    static func googleAssets() throws -> RecordedSession {
        var session = RecordedSession(name: "assets", cloud: .gcp, answers: [:])
        for folder in ["gcp-policy-library/validator/test/fixtures", "tfplan-gcp-terraform-validator/testdata"] {
            for url in try files(below: folder) { session.takeAssets(in: (try? json(url)) ?? .null) }
        }
        return session
    }

    private mutating func takeAssets(in value: JSON) {
        for element in value.array ?? [] { takeAssets(in: element) }
        guard let type = value["asset_type"]?.string else { return }
        if let data = value["resource"]?["data"] { assets.append(Asset(type: type, data: data)) }
        guard let policy = value["iam_policy"], let name = value["name"]?.string,
            type == "cloudresourcemanager.googleapis.com/Project"
        else { return }
        answers["POST -v1-projects-\(name.split(separator: "/").last ?? "")-getIamPolicy", default: []]
            .append(policy.inCamelCase)
    }

    private static func files(below path: String) throws -> [URL] {
        guard let folder else { return [] }
        let root = folder.appending(path: path)
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return names.sorted().filter { $0.hasSuffix(".json") }.map { root.appending(path: $0) }
    }

    private static func json(_ url: URL) throws -> JSON { try JSON.parse([UInt8](Data(contentsOf: url))) }
}

extension JSON {
    /// The inventory writes policies with `exempted_members`, their own API with `exemptedMembers`.
    fileprivate var inCamelCase: JSON {
        if let elements = array { return .array(elements.map(\.inCamelCase)) }
        guard let object else { return self }
        return .object(
            JSONObject(
                object.members.map { member in
                    let words = member.name.split(separator: "_")
                    let name = words.prefix(1).map(String.init) + words.dropFirst().map(\.capitalized)
                    return (name.joined(), member.value.inCamelCase)
                }))
    }
}
