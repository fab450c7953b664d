import HoldfastEngine
import HoldfastFiles
import TestOracles
import Testing

@Suite("Following files")
struct FileFollowTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Follows while the script changes files, a step a look.
    private func follow(paths: [String]? = nil, steps: [@Sendable () throws -> Void]) async throws -> Taken {
        let script = Script(steps)
        let source = FileSource(paths: paths ?? [folder.path], follow: true) { try await script.next() }
        return try await take(source)
    }

    @Test("New files and new lines come as they are written, and lines only when they are whole")
    func grows() async throws {
        let folder = folder
        try folder.write("a.log", "{\"n\":1}\n")
        let taken = try await follow(steps: [
            { try folder.append("a.log", "{\"n\":2}\n{\"n\"") },
            { try folder.append("a.log", ":3}\n") },
            { try folder.write("b/c.json", "{\"n\":4}") },
            { try folder.write("d.gz", bytes: gzipped("{\"n\":5}")) },
            {},
        ])
        #expect(taken.records == (1...5).map { "{\"n\":\($0)}" })
        #expect(taken.batches == [1, 1, 1, 1, 1])
        #expect(taken.unreadable.isEmpty)
    }

    @Test("A path that is not there yet is waited for")
    func waitsForPath() async throws {
        let folder = folder
        let taken = try await follow(
            paths: [folder.at("late.json"), folder.at("x/*.json")],
            steps: [
                {}, { try folder.write("late.json", "{\"n\":1}") }, { try folder.write("x/y.json", "{\"n\":2}") },
            ])
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}"])
        #expect(taken.unreadable.isEmpty)
    }

    @Test("A gzip file that is still being written is read as it comes")
    func growingGzip() async throws {
        let folder = folder
        let packed = gzipped("{\"n\":1}\n{\"n\":2}\n")
        let taken = try await follow(steps: [
            { try folder.write("a.gz", bytes: []) },
            { try folder.append("a.gz", bytes: Array(packed[..<20])) },
            { try folder.append("a.gz", bytes: Array(packed[20..<30])) },
            { try folder.append("a.gz", bytes: Array(packed[30...])) },
            { try folder.append("a.gz", bytes: gzipped("{\"n\":3}")) },
        ])
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
        #expect(taken.unreadable.isEmpty)
    }

    @Test("A file that is moved away is read to its end, and the new one of its name from its start")
    func rotated() async throws {
        let folder = folder
        try folder.write("a.log", "{\"n\":1}\n")
        let taken = try await follow(
            paths: [folder.at("a.log")],
            steps: [
                {
                    try folder.append("a.log", "{\"n\":2}\n")
                    try folder.move("a.log", to: "a.log.1")
                    try folder.write("a.log", "{\"n\":4}\n{\"n\":5}\n{\"n\":6}\n")
                },
                { try folder.append("a.log.1", "{\"n\":3}\n") },
                {}, { try folder.append("a.log", "{\"n\":7}\n") },
            ])
        #expect(taken.records == (1...7).map { "{\"n\":\($0)}" })
        #expect(taken.unreadable.isEmpty)
        #expect(taken.positions[folder.at("a.log")]?.next == 32)
    }

    @Test("A file that is moved to another name that is followed goes on there, and nothing comes twice")
    func renamed() async throws {
        let folder = folder
        try folder.write("a.log", "{\"n\":1}\n")
        let taken = try await follow(steps: [
            { try folder.append("a.log", "{\"n\":2}\n") },
            {
                try folder.move("a.log", to: "a.log.1")
                try folder.append("a.log.1", "{\"n\":3}\n")
                try folder.write("a.log", "{\"n\":4}\n")
            },
            { try folder.append("a.log.1", "{\"n\":5}\n") },
        ])
        #expect(taken.records.sorted() == (1...5).map { "{\"n\":\($0)}" })
        #expect(taken.positions[folder.at("a.log.1")]?.next == 32)
        #expect(taken.positions[folder.at("a.log")]?.next == 8)
    }

    @Test("A file that is cut to nothing and filled again is read from its start, and says what may be lost")
    func truncated() async throws {
        let folder = folder
        try folder.write("a.log", "{\"n\":1}\n{\"n\":2}\n")
        let taken = try await follow(steps: [
            { try folder.write("a.log", "{\"n\":3}\n") }, { try folder.append("a.log", "{\"n\":4}\n") },
        ])
        // Written whole or in place, the path then holds fewer bytes than were read of it.
        #expect(taken.records == (1...4).map { "{\"n\":\($0)}" })
        #expect(taken.unreadable.map { folder.short($0.place) } == ["a.log@16"])
        #expect(taken.unreadable.first?.reason.contains("shrank from 16 to 8 bytes") == true)
    }

    @Test("A file that is replaced under its name is read from its start")
    func replaced() async throws {
        let folder = folder
        try folder.write("a.json", "{\"n\":1}")
        let taken = try await follow(steps: [
            {
                try folder.write("b.tmp", "{\"n\":2}")
                try folder.remove("a.json")
                try folder.move("b.tmp", to: "a.json")
            }, {}, {},
        ])
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}"])
    }

    @Test("A file that is gone and one that takes its inode are not mistaken for one that was renamed")
    func reusedInode() async throws {
        let folder = folder
        try folder.write("a.json", "{\"n\":1}\n")
        let steps = (2...20).map { number -> @Sendable () throws -> Void in
            {
                try folder.remove(number == 2 ? "a.json" : "\(number - 1).json")
                try folder.write("\(number).json", "{\"n\":\(number)}\n")
            }
        }
        let taken = try await follow(steps: steps)
        #expect(taken.records == (1...20).map { "{\"n\":\($0)}" })
    }

    @Test("A document that is cut off and does not go on is told of once, and read when it does")
    func tail() async throws {
        let folder = folder
        try folder.write("a.json", "{\"n\":1}\n{\"n\":")
        let quiet = Array(repeating: {} as @Sendable () throws -> Void, count: 130)
        let taken = try await follow(steps: quiet + [{ try folder.append("a.json", "2}\n") }, {}])
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}"])
        #expect(taken.unreadable.map { folder.short($0.place) } == ["a.json@8"])
        #expect(taken.unreadable.first?.bytes == Array("{\"n\":".utf8))
    }

    @Test("What cannot be read is told of once, and read once it can be")
    func toldOnce() async throws {
        let folder = folder
        try folder.write("a.json.gz", bytes: Array(gzipped("{\"n\":1}\n")[..<22]) + Array(repeating: 7, count: 12))
        let taken = try await follow(steps: [
            { try symbolicLink(folder.at("b.json"), to: folder.at("target.md")) }, {}, {},
            { try folder.write("target.md", "{\"n\":2}") }, {},
            { try folder.write("a.json.gz", bytes: gzipped("{\"n\":1}\n{\"n\":3}\n")) }, {},
        ])
        #expect(taken.records.sorted() == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
        #expect(taken.unreadable.map { folder.short($0.place) } == ["a.json.gz@7", "b.json"])
    }

    @Test("A source that waits ends with a clear word when its task is cancelled")
    func cancelled() async throws {
        let (waiting, signal) = AsyncStream.makeStream(of: Void.self)
        let source = FileSource(paths: [folder.path], follow: true) {
            signal.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        let task = Task { try await source.nextBatch() }
        for await _ in waiting { break }
        task.cancel()
        let error = await #expect(throws: SourceError.self) { try await task.value }
        #expect(error?.code == "cancelled")
    }

    @Test("A closed source has no more batches")
    func closed() async throws {
        try folder.write("a.json", "{}")
        let source = FileSource(paths: [folder.path], follow: true, wait: neverWaits)
        await source.close()
        #expect(try await source.nextBatch() == nil)
    }
}
