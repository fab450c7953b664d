import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastFiles
import HoldfastJSON

struct ReplayVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that an evidence pack is whole, unchanged and signed.",
        discussion: """
            Without --trusted the signature is checked against the certificate in it, and the signer is printed: \
            whether that is the right one is for you to say. `openssl cms -verify -binary -content manifest.json -in \
            manifest.json.cms -inform PEM` does the same.
            """)

    @Argument(help: "The pack: a folder or a .tar.") var pack: String
    @Option(help: "Certificates in PEM form, one of which must stand behind the signature.") var trusted: String?
    @Flag(help: "A pack without a signature passes.") var unsigned = false

    func run() throws {
        var folder = pack
        let temporary = NSTemporaryDirectory() + "holdfast-verify-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        if pack.hasSuffix(".tar") {
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            try TarArchive.extract(pack, into: temporary)
            let inside = try FileManager.default.contentsOfDirectory(atPath: temporary)
            guard inside.count == 1 else { throw Failure("\(pack) holds \(inside.count) folders; a pack is one") }
            folder = "\(temporary)/\(inside[0])"
        }
        let problems = try PackVerification(folder: folder).problems(trusted: trusted, mayBeUnsigned: unsigned)
        for problem in problems { Output.error(problem) }
        guard problems.isEmpty else { throw Failure("\(pack) does not verify") }
        Output.line("\(pack) verifies: every file is as the manifest says")
    }
}

/// Holds the files of a pack against its manifest, and the manifest against its signature.
struct PackVerification {
    let folder: String

    func problems(trusted: String?, mayBeUnsigned: Bool) throws -> [String] {
        guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(EvidencePack.manifestName)"),
            let manifest = try? JSON.parse([UInt8](bytes)), let files = manifest["files"]?.array
        else { return ["there is no \(EvidencePack.manifestName) that can be read"] }
        var problems: [String] = []
        var named: Set<String> = [EvidencePack.manifestName, EvidencePack.signatureName]
        for file in files {
            guard let path = file["path"]?.string, let digest = file["sha256"]?.string else { continue }
            named.insert(path)
            guard FileManager.default.fileExists(atPath: "\(folder)/\(path)") else {
                problems.append("\(path) is missing")
                continue
            }
            if try PackFiles.hash("\(folder)/\(path)").digest != digest { problems.append("\(path) was changed") }
        }
        for name in try PackFiles.names(in: folder) where !named.contains(name) {
            problems.append("\(name) was added")
        }
        problems += try signatureProblems(
            [UInt8](bytes), signer: manifest["signer"]?.string, trusted: trusted, mayBeUnsigned: mayBeUnsigned)
        return problems
    }

    /// - Parameter signer: the fingerprint that the manifest itself names.
    private func signatureProblems(
        _ manifest: [UInt8], signer named: String?, trusted: String?, mayBeUnsigned: Bool
    ) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(EvidencePack.signatureName)") else {
            return mayBeUnsigned && named == nil
                ? []
                : [named == nil ? "the manifest is not signed; --unsigned lets that pass" : "the signature is missing"]
        }
        let certificates = try trusted.map { path -> String in
            guard let text = FileManager.default.contents(atPath: path) else { throw Failure("\(path) cannot be read") }
            return String(decoding: text, as: UTF8.self)
        }
        let signature = String(decoding: data, as: UTF8.self)
        guard let signer = CMS.verify(signature, of: manifest, trusted: certificates) else {
            return ["the signature is not of this manifest: one of them was changed"]
        }
        Output.line("signed by \(signer.subject), certificate SHA-256 \(signer.fingerprint)")
        guard signer.fingerprint == named else { return ["the signer is another than the manifest names"] }
        guard certificates == nil || signer.isTrusted else {
            return ["the signer is none that \(trusted ?? "") stands for"]
        }
        return []
    }
}
