import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

/// The providers' own clients in the tests' Python, asked by the scripts of `Tests/oracles`.
enum WireOracle {
    /// `Tests/servers/python.sh` prints it.
    static let python = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PYTHON"]
    static let why = "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    struct Failure: Error {
        var script: String
        var status: Int32
    }

    /// What a script prints, one JSON value a line.
    static func lines(_ script: String, _ arguments: [String]) throws -> [JSON] {
        let process = Process()
        process.executableURL = URL(filePath: python ?? "python3")
        process.arguments = [top.appending(path: "Tests/oracles/\(script)").path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(script: script, status: process.terminationStatus) }
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
    }
}

/// The catalog as it is shipped, with its wire files.
enum WireCatalog {
    static let shipped: Catalog = {
        let folder = WireOracle.top.appending(path: "catalog").path
        let files = DataFolder.read([folder]).files.map { ($0.name, $0.node) }
        return Catalog.load(files, operations: nil, wire: DataFolder.readWire([folder]).files).catalog
    }()

    static func calls(_ wires: [CloudCall.WireProtocol]) -> [String] {
        shipped.callNames.filter { shipped.call($0).map { wires.contains($0.wire) } ?? false }
    }

    static let aws = calls([.query, .ec2, .json10, .json11, .restJSON, .restXML])

    static func call(_ name: String) throws -> CloudCall {
        guard let call = shipped.call(name) else { throw WireOracle.Failure(script: name, status: 0) }
        return call
    }
}
