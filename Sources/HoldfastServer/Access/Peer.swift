internal import Glibc
internal import Hummingbird
internal import NIOCore

/// Where a connection comes from.
enum Peer: Sendable, Hashable {
    /// A user of this machine, by the unix socket: the kernel vouches for the number.
    case user(id: UInt32, name: String?)
    /// By TCP.
    case address(String)

    /// What failures are counted by, and what logs name.
    var place: String {
        switch self {
        case .user(let id, let name): name ?? "uid \(id)"
        case .address(let address): FailureLimiter.key(address)
        }
    }

    static func of(_ channel: any Channel) async -> Peer {
        guard case .unixDomainSocket? = channel.localAddress else {
            return .address(channel.remoteAddress?.ipAddress ?? "unknown")
        }
        // Without credentials nobody is anybody: the number that no user has.
        let credentials = try? await (channel as? any SocketOptionProvider)?
            .unsafeGetSocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)).get() as Credentials?
        let id = credentials?.user ?? UInt32.max
        return .user(id: id, name: userName(id))
    }

    /// `struct ucred` of the kernel, which Glibc shows to GNU's programs alone.
    private struct Credentials {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }

    /// The name of a user of this machine.
    private static func userName(_ id: UInt32) -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
            return nil
        }
        return String(cString: name)
    }
}
