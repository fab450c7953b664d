package import Foundation
package import HoldfastJSON

/// Second opinions: scripts under Tests/oracles that ask the providers' own SDKs and print one JSON value a line.
package enum Oracle {
    /// The tests' own Python, with the SDKs; tests that need it are skipped where it is not set.
    package static let python = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PYTHON"]
    /// The folder of real data; tests that need it are skipped where it is not set.
    package static let data = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"]

    package static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
        package init(description: String) { self.description = description }
    }

    /// Runs a script of Tests/oracles, and reads what it printed.
    /// - Parameter environment: added to the tests' own; `nil` takes a name out.
    package static func lines(
        _ script: String, _ arguments: [String] = [], environment: [String: String?] = [:]
    ) throws -> [JSON] {
        guard let python else { throw Failure(description: "HOLDFAST_TEST_PYTHON is not set") }
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [top.appending(path: "Tests/oracles/\(script)").path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment.compactMapValues { $0 }) { $1 }
            .filter { environment[$0.key] != .some(nil) }
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(script) ended with \(process.terminationStatus)")
        }
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
    }
}

/// A folder of a test's own, gone with it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, and gives its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        let file = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }
}
