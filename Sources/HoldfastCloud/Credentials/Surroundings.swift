internal import Foundation
internal import Glibc
package import HoldfastCrypto

/// What credentials are found in: environment variables and files of this machine.
package struct Surroundings: Sendable {
    private var environment: [String: Secret]
    /// The home folder, that `~` stands for.
    package var home: String

    package init(environment: [String: String], home: String) {
        self.environment = environment.mapValues { Secret($0) }
        self.home = home
    }

    /// Those of this process.
    package static func current() -> Surroundings {
        let environment = ProcessInfo.processInfo.environment
        return Surroundings(environment: environment, home: environment["HOME"] ?? NSHomeDirectory())
    }

    /// A variable that is no secret; `nil` where it is not set, or empty.
    package func value(_ name: String) -> String? { secret(name)?.revealed }

    /// A variable that may be a secret; `nil` where it is not set, or empty.
    package func secret(_ name: String) -> Secret? {
        guard let secret = environment[name], !secret.isEmpty else { return nil }
        return secret
    }

    /// With `~/` at the start replaced by the home folder.
    package func expanded(_ path: String) -> String { path.hasPrefix("~/") ? home + path.dropFirst() : path }

    /// Files of credentials are small; above this one is taken for a mistake.
    static let fileLimit = 1 << 20

    /// The text of a file; `nil` where there is none.
    /// - Throws: where it cannot be read, with its path and the reason, and nothing that is in it.
    package func file(_ path: String) throws(CredentialFailure) -> Secret? {
        let path = expanded(path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Self.unreadable(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= Self.fileLimit else { throw Self.unreadable(path, "it has more than 1 MiB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.unreadable(path, "it is not UTF-8 text")
        }
        return Secret(text)
    }

    /// The text of a file that must be there.
    /// - Parameter reason: why it is read: `AWS_WEB_IDENTITY_TOKEN_FILE names it`.
    package func requiredFile(_ path: String, because reason: String) throws(CredentialFailure) -> Secret {
        guard let text = try file(path) else {
            throw .misconfigured("\(expanded(path)): there is no such file, and \(reason)")
        }
        return text
    }

    private static func unreadable(_ path: String, _ reason: String) -> CredentialFailure {
        .misconfigured("\(path) cannot be read: \(reason)")
    }
}
