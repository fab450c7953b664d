internal import Foundation
package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// Messages and prompts to a program's standard input, as one line of JSON: what the webhook sends. No shell, no
/// environment but `PATH`, and 30 seconds; any exit code but 0 is a failure.
package struct CommandChannel: MessageChannel {
    package let name: String
    private let words: [String]
    private let base: String?
    private let limit: Duration

    /// - Parameters:
    ///   - words: the program's path and its arguments.
    ///   - base: how browsers reach this service; `nil` where none does.
    package init(name: String, words: [String], base: String?, limit: Duration = .seconds(30)) {
        self.name = name
        self.words = words
        self.base = base
        self.limit = limit
    }

    package func deliver(_ message: Message) async throws(DeliveryError) {
        try await run(["kind": "message", "at": .string(message.at.description), "message": message.json])
    }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        let url = base.map { JSON.string("\($0)/plans/\(prompt.digest)") }
        try await run(["kind": "approval-asked", "prompt": prompt.json, "url": url ?? .null])
    }

    private func run(_ json: JSON) async throws(DeliveryError) {
        let result: Result<Void, DeliveryError> = await withCheckedContinuation { waiting in
            // Waiting blocks, and the cooperative threads must not.
            Thread.detachNewThread {
                waiting.resume(returning: Result { () throws(DeliveryError) in try wait(json.canonicalBytes + [0x0A]) })
            }
        }
        try result.get()
    }

    private func wait(_ input: [UInt8]) throws(DeliveryError) {
        let process = Process()
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // A file, so that a program that reads nothing keeps nobody waiting.
        let file = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        guard
            FileManager.default.createFile(
                atPath: file.path, contents: Data(input), attributes: [.posixPermissions: 0o600]),
            let handle = try? FileHandle(forReadingFrom: file)
        else { throw DeliveryError("no file for its input can be made in \(file.deletingLastPathComponent().path)") }
        process.standardInput = handle
        do { try process.run() } catch { throw DeliveryError("\(words[0]) cannot be started") }
        let clock = ContinuousClock()
        let end = clock.now + limit
        while process.isRunning, clock.now < end { Thread.sleep(forTimeInterval: 0.02) }
        guard !process.isRunning else {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            throw DeliveryError("\(words[0]) did not end within \(limit)")
        }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw DeliveryError("\(words[0]) ended with status \(process.terminationStatus)")
        }
    }
}
