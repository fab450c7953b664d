import Foundation
import HoldfastCore
import HoldfastJSON

/// Answers of AWS as others recorded them, of one session.
struct AWSRecording {
    struct Answer {
        var status: Int
        var body: JSON
        /// What was asked for, where the recording says so.
        var asked: String?
    }
    var name: String
    /// By the call's name; in the order in which they came.
    var answers: [String: [Answer]]

    /// Calls that nobody recorded, whose answers have the structure that a recorded call's have.
    private static let same: [String: (recorded: String, answers: @Sendable (JSON) -> [JSON])] = [
        "cloudtrail.GetTrail": (
            "cloudtrail.DescribeTrails",
            { answer in (answer["trailList"]?.array ?? []).map { .object(JSONObject([("Trail", $0)])) } }
        ),
        "s3control.GetPublicAccessBlock": ("s3.GetPublicAccessBlock", { [$0] }),
        "iam.ListRolePolicies": (
            accountDetails,
            { answer in
                (answer["RoleDetailList"]?.array ?? []).map { role in
                    let names = (role["RolePolicyList"]?.array ?? []).compactMap { $0["PolicyName"] }
                    return ["RoleName": role["RoleName"] ?? .null, "PolicyNames": .array(names)]
                }
            }
        ),
        "iam.GetRolePolicy": (
            accountDetails,
            { answer in
                (answer["RoleDetailList"]?.array ?? []).flatMap { role in
                    (role["RolePolicyList"]?.array ?? []).compactMap { policy in
                        policy.object.map { policy in
                            .object(
                                JSONObject(
                                    policy.members.map { ($0.name, $0.value) } + [("Role", role["RoleName"] ?? .null)]))
                        }
                    }
                }
            }
        ),
    ]
    static let accountDetails = "iam.GetAccountAuthorizationDetails"

    func answers(to call: String) -> [Answer] {
        if let found = answers[call] { return found }
        guard let same = AWSRecording.same[call] else { return [] }
        return (answers[same.recorded] ?? []).flatMap { answer in
            same.answers(answer.body).map { Answer(status: answer.status, body: $0, asked: nil) }
        }
    }
}

extension AWSRecording.Answer {
    var outcome: ReadRun.Outcome {
        if status < 300, body["Error"] == nil { return .answer(body) }
        return .refused(code: body["Error"]?["Code"]?.string ?? "\(status)")
    }

    /// A scalar in the answer, however deep, is this text.
    func says(_ text: String) -> Bool { asked == text || AWSRecording.Answer.says(text, in: body) }

    private static func says(_ text: String, in value: JSON) -> Bool {
        switch value {
        case .string(let own): own == text
        case .array(let elements): elements.contains { says(text, in: $0) }
        case .object(let object): object.members.contains { says(text, in: $0.value) }
        case .null, .bool, .number: false
        }
    }
}

/// Gives recorded answers to a reading's requests: the one that names what is asked for, else the next in order.
struct AWSReplay {
    let session: AWSRecording
    private var used: [String: Int] = [:]

    init(_ session: AWSRecording) { self.session = session }

    mutating func answer(_ request: CallRequest) -> ReadRun.Outcome {
        let answers = session.answers(to: request.call)
        let number = used[request.call, default: 0]
        used[request.call] = number + 1
        let texts = request.parameters.members.compactMap(\.value.string)
        if let named = answers.first(where: { answer in texts.contains { answer.says($0) } }) { return named.outcome }
        guard let answer = answers.dropFirst(number).first, answer.asked == nil else {
            return .failed(ReadFailure(code: "not-recorded", message: "nobody recorded it", isDenied: false))
        }
        return answer.outcome
    }
}

// MARK: Where recordings lie

extension AWSRecording {
    /// Folders of `iam.GetRole_1.json` with `{"status_code": 200, "data": {}}`.
    static func placebo(_ root: URL, calls: [String]) throws -> [AWSRecording] {
        let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        let folders = Dictionary(grouping: files.filter { $0.hasSuffix(".json") }) { path in
            path.split(separator: "/").dropLast().joined(separator: "/")
        }
        let known = Dictionary(uniqueKeysWithValues: calls.map { ($0.lowercased(), $0) })
        return try folders.sorted { $0.key < $1.key }.compactMap { folder, paths in
            var answers: [String: [(number: Int, answer: Answer)]] = [:]
            for path in paths {
                guard let (call, number) = callAndNumber(path), let name = known[call] else { continue }
                let file = try JSON.parse([UInt8](Data(contentsOf: root.appending(path: path))))
                let answer = Answer(
                    status: file["status_code"]?.int ?? 200, body: (file["data"] ?? .null).withPlainTimes, asked: nil)
                answers[name, default: []].append((number, answer))
            }
            if answers.isEmpty { return nil }
            return AWSRecording(
                name: folder, answers: answers.mapValues { $0.sorted { $0.number < $1.number }.map(\.answer) })
        }
    }

    /// `a/iam.GetRole_2.json` -> `iam.getrole`, 2
    private static func callAndNumber(_ path: String) -> (String, Int)? {
        let name = path.split(separator: "/").last?.dropLast(5) ?? ""
        guard let mark = name.lastIndex(of: "_"), let number = Int(name[name.index(after: mark)...]) else { return nil }
        return (name[..<mark].lowercased(), number)
    }

    /// A folder of a region: `iam-get-role/NAME` and `ec2-describe-vpcs.json`.
    static func cloudMapper(_ root: URL, calls: [String]) throws -> AWSRecording {
        let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        var session = AWSRecording(name: root.lastPathComponent, answers: [:])
        let known = Dictionary(uniqueKeysWithValues: calls.map { ($0.lowercased(), $0) })
        for path in files.sorted() {
            let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
            let words = parts[0].replacing(".json", with: "").split(separator: "-", maxSplits: 1)
            guard words.count == 2, let data = try? Data(contentsOf: root.appending(path: path)),
                let name = known["\(words[0]).\(words[1].replacing("-", with: ""))"],
                let body = try? JSON.parse([UInt8](data))
            else { continue }
            let asked = parts.count > 1 ? parts[1].removingPercentEncoding : nil
            session.answers[name, default: []].append(Answer(status: 200, body: body, asked: asked))
        }
        return session
    }
}

extension JSON {
    /// Placebo's `{"__class__": "datetime", "year": 2024, …}` as the text that readers get.
    fileprivate var withPlainTimes: JSON {
        switch self {
        case .null, .bool, .number, .string: return self
        case .array(let elements): return .array(elements.map(\.withPlainTimes))
        case .object(let object):
            guard object["__class__"]?.string == "datetime" else {
                return .object(JSONObject(object.members.map { ($0.name, $0.value.withPlainTimes) }))
            }
            func part(_ name: String, _ digits: Int) -> String {
                let text = String(object[name]?.int ?? 0)
                return String(repeating: "0", count: max(0, digits - text.count)) + text
            }
            let day = "\(part("year", 4))-\(part("month", 2))-\(part("day", 2))"
            return .string("\(day)T\(part("hour", 2)):\(part("minute", 2)):\(part("second", 2))Z")
        }
    }
}
