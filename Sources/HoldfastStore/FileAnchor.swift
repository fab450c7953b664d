internal import Glibc
package import HoldfastEngine

/// A file of checkpoints that is only ever added to, best on another machine or an append-only file system: what was
/// cut off or rewritten in the journal after a checkpoint is found by comparing them. Nothing in it is secret.
package struct FileAnchor: Sendable, Hashable {
    package let path: String

    /// - Parameter path: the file need not exist yet; its folder must.
    package init(path: String) { self.path = path }

    /// The anchor, on a thread of its own: a file may lie on a file system that does not answer.
    package var anchor: any Anchor {
        BlockingAnchor(name: "file \(path)") { (checkpoint) throws(AnchorError) in try append(checkpoint) }
    }

    /// Adds a line, unless the last one says the same, and waits until it is on the disk.
    package func append(_ checkpoint: AuditCheckpoint) throws(AnchorError) {
        if let last = try last(), last.hasSameHeads(as: checkpoint) { return }
        let isNew = access(path, F_OK) != 0
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { close(descriptor) }
        // After a line that a crash cut short a new one begins; the cut one is reported when the anchor is read.
        let start = try endsInLine() ? [] : [UInt8(ascii: "\n")]
        guard writeWhole(start + checkpoint.line + [UInt8(ascii: "\n")], to: descriptor), fsync(descriptor) == 0 else {
            throw failure("written")
        }
        if isNew { try syncFolder() }
    }

    /// The newest checkpoint; `nil` where there is none or its line is broken.
    func last() throws(AnchorError) -> AuditCheckpoint? {
        var last: AuditCheckpoint?
        let size = try length()
        let tail = Int64(AuditCheckpoint.longestLine + 1)
        try lines(from: max(0, size - tail), upTo: size) { line in last = AuditCheckpoint(line: line) }
        return last
    }

    /// Bytes in the file, 0 where there is none.
    func length() throws(AnchorError) -> Int64 {
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        guard errno == ENOENT else { throw failure("read") }
        return 0
    }

    /// Lends each line that ends in this range of bytes, without its line feed.
    func lines(
        from start: Int64 = 0, upTo end: Int64, _ body: ([UInt8]) throws(AnchorError) -> Void
    ) throws(AnchorError) {
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

    private func endsInLine() throws(AnchorError) -> Bool {
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
    private func syncFolder() throws(AnchorError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("written") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("written") }
    }

    private func failure(_ what: String) -> AnchorError {
        AnchorError(
            "\(path) cannot be \(what): \(systemReason()); its folder must exist, be writable for this user and have "
                + "space")
    }
}
