import Foundation
import Testing

@Suite("The simulator of Azure and Google", .enabled(if: testPython != nil, "HOLDFAST_TEST_PYTHON names no Python"))
struct SimulatorContractTests {
    @Test("The providers' own clients find in it what they wrote", .timeLimit(.minutes(5)))
    func holds() throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try #require(testPython))
        process.arguments = [serversFolder + "/cloud_contract.py"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(told)")
        #expect(told.contains(" hold, 0 do not"))
    }
}

let testPython = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PYTHON"]
let serversFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "servers").path
