import Foundation
import HoldfastCrypto
import Testing

/// Keys and certificates by the `openssl` command, which the tests' packages have.
@Suite("Signatures of the Cryptographic Message Syntax")
struct CMSTests {
    private struct Pair {
        var key: Secret
        var certificate: String
        var folder: URL
    }

    private func openssl(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func pair(_ kind: [String], name: String) throws -> Pair {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cms-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (key, certificate) = ("\(folder.path)/key.pem", "\(folder.path)/certificate.pem")
        let made = try openssl(
            ["req", "-x509", "-newkey"] + kind + [
                "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=\(name)",
            ])
        try #require(made == 0)
        return Pair(
            key: Secret(try String(contentsOfFile: key, encoding: .utf8)),
            certificate: try String(contentsOfFile: certificate, encoding: .utf8), folder: folder)
    }

    @Test(
        "openssl verifies what is signed here, and over other bytes neither it nor we do",
        arguments: [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]])
    func signs(kind: [String]) throws {
        let pair = try pair(kind, name: "responder")
        defer { try? FileManager.default.removeItem(at: pair.folder) }
        let message = Array("what happened\r\nand when\n".utf8)
        let signature = try CMS.sign(message, key: pair.key, certificate: pair.certificate)
        let signer = try #require(CMS.verify(signature, of: message, trusted: pair.certificate))
        #expect(signer.subject == "CN=responder" && signer.isTrusted)
        #expect(CMS.verify(signature, of: message + [0], trusted: pair.certificate) == nil)
        for (bytes, verifies) in [(message, true), (message + [0], false)] {
            try Data(bytes).write(to: pair.folder.appending(path: "message"))
            try Data(signature.utf8).write(to: pair.folder.appending(path: "signature"))
            let status = try openssl([
                "cms", "-verify", "-binary", "-inform", "PEM", "-purpose", "any", "-in",
                "\(pair.folder.path)/signature",
                "-content", "\(pair.folder.path)/message", "-CAfile", "\(pair.folder.path)/certificate.pem", "-out",
                "/dev/null",
            ])
            #expect((status == 0) == verifies)
        }
    }

    @Test("A signer whom nobody trusts is named, and not trusted")
    func untrusted() throws {
        let (one, other) = (try pair(["rsa:2048"], name: "one"), try pair(["rsa:2048"], name: "other"))
        defer { for pair in [one, other] { try? FileManager.default.removeItem(at: pair.folder) } }
        let signature = try CMS.sign([1, 2, 3], key: one.key, certificate: one.certificate)
        let signer = try #require(CMS.verify(signature, of: [1, 2, 3], trusted: other.certificate))
        #expect(signer.subject == "CN=one" && !signer.isTrusted)
        #expect(throws: CryptoFailure.self) { try CMS.sign([1], key: one.key, certificate: other.certificate) }
    }

    @Test("Pieces of a text have the digest of the whole")
    func stream() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var stream = SHA256Stream()
        for start in stride(from: 0, to: bytes.count, by: 777) {
            stream.update(Array(bytes[start..<min(start + 777, bytes.count)]))
        }
        #expect(stream.finish() == sha256(bytes))
    }
}
