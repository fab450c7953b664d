internal import Glibc
package import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// How far both logs had got at a moment, and the digests that stand for everything up to there.
package struct AuditCheckpoint: Sendable, Hashable {
    package var at: Timestamp
    /// The last audit entry, 0 before the first.
    package var auditSequence: Int64
    /// 64 hexadecimal digits.
    package var auditDigest: String
    /// The last batch of the evidence log, 0 before the first.
    package var batchSequence: Int64
    /// 64 hexadecimal digits.
    package var batchSeal: String

    package init(
        at: Timestamp, auditSequence: Int64, auditDigest: String, batchSequence: Int64, batchSeal: String
    ) {
        self.at = at
        self.auditSequence = auditSequence
        self.auditDigest = auditDigest
        self.batchSequence = batchSequence
        self.batchSeal = batchSeal
    }

    func hasSameHeads(as other: AuditCheckpoint) -> Bool {
        var other = other
        other.at = at
        return self == other
    }

    var line: [UInt8] {
        let audit: JSON = ["digest": .string(auditDigest), "sequence": .number(JSONNumber(Int(auditSequence)))]
        let evidence: JSON = ["digest": .string(batchSeal), "sequence": .number(JSONNumber(Int(batchSequence)))]
        let whole: JSON = ["audit": audit, "evidence": evidence, "time": .string(at.description)]
        return whole.canonicalBytes + [UInt8(ascii: "\n")]
    }

    /// - Parameter line: without its line feed. `nil` where it is no checkpoint.
    init?(line: [UInt8]) {
        guard let json = try? JSON.parse(line), let time = json["time"]?.string, let at = Timestamp(time),
            let audit = json["audit"], let entry = audit["sequence"]?.int, let digest = audit["digest"]?.string,
            let evidence = json["evidence"], let batch = evidence["sequence"]?.int,
            let seal = evidence["digest"]?.string
        else { return nil }
        self.init(
            at: at, auditSequence: Int64(entry), auditDigest: digest, batchSequence: Int64(batch), batchSeal: seal)
    }
}

/// A file of checkpoints that is only ever added to, best on another machine or an append-only file system: what was
/// cut off or rewritten in the journal after a checkpoint is found by comparing them. Nothing in it is secret.
package struct AuditAnchor: Sendable, Hashable {
    package let path: String

    /// - Parameter path: the file need not exist yet; its folder must.
    package init(path: String) { self.path = path }

    /// Adds a line and waits until it is on the disk.
    func append(_ checkpoint: AuditCheckpoint) throws(JournalError) {
        let isNew = access(path, F_OK) != 0
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { close(descriptor) }
        // After a line that a crash cut short a new one begins; the cut one is reported when the anchor is read.
        let line = try endsInLine() ? checkpoint.line : [UInt8(ascii: "\n")] + checkpoint.line
        guard writeWhole(line, to: descriptor), fsync(descriptor) == 0 else { throw failure("written") }
        if isNew { try syncFolder() }
    }

    /// The newest checkpoint; `nil` where there is none or its line is broken.
    func last() throws(JournalError) -> AuditCheckpoint? {
        var last: AuditCheckpoint?
        let size = try length()
        // A checkpoint's line is at most 300 bytes long.
        try lines(from: max(0, size - 1024), upTo: size) { line in last = AuditCheckpoint(line: line) }
        return last
    }

    /// Bytes in the file, 0 where there is none.
    func length() throws(JournalError) -> Int64 {
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        guard errno == ENOENT else { throw failure("read") }
        return 0
    }

    /// Lends each line that ends in this range of bytes, without its line feed.
    func lines(
        from start: Int64 = 0, upTo end: Int64, _ body: ([UInt8]) throws(JournalError) -> Void
    ) throws(JournalError) {
        guard end > start else { return }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { close(descriptor) }
        var offset = start
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while offset < end {
            let count = pread(descriptor, &buffer, min(buffer.count, Int(end - offset)), off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read") }
            guard count > 0 else { return }
            offset += Int64(count)
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") {
                    try body(line)
                    line.removeAll(keepingCapacity: true)
                } else {
                    line.append(byte)
                }
            }
        }
    }

    private func endsInLine() throws(JournalError) -> Bool {
        let size = try length()
        guard size > 0 else { return true }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, off_t(size - 1)) == 1 else { throw failure("read") }
        return byte == UInt8(ascii: "\n")
    }

    /// A new file's name is on the disk only when its folder is.
    private func syncFolder() throws(JournalError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("written") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("written") }
    }

    private func failure(_ what: String) -> JournalError {
        let code: JournalError.Code = errno == ENOSPC || errno == EDQUOT ? .full : .failed
        return JournalError(
            code,
            "the audit anchor \(path) cannot be \(what): \(systemReason()); its folder must exist, be writable "
                + "for this user and have space")
    }
}
