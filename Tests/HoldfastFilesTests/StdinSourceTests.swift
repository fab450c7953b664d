import Foundation
import HoldfastEngine
import HoldfastFiles
import TestOracles
import Testing

@Suite("Events from standard input")
struct StdinSourceTests {
    @Test("Documents come as soon as they are whole, and the end is the end")
    func pipe() async throws {
        let pipe = Pipe()
        let script = Script([
            { try pipe.fileHandleForWriting.write(contentsOf: Data("{\"n\":1}\n{\"n\"".utf8)) },
            {},
            { try pipe.fileHandleForWriting.write(contentsOf: Data(":2}{\"n\":3}\n{\"cut\"".utf8)) },
            { try pipe.fileHandleForWriting.close() },
        ])
        let source = StdinSource(descriptor: pipe.fileHandleForReading.fileDescriptor) { try await script.next() }
        let taken = try await take(source)
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"cut\""])
        #expect(taken.places == ["stdin@0", "stdin@8", "stdin@15", "stdin@23"])
        #expect(taken.batches == [1, 2, 1])
        #expect(taken.positions.isEmpty)
    }

    @Test("Gzip on standard input is inflated")
    func gzip() async throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(gzipped("[{\"n\":1},{\"n\":2}]")))
        try pipe.fileHandleForWriting.close()
        let source = StdinSource(descriptor: pipe.fileHandleForReading.fileDescriptor, wait: neverWaits)
        #expect(try await take(source).records == ["{\"n\":1}", "{\"n\":2}"])
    }

    @Test("A pipe that is named as a file is read as it comes, and gives no position")
    func namedPipe() async throws {
        let pipe = Pipe()
        let script = Script([
            { try pipe.fileHandleForWriting.write(contentsOf: Data("{\"n\":1}\n".utf8)) },
            { try pipe.fileHandleForWriting.write(contentsOf: Data("{\"n\":2}\n".utf8)) },
            { try pipe.fileHandleForWriting.close() },
        ])
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        let taken = try await take(FileSource(paths: [path]) { try await script.next() })
        #expect(taken.records == ["{\"n\":1}", "{\"n\":2}"])
        #expect(taken.positions.isEmpty)
    }
}
