import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastFiles
import HoldfastJSON

/// How `holdfast reload` and the service that it means speak with each other on one machine: two files beside the
/// journal, which who may write them could write anyway. No signal is sent, so that no other process can be hit.
struct ReloadDesk: Sendable {
    /// The journal's.
    let path: String

    struct Request: Sendable {
        var id: String
        /// The digest of what a person has seen and wants.
        var confirm: String?
    }

    struct Answer: Sendable {
        enum Outcome: String {
            case adopted, waits, refused
        }
        var id: String
        var outcome: Outcome
        /// Of the configuration and all data files; empty where they could not be read.
        var digest: String
        var lines: [String]
    }

    private var requestPath: String { path + ".reload" }
    private var answerPath: String { path + ".reloaded" }

    /// What is confirmed: the configuration's text and every data file.
    func digest(of data: DataSet, config: String) throws -> String {
        guard let text = FileManager.default.contents(atPath: config) else {
            throw Failure("\(config) cannot be read")
        }
        return sha256(Array(text) + Array(data.digest.utf8)).description
    }

    // MARK: The service's side

    func takeRequest() -> Request? {
        guard let json = read(requestPath) else { return nil }
        try? FileManager.default.removeItem(atPath: requestPath)
        guard let id = json["id"]?.string else { return nil }
        return Request(id: id, confirm: json["confirm"]?.string)
    }

    func put(_ answer: Answer) throws {
        try write(
            [
                "id": .string(answer.id), "outcome": .string(answer.outcome.rawValue),
                "digest": .string(answer.digest), "lines": .array(answer.lines.map { .string($0) }),
            ], to: answerPath)
    }

    // MARK: The command's side

    func put(_ request: Request) throws {
        try write(
            ["id": .string(request.id), "confirm": request.confirm.map { .string($0) } ?? .null], to: requestPath)
    }

    func withdraw() { try? FileManager.default.removeItem(atPath: requestPath) }

    /// The last answer.
    func answer() -> Answer? {
        guard let json = read(answerPath), let id = json["id"]?.string, let digest = json["digest"]?.string,
            let outcome = json["outcome"]?.string.flatMap(Answer.Outcome.init), let lines = json["lines"]?.array
        else { return nil }
        return Answer(id: id, outcome: outcome, digest: digest, lines: lines.compactMap(\.string))
    }

    // MARK: Files

    private func read(_ path: String) -> JSON? {
        FileManager.default.contents(atPath: path).flatMap { try? JSON.parse(Array($0)) }
    }

    /// Whole or not at all, for its owner alone.
    private func write(_ json: JSON, to path: String) throws {
        let made = "\(path).\(UUID().uuidString)"
        let isMade = FileManager.default.createFile(
            atPath: made, contents: Data(json.canonicalBytes), attributes: [.posixPermissions: 0o600])
        guard isMade, rename(made, path) == 0 else {
            try? FileManager.default.removeItem(atPath: made)
            throw Failure("\(path) cannot be written; this user must be able to write beside the journal")
        }
    }
}
