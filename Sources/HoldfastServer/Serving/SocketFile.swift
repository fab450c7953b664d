internal import Foundation
internal import Glibc
internal import HoldfastCore

/// The unix socket's place in the file system. It is bound in a folder that nobody else may enter, given its mode,
/// and only then moved to where it is looked for: at no time can it be opened by more than it is meant for.
struct SocketFile: Sendable {
    let path: String
    let mode: UInt32
    private let folder: String
    /// Where it is bound.
    let nursery: String

    /// Bytes of the longest path that the kernel takes, with its end.
    private static let longest = 107

    /// - Throws: ``ServerFailure`` where the path is too long, its folder may be changed by others, or something else
    ///   is there.
    init(_ path: String, mode: UInt32) throws {
        self.path = path
        self.mode = mode
        folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        nursery = "\(folder)/.hf-\(getpid())/s"
        for place in [path, nursery] where place.utf8.count > Self.longest {
            throw ServerFailure(
                "socket: \(place) has \(place.utf8.count) bytes, and the system takes \(Self.longest): shorten it"
            )
        }
        try checkFolder()
        try checkPlace()
    }

    private func checkFolder() throws {
        guard access(folder, X_OK) == 0, let found = Occupant(URL(fileURLWithPath: folder).resolvingSymlinksInPath())
        else { throw ServerFailure("socket: \(folder) cannot be entered (\(String(cString: strerror(errno))))") }
        guard found.owner == geteuid() || found.owner == 0 else {
            throw ServerFailure("socket: \(folder) is another user's, who could put a socket of their own there")
        }
        if found.permissions & 0o022 != 0, found.permissions & Occupant.sticky == 0 {
            throw ServerFailure(
                "socket: others may write in \(folder) and put a socket of their own there; take that away "
                    + "(chmod go-w), or name another folder")
        }
    }

    private func checkPlace() throws {
        guard let found = Occupant(URL(fileURLWithPath: path)) else { return }
        guard found.isSocket else {
            throw ServerFailure("socket: there is a file at \(path) that is no socket; move it away")
        }
        guard !Self.isAnswered(path) else { throw ServerFailure("socket: another process listens at \(path)") }
    }

    /// What stands at a path; a link stands for itself. Asked of Foundation, because the members of the C structure
    /// belong to whichever of several modules the compiler met first.
    private struct Occupant {
        let owner: UInt32
        /// The mode's last twelve bits.
        let permissions: Int
        let isSocket: Bool

        /// In a folder with this bit nobody moves away what is another's.
        static let sticky = 0o1000

        /// `nil` where there is nothing, or nothing that may be seen.
        init?(_ place: URL) {
            guard let found = try? FileManager.default.attributesOfItem(atPath: place.path),
                let owner = found[.ownerAccountID] as? NSNumber, let mode = found[.posixPermissions] as? NSNumber
            else { return nil }
            self.owner = owner.uint32Value
            permissions = mode.intValue
            isSocket = found[.type] as? FileAttributeType == .typeSocket
        }
    }

    /// Whether somebody listens there.
    private static func isAnswered(_ path: String) -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(Self.longest)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    func prepare() throws {
        let inner = (nursery as NSString).deletingLastPathComponent
        unlink(nursery)
        rmdir(inner)
        guard mkdir(inner, 0o700) == 0 else {
            throw ServerFailure("socket: nothing can be made in \(folder) (\(String(cString: strerror(errno))))")
        }
    }

    /// Once it is bound.
    func publish() throws {
        guard chmod(nursery, mode) == 0, rename(nursery, path) == 0 else {
            throw ServerFailure("socket: \(path) cannot be made (\(String(cString: strerror(errno))))")
        }
        rmdir((nursery as NSString).deletingLastPathComponent)
    }

    func remove() {
        unlink(path)
        unlink(nursery)
        rmdir((nursery as NSString).deletingLastPathComponent)
    }
}

/// Why the server cannot start, in a sentence.
package struct ServerFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
