import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

/// What an incident leaves for others to check: a folder, or one .tar of it, with the results, the records as they were
/// received, a page in plain sentences, and a signed manifest of everything.
struct EvidencePack {
    /// Who exports, and what with.
    struct Export {
        var at: Timestamp
        var by: String
        /// `nil`: the manifest is not signed.
        var signing: (key: Secret, certificate: String)?
        /// The audit log's last entry, where a journal is there.
        var auditHead: JSON
        /// The files that were read: path, size and SHA-256.
        var sources: [JSON]
    }

    static let manifestName = "manifest.json"
    static let signatureName = "manifest.json.cms"

    private let done: ReplayRun.Done
    private let export: Export

    init(_ done: ReplayRun.Done, _ export: Export) {
        self.done = done
        self.export = export
    }

    /// Writes the pack.
    ///
    /// - Parameters:
    ///   - path: a folder that is not there yet, or a file that ends in `.tar`.
    ///   - redaction: makes the shareable copy: names are replaced, and what was received is left out.
    /// - Returns: SHA-256 of the manifest.
    @discardableResult
    func write(to path: String, redaction: Redaction? = nil, of original: String? = nil) throws -> String {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure("\(path) is there already; an evidence pack never overwrites anything")
        }
        let isArchive = path.hasSuffix(".tar")
        let name = URL(filePath: isArchive ? String(path.dropLast(4)) : path).lastPathComponent
        let folder = isArchive ? NSTemporaryDirectory() + "holdfast-pack-\(UUID().uuidString)" : path
        defer { if isArchive { try? FileManager.default.removeItem(atPath: folder) } }
        try FileManager.default.createDirectory(atPath: folder + "/results", withIntermediateDirectories: true)
        for (name, format) in [("replay.json", ReplayFormat.json), ("timeline.jsonl", .jsonl), ("replay.html", .html)] {
            try writePieces("\(folder)/results/\(name)") {
                try ReplayOutput(done, redaction: redaction, to: $0).print(as: format)
            }
        }
        let said = try statements(redacted: redaction != nil)
        try write(redaction?.redact(said) ?? said, to: "\(folder)/statements.txt")
        let sources = JSON.array(export.sources)
        try write(Output.pretty(redaction?.redact(sources) ?? sources) + "\n", to: "\(folder)/sources.json")
        if redaction == nil { try writePieces("\(folder)/received.jsonl") { try writeReceived($0) } }
        let manifest = try manifest(of: folder, redacted: redaction != nil, original: original)
        try write(manifest, to: "\(folder)/\(Self.manifestName)")
        if let signing = export.signing {
            let signature = try CMS.sign(Array(manifest.utf8), key: signing.key, certificate: signing.certificate)
            try write(signature, to: "\(folder)/\(Self.signatureName)")
        }
        if isArchive {
            try TarArchive.write(try PackFiles.names(in: folder), in: folder, as: name, to: path)
        }
        return sha256(manifest.utf8).description
    }

    private func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    /// Writes a text that may be long.
    private func writePieces(_ path: String, _ body: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        guard let file = FileHandle(forWritingAtPath: path) else { throw Failure("\(path) cannot be written") }
        defer { try? file.close() }
        try body { bytes in try file.write(contentsOf: Data(bytes)) }
    }

    /// `{"event", "place", "received", "sha256", "time"}` a line; `received` is the record's text as it came.
    private func writeReceived(_ write: ([UInt8]) throws -> Void) throws {
        var fault: (any Error)?
        try done.spool.forEach(in: .received) { entry in
            guard fault == nil else { return }
            let (place, bytes) = ReceivedRecord.read(entry)
            let line: JSON = [
                "event": .string(entry.id), "time": .string(entry.time.description), "place": .string(place),
                "sha256": .string(sha256(bytes).description),
                "received": .string(String(decoding: bytes, as: UTF8.self)),
            ]
            do { try write(line.canonicalBytes + [UInt8(ascii: "\n")]) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    private func statements(redacted: Bool) throws -> String {
        var statements = Statements()
        statements.head("Evidence of a replay")
        statements.say(.observed, "\(export.by) exported this pack at \(export.at) with Holdfast \(Version.text).")
        statements.say(
            .observed, "\(export.sources.count) files were read; sources.json has the SHA-256 of each as it was read.")
        if let head = export.auditHead["digest"]?.string {
            statements.say(.observed, "The service's audit log ended with the digest \(head).")
        } else {
            statements.say(.missing, "No audit log of a service belongs to this replay.")
        }
        if export.signing == nil { statements.say(.missing, "The manifest is not signed.") }
        if redacted {
            statements.say(
                .missing, "Names of people, accounts and addresses are replaced, and the records themselves left out.")
        }
        statements.tell(done.report)
        statements.head("What happened")
        try done.spool.forEach(in: .rows) { entry in
            if let row = try? JSON.parse(entry.body) { statements.tell(row: row) }
        }
        statements.tell(done.report.stories)
        return statements.text
    }

    private func manifest(of folder: String, redacted: Bool, original: String?) throws -> String {
        let files = try PackFiles.names(in: folder).map { name -> JSON in
            let (digest, size) = try PackFiles.hash("\(folder)/\(name)")
            return ["path": .string(name), "sha256": .string(digest), "size": .number(JSONNumber(size))]
        }
        let window = done.report.members.first { $0.name == "window" }?.value ?? .null
        var manifest = JSONObject([
            ("format", 1), ("exported-at", .string(export.at.description)), ("exported-by", .string(export.by)),
            ("files", .array(files)), ("window", window), ("audit-head", export.auditHead),
            ("redacted", .bool(redacted)),
            ("versions", .object(JSONObject(done.report.versions.map { ($0.name, JSON.string($0.value)) }))),
        ])
        if let original { manifest["original-manifest"] = .string(original) }
        if let signing = export.signing {
            manifest["signer"] = CMS.fingerprint(of: signing.certificate).map(JSON.string) ?? .null
        }
        return Output.pretty(.object(manifest)) + "\n"
    }
}

/// The files of a pack.
enum PackFiles {
    /// Paths below a folder, in the order of their bytes.
    static func names(in folder: String) throws -> [String] {
        let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return found.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// SHA-256 of a file, and its size in bytes.
    static func hash(_ path: String) throws -> (digest: String, size: Int) {
        guard let file = FileHandle(forReadingAtPath: path) else { throw Failure("\(path) cannot be read") }
        defer { try? file.close() }
        var stream = SHA256Stream()
        var size = 0
        while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
            stream.update([UInt8](data))
            size += data.count
        }
        return (stream.finish().description, size)
    }
}
