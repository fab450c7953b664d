internal import Glibc
internal import HoldfastCore
package import HoldfastEngine

/// Checkpoints as messages of syslog (RFC 5424): facility "log audit", severity "notice". What is sent by UDP is known
/// to be sent, not to have arrived.
package struct SyslogAnchor: Sendable, Hashable {
    package enum Place: Sendable, Hashable, CustomStringConvertible {
        /// A unix socket, such as `/dev/log`.
        case socket(String)
        case udp(host: String, port: Int)

        package var description: String {
            switch self {
            case .socket(let path): "unix:\(path)"
            case .udp(let host, let port): "udp:\(host):\(port)"
            }
        }
    }
    private let place: Place

    package init(_ place: Place) { self.place = place }

    package var anchor: any Anchor {
        BlockingAnchor(name: "syslog \(place)") { (checkpoint) throws(AnchorError) in try send(checkpoint) }
    }

    /// `<109>1 2026-11-30T17:01:14.000000Z host holdfast 4711 checkpoint - {…}`
    static func message(_ checkpoint: AuditCheckpoint, host: String, process: Int32) -> [UInt8] {
        // Facility 13 and severity 5, which make 109. The standard allows six digits of a second.
        var time = String(checkpoint.at.description.dropLast())
        if let point = time.firstIndex(of: ".") { time = String(time.prefix(time.distance(to: point, plus: 7))) }
        return Array("<109>1 \(time)Z \(host.isEmpty ? "-" : host) holdfast \(process) checkpoint - ".utf8)
            + checkpoint.line
    }

    private func send(_ checkpoint: AuditCheckpoint) throws(AnchorError) {
        let message = Self.message(checkpoint, host: Self.hostName(), process: getpid())
        switch place {
        case .socket(let path):
            if try deliver(message, to: path, SOCK_DGRAM) { return }
            // A socket of streams: messages end in a line feed (RFC 6587, section 3.4.2).
            guard try deliver(message + [UInt8(ascii: "\n")], to: path, SOCK_STREAM) else {
                throw failure("takes neither datagrams nor streams")
            }
        case .udp(let host, let port): try deliver(message, to: host, port)
        }
    }

    /// - Returns: false where the socket is of another kind.
    private func deliver(_ message: [UInt8], to path: String, _ kind: __socket_type) throws(AnchorError) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw failure("has too long a path") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("cannot be reached: \(systemReason())") }
        defer { close(descriptor) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status != 0, errno == EPROTOTYPE { return false }
        guard status == 0 else { throw failure("cannot be reached: \(systemReason())") }
        try write(message, to: descriptor)
        return true
    }

    private func deliver(_ message: [UInt8], to host: String, _ port: Int) throws(AnchorError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &found)
        guard status == 0, let found else { throw failure("has no address: \(String(cString: gai_strerror(status)))") }
        defer { freeaddrinfo(found) }
        let descriptor = socket(
            found.pointee.ai_family, found.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("cannot be reached: \(systemReason())") }
        defer { close(descriptor) }
        guard connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            throw failure("cannot be reached: \(systemReason())")
        }
        try write(message, to: descriptor)
    }

    private func write(_ message: [UInt8], to descriptor: Int32) throws(AnchorError) {
        var rest = message[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send_(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("takes nothing: \(systemReason())") }
            rest = rest.dropFirst(count)
        }
    }

    /// Without a signal where the other end has closed.
    private func send_(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
        Glibc.send(descriptor, start, count, Int32(MSG_NOSIGNAL))
    }

    private func failure(_ what: String) -> AnchorError {
        AnchorError("\(place) \(what); is the syslog daemon up, and listening there?")
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.filter { (0x21...0x7E).contains($0) }
        return String(decoding: text, as: UTF8.self)
    }
}

extension String {
    /// The number of characters up to a place, and some more.
    fileprivate func distance(to place: Index, plus more: Int) -> Int { distance(from: startIndex, to: place) + more }
}
