internal import Glibc
internal import HoldfastEngine

/// The right to be the one process that writes to a journal: an exclusive `flock` on `PATH.lock`, which the kernel
/// lets go when the process ends, however it ends. The file stays; its text is the owner's process id.
struct InstanceLock: ~Copyable, Sendable {
    private let descriptor: CInt

    /// - Parameter path: the journal's.
    /// - Throws: `busy` where another holds it.
    init(path: String) throws(JournalError) {
        let lockPath = path + ".lock"
        descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JournalError(
                .failed,
                "cannot open the journal \(path): \(lockPath) cannot be made (\(systemReason())); its folder must "
                    + "exist, and this user must be able to write there")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = InstanceLock.text(of: descriptor)
            Glibc.close(descriptor)
            throw JournalError(
                .busy,
                "cannot open the journal \(path): another holdfast (process \(owner)) writes to it; stop that one, "
                    + "or give this one another `store: sqlite:`")
        }
        ftruncate(descriptor, 0)
        _ = writeWhole(Array("\(getpid())\n".utf8), to: descriptor)
    }

    deinit { Glibc.close(descriptor) }

    /// Whether a process holds the lock of the journal at a path.
    static func isHeld(path: String) -> Bool {
        let descriptor = open(path + ".lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    private static func text(of descriptor: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { (48...57).contains($0) }
        return digits.isEmpty ? "unknown" : String(decoding: digits, as: UTF8.self)
    }
}

/// Writes all bytes; `false` with `errno` set where that is not possible.
func writeWhole(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var index = 0
    while index < bytes.count {
        let count = bytes[index...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR { continue }
            return false
        }
        index += count
    }
    return true
}

/// `errno` in words.
func systemReason() -> String { String(cString: strerror(errno)) }
