import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

extension ReplayOptions {
    /// What the pack is signed with; read before anything else, so that a long replay does not fail at its end.
    var signing: (key: Secret, certificate: String)? {
        get throws {
            guard bundle != nil, !unsigned else { return nil }
            guard let signKey, let signCertificate else {
                throw Failure(
                    "--bundle needs --sign-key and --sign-certificate, so that others can tell that nothing was "
                        + "changed; --unsigned goes without (`openssl req -x509 -newkey rsa:3072 -nodes` makes a pair)"
                )
            }
            return (Secret(try text(signKey)), try text(signCertificate))
        }
    }

    private func text(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure("\(path) cannot be read; is it there, and may this user read it?")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

extension ReplayRun {
    /// Writes the evidence packs that the options ask for.
    func export(_ done: Done) throws {
        guard let path = options.bundle else { return }
        let pack = EvidencePack(
            done,
            EvidencePack.Export(
                at: SystemWallClock.now, by: options.exportedBy ?? NSUserName(), signing: try options.signing,
                auditHead: try auditHead(), sources: try sources()))
        let digest = try pack.write(to: path)
        Output.error("wrote \(path), manifest SHA-256 \(digest)")
        guard options.redact else { return }
        let isArchive = path.hasSuffix(".tar")
        let other = (isArchive ? String(path.dropLast(4)) : path) + "-redacted" + (isArchive ? ".tar" : "")
        try pack.write(to: other, redaction: try Redaction(done), of: digest)
        Output.error("wrote \(other), without names and records")
    }

    private func sources() throws -> [JSON] {
        guard options.source == .file else { return [] }
        return try EventFiles.list(options.paths).map { entry in
            let (digest, size) = try PackFiles.hash(entry.path)
            return [
                "path": .string(entry.path), "size": .number(JSONNumber(size)), "sha256": .string(digest),
            ]
        }
    }

    /// `{"sequence", "digest"}` of the last entry of the service's audit log; null without a journal.
    private func auditHead() throws -> JSON {
        guard FileManager.default.fileExists(atPath: configuration.sqlitePath) else { return .null }
        let journal = try SQLiteJournal(.file(configuration.sqlitePath), access: .readOnly)
        let report = try journal.verifyAudit()
        guard let last = try journal.auditEntries(after: max(0, report.entries - 1), limit: 1).last else {
            return .null
        }
        return [
            "sequence": .number(JSONNumber(Int(last.sequence))), "digest": .string(last.digest),
            "verifies": .bool(report.isIntact),
        ]
    }
}
