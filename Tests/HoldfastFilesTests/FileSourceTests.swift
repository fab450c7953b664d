import Foundation
import HoldfastEngine
import HoldfastFiles
import TestOracles
import Testing

@Suite("Events from files")
struct FileSourceTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func source(_ paths: [String], limits: FileLimits = FileLimits()) -> FileSource {
        FileSource(paths: paths, limits: limits, wait: neverWaits)
    }

    @Test("A folder is read in the order of its names, whatever is packed and however, without what is no event")
    func folders() async throws {
        try folder.write("b/2.json", "{\"n\":3}")
        try folder.write("b/1.jsonl", "{\"n\":1}\n{\"n\":2}\n")
        try folder.write("c.log", bytes: gzipped("{\"Records\":[{\"n\":4},{\"n\":5}]}"))
        try folder.write(
            "a.json", bytes: [0xFF, 0xFE] + "{\"n\":\"é😀\"}".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        try folder.write("d.json", "")
        for name in [".hidden.json", "LICENSE", "README.md", "events.csv", "b/.git/x.json", "LICENSE-MIT.json"] {
            try folder.write(name, "{\"no\":1}")
        }
        let taken = try await take(source([folder.path]))
        #expect(taken.records == ["{\"n\":\"é😀\"}", "{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}", "{\"n\":5}"])
        #expect(
            taken.places.map(folder.short) == [
                "a.json@0", "b/1.jsonl@0", "b/1.jsonl@8", "b/2.json@0", "c.log@12", "c.log@20",
            ])
        #expect(taken.unreadable.isEmpty)
    }

    @Test("A file is read where it is named, whatever its name")
    func named() async throws {
        try folder.write("events.csv", "{\"n\":1}")
        #expect(try await take(source([folder.at("events.csv")])).records == ["{\"n\":1}"])
        #expect(try await take(source([folder.at("*.csv")])).records == ["{\"n\":1}"])
        #expect(try await take(source([folder.path])).records.isEmpty)
    }

    @Test(
        "Patterns match as a shell's do",
        arguments: [
            ("*.json", ["a.json"]), ("**/*.json", ["a.json", "x/b.json", "x/y/c.json"]),
            ("x/**", ["x/b.json", "x/y/c.json"]),
            ("*/b.json", ["x/b.json"]), ("x/?/[a-c].json", ["x/y/c.json"]), ("**/y/*", ["x/y/c.json"]),
            ("*", ["a.json", "x/b.json", "x/y/c.json"]), ("x", ["x/b.json", "x/y/c.json"]),
        ])
    func patterns(pattern: String, expected: [String]) async throws {
        for name in ["a.json", "x/b.json", "x/y/c.json", "x/.z/d.json"] { try folder.write(name, "{}") }
        let taken = try await take(source([folder.at(pattern)]))
        #expect(taken.places.map { folder.short($0).replacing("@0", with: "") } == expected)
    }

    @Test("Overlapping paths read a file once")
    func overlap() async throws {
        try folder.write("a.json", "{}")
        #expect(try await take(source([folder.at("a.json"), folder.path, folder.at("*")])).records.count == 1)
    }

    @Test("A path and a pattern that lead to nothing are named, before anything is read")
    func missing() async throws {
        try folder.write("a.json", "{}")
        let source = source([folder.path, folder.at("none.json"), folder.at("*.none")])
        let error = await #expect(throws: SourceError.self) { try await source.resume(from: []) }
        #expect(error?.code == "no-such-file")
        #expect(error?.message.contains("none.json cannot be opened: No such file") == true)
        #expect(error?.message.contains("*.none matches no file") == true)
    }

    @Test("What cannot be read becomes a dead letter with its reason, and the rest goes on")
    func unreadable() async throws {
        try folder.write("a.json", "{\"n\":1}")
        try FileManager.default.createSymbolicLink(atPath: folder.at("b.json"), withDestinationPath: folder.at("gone"))
        let packed = gzipped("{\"n\":2}\n{\"n\":3}\n{\"n\":4}")
        try folder.write("c.json.gz", bytes: Array(packed[..<(packed.count - 12)]))
        var corrupt = packed
        corrupt[corrupt.count - 8] ^= 0xFF
        try folder.write("d.json.gz", bytes: corrupt)
        try folder.write("e.json.gz", bytes: packed + Array("tail".utf8))
        try folder.write("f.json", "[{\"n\":5},")
        try folder.write("g.avro.json", "Obj\u{1}and more")
        try folder.write("h.json", bytes: "{\"n\":1}".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        try folder.write("z.json", "{\"n\":6}")
        let taken = try await take(source([folder.path]))
        let records = [1, 2, 3, 2, 3, 4, 2, 3, 4, 5, 6].map { "{\"n\":\($0)}" }
        #expect(taken.records == records)
        let reasons = taken.unreadable.map { folder.short("\($0.place): \($0.reason)") }
        #expect(
            reasons == [
                "b.json: b.json cannot be opened: No such file or directory; it is gone",
                "c.json.gz@16: c.json.gz is gzip that ends too soon, after compressed byte 34; fetch the file again",
                "d.json.gz@23: d.json.gz is gzip that is damaged at compressed byte 42 (incorrect data check); "
                    + "fetch the file again",
                "e.json.gz@23: e.json.gz is gzip followed by other bytes at compressed byte 46, which are passed over",
                "f.json@9: the input ends inside a list that is never closed; what came before it was read",
                "g.avro.json@0: g.avro.json is Avro, which is not read; give JSON, plain or in gzip",
                "h.json@0: h.json has zero bytes among its first, so it is no UTF-8; UTF-16 needs its mark of "
                    + "byte order",
            ])
        #expect(taken.unreadable[1].bytes == Array("{\"n".utf8))
    }

    @Test("A file that fails while it is read becomes a dead letter, and the rest goes on")
    func failsWhileRead() async throws {
        try folder.write("z.json", "{\"n\":6}")
        let taken = try await take(source(["/proc/self/mem", folder.path]))
        #expect(taken.records == ["{\"n\":6}"])
        #expect(taken.unreadable.map(\.reason) == ["/proc/self/mem cannot be read: Input/output error"])
    }

    @Test("Zeros that a writer left in front of its first line are passed over")
    func zeros() async throws {
        try folder.write("a.log", bytes: Array(repeating: 0, count: 100_000) + Array("{\"n\":1}\n".utf8))
        #expect(try await take(source([folder.path])).places.map(folder.short) == ["a.log@100000"])
    }

    @Test("Gzip of several members, padded with zeros, is one file")
    func members() async throws {
        let bytes = gzipped("{\"n\":1}\n{\"n\"") + gzipped("") + [0, 0, 0] + gzipped(":2}\n") + [0, 0]
        try folder.write("a", bytes: bytes)
        let taken = try await take(source([folder.path]))
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}"])
        #expect(taken.unreadable.isEmpty)
    }

    @Test("Damaged gzip gives no record that was not in it, and says that it is damaged", arguments: 0..<20)
    func damaged(seed: Int) async throws {
        var random = SplitMix(seed: UInt64(seed))
        let lines = (0..<30).map { "{\"n\":\($0)}" }
        let packed = gzipped(lines.joined(separator: "\n"))
        for _ in 0..<20 {
            var bytes = packed
            bytes[Int.random(in: 10..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
            try folder.write("a.gz", bytes: bytes)
            let taken = try await take(source([folder.path]))
            // Padding before a stored block means nothing; without its first bytes it is no gzip.
            #expect(!taken.unreadable.isEmpty || taken.records == lines || bytes.count < 2)
            #expect(taken.records.filter { !lines.contains($0) }.count <= 2)
        }
    }

    @Test("Gzip that would fill the memory is stopped at the limit")
    func bomb() async throws {
        let zeros = Process()
        zeros.executableURL = URL(filePath: "/bin/sh")
        zeros.arguments = [
            "-c", "(echo '{\"n\":1}'; head -c 300000000 /dev/zero | tr '\\0' ' ') | gzip -1 > \(folder.at("a.gz"))",
        ]
        try zeros.run()
        zeros.waitUntilExit()
        var limits = FileLimits()
        limits.inflated = 10_000_000
        let taken = try await take(source([folder.path], limits: limits))
        #expect(taken.records == ["{\"n\":1}"])
        #expect(taken.unreadable.count == 1)
        #expect(taken.unreadable.first?.reason.contains("inflates to more than the limit of 10000000 bytes") == true)
    }

    @Test("Batches keep to 500 records and 8 MiB, and a record greater than its limit is measured")
    func limits() async throws {
        try folder.write("a.jsonl", (0..<1201).map { "{\"n\":\($0)}" }.joined(separator: "\n"))
        #expect(try await take(source([folder.path])).batches == [500, 500, 201])
        var limits = FileLimits()
        limits.batchBytes = 100
        limits.document = 50
        try folder.write(
            "a.jsonl", (0..<10).map { "{\"n\":\"\(String(repeating: "x", count: $0 * 6))\"}" }.joined(separator: "\n"))
        let taken = try await take(source([folder.path], limits: limits))
        #expect(taken.batches.count == 3)
        #expect(taken.records.count == 8)
        #expect(
            taken.unreadable.map(\.reason) == [
                "the document has 56 bytes; at most 50 are read", "the document has 62 bytes; at most 50 are read",
            ])
    }

    @Test("A 50 MB event passes on whole")
    func fiftyMegabytes() async throws {
        let great = "{\"a\":\"" + String(repeating: "x", count: 50_000_000) + "\"}"
        try folder.write("a.json", great + "\n{\"n\":2}")
        let taken = try await take(source([folder.path]))
        #expect(taken.batches == [1, 1])
        #expect(taken.records.map(\.utf8.count) == [great.utf8.count, 7])
    }
}
