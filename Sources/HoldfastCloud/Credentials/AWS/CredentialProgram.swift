internal import Foundation
internal import Glibc
internal import HoldfastCore
package import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// Runs a program and gives what it printed; `profile` is for messages.
package typealias ProgramRunner =
    @Sendable (_ words: [Secret], _ profile: String) async throws(CredentialFailure) -> Secret

extension AWSCredentialChain {
    /// Credentials that a profile's `credential_process` prints.
    func programCredentials(_ words: [Secret], profile: String) async throws(CredentialFailure) -> AWSCredentials {
        let what = "the credential_process of the profile \(profile)"
        let output = try await runProgram(words, profile)
        guard let body = (try? JSON.parse(output.revealed))?.object else {
            throw .misconfigured("\(what) printed no JSON object")
        }
        guard body["Version"] == 1 else { throw .misconfigured("\(what) printed a Version other than 1") }
        let credentials = try read(body, token: "SessionToken", answer: nil, what)
        if let end = credentials.expires, end <= requests.now() {
            throw CredentialFailure(.denied, code: "expired", "\(what) gave credentials that ended at \(end)")
        }
        return credentials
    }
}

/// The program of a `credential_process`: no shell, no input, its words on standard error thrown away (AWS asks that
/// they be: some programs print secrets there).
package enum CredentialProgram {
    /// Seconds that it may take.
    static let limit = 60.0
    /// Bytes that it may print.
    static let outputLimit = 1 << 16

    package static func run(_ words: [Secret], profile: String) async throws(CredentialFailure) -> Secret {
        let what = "the credential_process of the profile \(profile)"
        guard let first = words.first?.revealed, let path = executable(first) else {
            throw .misconfigured("\(what) names a program that is not there or may not be run")
        }
        let result: Result<Secret, CredentialFailure> = await withCheckedContinuation { waiting in
            // Waiting blocks, and the cooperative threads must not.
            Thread.detachNewThread {
                waiting.resume(
                    returning: Result { () throws(CredentialFailure) in
                        try wait(path, words.dropFirst().map(\.revealed), what)
                    })
            }
        }
        return try result.get()
    }

    private static func executable(_ name: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return folders.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private static func wait(
        _ path: String, _ arguments: [String], _ what: String
    ) throws(CredentialFailure) -> Secret {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw .misconfigured("\(what) cannot be started")
        }
        let printed = collect(output.fileHandleForReading.fileDescriptor)
        guard let printed else {
            process.terminate()
            process.waitUntilExit()
            throw CredentialFailure(
                .unavailable, code: "no-answer",
                "\(what) did not end within \(Int(limit)) s, or printed more than \(outputLimit) bytes")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CredentialFailure(
                .unavailable, code: "failed", "\(what) ended with status \(process.terminationStatus)")
        }
        return Secret(String(decoding: printed, as: UTF8.self))
    }

    /// All that comes until the end; `nil` where the end does not come in time, or too much comes.
    private static func collect(_ descriptor: Int32) -> [UInt8]? {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(limit)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while clock.now < end, bytes.count <= outputLimit {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 1000) != 0 else { continue }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return count == 0 ? bytes : nil }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        return nil
    }
}
