import Foundation
import HoldfastEngine
import HoldfastFiles
import TestOracles
import Testing

@Suite("Going on after a crash")
struct FileResumeTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func source() -> FileSource {
        var limits = FileLimits()
        limits.batchRecords = 3
        return FileSource(paths: [folder.path], limits: limits, wait: neverWaits)
    }

    private static let layouts: [(String, @Sendable ([String]) -> [UInt8])] = [
        ("lines", { Array($0.joined(separator: "\n").utf8) }),
        ("lines, the last one ended", { Array(($0.joined(separator: "\n") + "\n").utf8) }),
        ("one behind the other", { Array($0.joined().utf8) }),
        ("a list", { Array("[\($0.joined(separator: ",\n"))]".utf8) }),
        ("CloudTrail's file", { Array("{\"Records\":[\($0.joined(separator: ","))]}\n".utf8) }),
        ("batches by line", { Array($0.map { "{\"records\":[\($0),\($0)]}\n" }.joined().utf8) }),
        ("gzip", { gzipped($0.joined(separator: "\n")) }),
        (
            "UTF-16",
            { [0xFE, 0xFF] + $0.joined(separator: "\n").utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }
        ),
        ("a broken line within", { Array($0.joined(separator: "\n{\"cut\":\n").utf8) }),
    ]

    @Test("After a crash behind any batch every record comes exactly once", arguments: layouts.map(\.0))
    func everyBatch(layout: String) async throws {
        let write = try #require(Self.layouts.first { $0.0 == layout }?.1)
        let bodies = (0..<8).map { "{\"n\":\($0),\"x\":\"\(String(repeating: "y", count: $0))\"}" }
        try folder.write("a.json", bytes: write(bodies))
        try folder.write("b.json", bytes: write(bodies.map { $0.replacing("n", with: "m") }))
        let whole = try await take(source())
        #expect(whole.batches.count >= 6)
        for crash in 0...whole.batches.count {
            let before = try await take(source(), batches: crash)
            let after = try await take(source(), from: Array(before.positions.values))
            #expect(before.records + after.records == whole.records, "after batch \(crash)")
            #expect(before.places + after.places == whole.places)
        }
    }

    @Test("A file that was read to its end is not read again")
    func finished() async throws {
        try folder.write("a.json", bytes: gzipped("{\"n\":1}"))
        try folder.write("b.json", "{\"n\":2}")
        let first = try await take(source())
        #expect(
            first.positions.values.map { "\(folder.short($0.partition)) \($0.next)" }.sorted() == [
                "a.json -30", "b.json 7",
            ])
        let second = try await take(source(), from: Array(first.positions.values))
        #expect(second.records.isEmpty && second.unreadable.isEmpty)
    }

    @Test("What was added to a file since is read, and a document that its end cut off is read whole")
    func grown() async throws {
        try folder.write("a.json", "{\"n\":1}\n{\"n\":")
        let first = try await take(source())
        #expect(first.records == ["{\"n\":1}", "{\"n\":"])
        try folder.append("a.json", "2}\n{\"n\":3}\n")
        let second = try await take(source(), from: Array(first.positions.values))
        #expect(second.records == ["{\"n\":2}", "{\"n\":3}"])
    }

    @Test(
        "A file that took another's place is read from its start, and says so",
        arguments: ["{\"m\":1}\n", "{\"n\":\"a\"}{\"m\":\"longer\"}"])
    func replaced(text: String) async throws {
        try folder.write("a.json", "{\"n\":1}{\"n\":2}{\"n\":3}")
        let first = try await take(source())
        try folder.remove("a.json")
        try folder.write("a.json", text)
        let second = try await take(source(), from: Array(first.positions.values))
        #expect(second.records.joined() + "\n" == text || second.records.joined() == text)
        #expect(
            second.unreadable.map(\.reason).map(folder.short) == [
                "a.json is not the file that was read up to byte 21; it is read from its start, and what the "
                    + "old one still held is lost"
            ])
    }

    @Test("A truncated gzip that is whole the next time gives the rest")
    func repaired() async throws {
        let packed = gzipped("{\"n\":1}\n{\"n\":2}\n{\"n\":3}")
        try folder.write("a.gz", bytes: Array(packed[..<26]))
        let first = try await take(source())
        #expect(first.records == ["{\"n\":1}"])
        #expect(first.unreadable.count == 1)
        try folder.write("a.gz", bytes: packed)
        let second = try await take(source(), from: Array(first.positions.values))
        #expect(second.records == ["{\"n\":2}", "{\"n\":3}"])
    }
}
