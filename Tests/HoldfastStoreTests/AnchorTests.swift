import Foundation
import Glibc
import HoldfastCore
import HoldfastEngine
import Synchronization
import Testing

@testable import HoldfastStore

private let checkpoint = AuditCheckpoint(
    at: Timestamp(nanoseconds: 1_780_000_000_123_456_789), auditSequence: 7,
    auditDigest: String(repeating: "a", count: 64), batchSequence: 3, batchSeal: String(repeating: "b", count: 64))

/// A socket that takes messages.
private final class Listener {
    let descriptor: Int32

    init(unix path: String, _ kind: __socket_type) throws {
        descriptor = socket(AF_UNIX, Int32(kind.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        if kind == SOCK_STREAM { try #require(listen(descriptor, 4) == 0) }
    }

    /// On a free port of loopback.
    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next message: of a stream, that of the next connection.
    func message(isStream: Bool = false) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let from = isStream ? accept(descriptor, nil, nil) : descriptor
        defer { if isStream { close(from) } }
        let count = read(from, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }
}

@Suite("Anchors beside a file")
struct AnchorTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("A message of syslog is as RFC 5424 has it, and the checkpoint is found in it again")
    func message() throws {
        let bytes = SyslogAnchor.message(checkpoint, host: "h1", process: 42)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("<109>1 2026-05-28T20:26:40.123456Z h1 holdfast 42 checkpoint - {\"audit\":"))
        #expect(AuditCheckpoint(line: bytes) == checkpoint)
        var whole = checkpoint
        whole.at = Timestamp(seconds: 1_780_000_000)
        let even = String(decoding: SyslogAnchor.message(whole, host: "", process: 1), as: UTF8.self)
        #expect(even.hasPrefix("<109>1 2026-05-28T20:26:40Z - holdfast 1 checkpoint - {"))
    }

    @Test("Checkpoints go to a unix socket of datagrams or of streams, and to a port", .timeLimit(.minutes(10)))
    func sockets() async throws {
        let datagrams = try Listener(unix: folder.file("log"), SOCK_DGRAM)
        try await SyslogAnchor(.socket(folder.file("log"))).anchor.put(checkpoint)
        #expect(AuditCheckpoint(line: datagrams.message()) == checkpoint)

        let streams = try Listener(unix: folder.file("stream"), SOCK_STREAM)
        try await SyslogAnchor(.socket(folder.file("stream"))).anchor.put(checkpoint)
        let line = streams.message(isStream: true)
        #expect(AuditCheckpoint(line: line) == checkpoint)
        #expect(line.last == UInt8(ascii: "\n"))

        let port = try Listener()
        try await SyslogAnchor(.udp(host: "127.0.0.1", port: port.port)).anchor.put(checkpoint)
        #expect(AuditCheckpoint(line: port.message()) == checkpoint)
    }

    @Test("Where nobody listens the anchor says so")
    func nobody() async throws {
        let anchor = SyslogAnchor(.socket(folder.file("none"))).anchor
        let error = await #expect(throws: AnchorError.self) { try await anchor.put(checkpoint) }
        #expect(error?.description.contains("is the syslog daemon up") == true)
    }

    @Test("Exported lines of syslog verify a journal, in a file and in a folder of files")
    func exported() throws {
        let logged = try Logged()
        let first = try logged.journal.checkpoint(at: Sample.at(60)) { $0 }
        try logged.add(5)
        let second = try logged.journal.checkpoint(at: Sample.at(120)) { $0 }
        try FileManager.default.createDirectory(atPath: folder.file("objects/b"), withIntermediateDirectories: true)
        for (name, found) in [("objects/b/2", second), ("objects/1", first)] {
            try Data(SyslogAnchor.message(found, host: "h", process: 1) + [10]).write(
                to: URL(filePath: folder.file(name)))
        }
        let content = try AnchorContent(path: folder.file("objects"))
        let whole = try logged.journal.verifyAudit(anchors: [content])
        #expect(whole.isIntact)
        #expect(whole.witnesses.map(\.checkpoints) == [2])
        try logged.sql("DELETE FROM audit WHERE sequence > 4")
        #expect(try logged.journal.verifyAudit(anchors: [content]).faults.map(\.kind) == [.cut])
    }

    @Test("An anchor that hangs is waited for until its deadline, and not begun again before it is back")
    func hangs() async throws {
        let gate = DispatchSemaphore(value: 0)
        let calls = Mutex(0)
        let anchor = BlockingAnchor(name: "slow", deadline: .milliseconds(20)) { (_) throws(AnchorError) in
            calls.withLock { $0 += 1 }
            gate.wait()
        }
        let late = await #expect(throws: AnchorError.self) { try await anchor.put(checkpoint) }
        #expect(late?.description.contains("no answer within") == true)
        let busy = await #expect(throws: AnchorError.self) { try await anchor.put(checkpoint) }
        #expect(busy?.description.contains("has not come back") == true)
        #expect(calls.withLock { $0 } == 1)
        gate.signal()
    }
}
