internal import Glibc

/// What the system says is wrong with a file.
struct FileFault: Error, Hashable, CustomStringConvertible {
    /// What was being done: `be opened`, `be read`, `be listed`.
    var doing: String
    var errno: Int32

    /// Stands after a file's name: `cannot be opened: Permission denied; …`.
    var description: String {
        let remedy =
            switch errno {
            case EACCES, EPERM: "; give this process the right to read it"
            case ENOENT: "; it is gone"
            case ELOOP: "; its links lead in a circle"
            case EMFILE, ENFILE: "; raise the limit of open files"
            default: ""
            }
        return "cannot \(doing): \(String(cString: strerror(errno)))\(remedy)"
    }
}

/// What a file is, by the system: one file keeps its identity under a new name.
struct FileIdentity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64
}

/// What the system tells of a file without opening it.
struct FileFacts: Sendable, Hashable {
    enum Kind: Sendable { case file, folder, pipe, other }
    var kind: Kind
    var identity: FileIdentity
    /// Bytes.
    var size: Int64

    fileprivate init(_ facts: stat) {
        kind =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFIFO, S_IFCHR, S_IFSOCK: .pipe
            default: .other
            }
        identity = FileIdentity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        size = Int64(facts.st_size)
    }

    /// Of what a path leads to; links are followed.
    static func of(_ path: String) throws(FileFault) -> FileFacts {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw FileFault(doing: "be opened", errno: errno) }
        return FileFacts(facts)
    }
}

/// A file that is open for reading; closed when it goes out of scope.
struct OpenedFile: ~Copyable {
    private let descriptor: Int32
    private let isOwned: Bool

    init(path: String) throws(FileFault) {
        // Without waiting, so that a pipe that nobody writes to does not hold up the rest.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        isOwned = true
        guard descriptor >= 0 else { throw FileFault(doing: "be opened", errno: errno) }
    }

    /// Standard input, or a descriptor that somebody else closes.
    init(borrowing descriptor: Int32) {
        self.descriptor = descriptor
        isOwned = false
    }

    deinit { if isOwned, descriptor >= 0 { close(descriptor) } }

    func facts() throws(FileFault) -> FileFacts {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw FileFault(doing: "be read", errno: errno) }
        return FileFacts(facts)
    }

    func seek(to offset: Int64) throws(FileFault) {
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw FileFault(doing: "be read", errno: errno) }
    }

    enum Reading { case bytes([UInt8]), end, notYet }

    /// At most `limit` bytes of what is there now; never waits.
    func read(atMost limit: Int) throws(FileFault) -> Reading {
        var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&readable, 1, 0) == 0 { return .notYet }
        var fault: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var got = 0
            repeat { got = Glibc.read(descriptor, buffer.baseAddress, limit) } while got < 0 && errno == EINTR
            count = max(0, got)
            if got < 0 { fault = errno }
        }
        if fault == EAGAIN { return .notYet }
        guard fault == 0 else { throw FileFault(doing: "be read", errno: fault) }
        return bytes.isEmpty ? .end : .bytes(bytes)
    }
}
