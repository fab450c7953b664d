import Foundation
package import HoldfastJSON

/// A script of Tests/servers, run with the tests' own Python; it ends when its input does, which is when this is gone.
package final class ServerProcess: @unchecked Sendable {  // nothing changes once it runs
    private let process = Process()
    private let input = Pipe()
    /// The line of JSON that it tells its ports by.
    package let told: JSON

    /// - Parameters:
    ///   - environment: added to the tests' own.
    ///   - isPlain: any Python will do.
    package init(
        _ script: String, _ arguments: [String] = [], environment: [String: String] = [:], isPlain: Bool = false
    ) throws {
        guard let python = isPlain ? "/usr/bin/env" : Oracle.python else {
            throw Oracle.Failure(description: "HOLDFAST_TEST_PYTHON is not set")
        }
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments =
            (isPlain ? ["python3"] : []) + [Oracle.top.appending(path: "Tests/servers/\(script)").path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw Oracle.Failure(description: "\(script) ended without a word") }
            line += part
        }
        told = try JSON.parse(line)
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
